// A package's page for a browser, as one module of texts: so it comes along wherever the package is bundled into a program.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'

/** Where there is a `page/<name>.css`, makes `dist/<name>-files.js` of it, of `page/<name>.html` and of what tsc wrote to `dist/<name>-page.js`. */
export async function embedPage(folder, name) {
  const input = join(folder, `dist/${name}-page.js`)
  const css = join(folder, `page/${name}.css`)
  if (!existsSync(input) || !existsSync(css)) return
  const build = await rolldown({ input, platform: 'browser' })
  const { output } = await build.generate({ format: 'esm' })
  await build.close()
  const text = `export const html = ${JSON.stringify(readFileSync(join(folder, `page/${name}.html`), 'utf8'))}
export const style = ${JSON.stringify(readFileSync(css, 'utf8'))}
export const script = ${JSON.stringify(output[0].code)}
`
  const file = join(folder, `dist/${name}-files.js`)
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text)
}
