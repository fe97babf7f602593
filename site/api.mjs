// Makes the API reference of what the packages export, from the docstrings in their declarations: a page in api/ for each entry.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Application } from 'typedoc'

const here = import.meta.dirname
const out = join(here, 'api')
const entries = join(here, '.api-entries')
/** For the packages themselves, or started by them. */
const INNER = /^\.\/(internal|worker|process)(\/|$)|\.json$/

const readJson = path => JSON.parse(readFileSync(path, 'utf8'))

for (const folder of [out, entries]) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
}
const specifiers = new Map()
for (const name of ['core', 'frontend', 'nats', 'plugins', 'web', 'bench']) {
  const { exports } = readJson(join(here, '../packages', name, 'package.json'))
  for (const entry of Object.keys(exports).filter(entry => !INNER.test(entry))) {
    const specifier = `@sallyport/${name}${entry.slice(1)}`
    const file = specifier.slice('@sallyport/'.length).replaceAll('/', '-')
    specifiers.set(file, specifier)
    writeFileSync(join(entries, `${file}.ts`), `export * from '${specifier}'\n`)
  }
}
const tsconfig = join(entries, 'tsconfig.json')
const compilerOptions = {
  ...{ module: 'nodenext', target: 'es2023', lib: ['es2023', 'esnext.disposable'], types: ['node'] },
  ...{ strict: true, noEmit: true, skipLibCheck: true },
}
writeFileSync(tsconfig, JSON.stringify({ compilerOptions, include: ['*.ts'] }))

const app = await Application.bootstrapWithPlugins({
  tsconfig,
  entryPoints: [join(entries, '*.ts')],
  plugin: ['typedoc-plugin-markdown'],
  outputs: [{ name: 'markdown', path: out }],
  router: 'module',
  readme: 'none',
  hideGenerator: true,
  disableSources: true,
  excludePrivate: true,
  excludeInternal: true,
  logLevel: 'Error',
  // Of typedoc-plugin-markdown.
  hidePageHeader: true,
  hideBreadcrumbs: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  useCodeBlocks: true,
})
const project = await app.convert()
if (!project) throw new Error('typedoc could not read the declarations')
await app.generateOutputs(project)
rmSync(entries, { recursive: true })

rmSync(join(out, 'README.md'), { force: true })
for (const file of readdirSync(out)) {
  const specifier = specifiers.get(file.slice(0, -3))
  const text = readFileSync(join(out, file), 'utf8')
  writeFileSync(join(out, file), withGoodLinks(text.replace(/^# .+$/m, `# ${specifier}`), file))
}
// The plugin counts names over several pages: it writes #buserrorcode-1 where there is only #buserrorcode.
function withGoodLinks(text, file) {
  return text.replaceAll(/\]\(([\w-]+\.md)?#([\w-]+)-\d+\)/g, (link, page = file, name) => {
    const headings = readFileSync(join(out, page), 'utf8').match(/^#+ .+$|<a id="[^"]+"/gm) ?? []
    const found = headings.filter(heading =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w-]/g, '')
        .endsWith(name),
    )
    return found.length === 1 ? `](${page}#${name})` : link
  })
}

console.log(`API reference: ${[...specifiers.values()].join(', ')}`)
