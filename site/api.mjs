// Makes the API reference of what the packages export, from the docstrings in their declarations: a directory in api/ for each entry, with an
// index and a page for each export.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'
import { Application } from 'typedoc'
import { getDirectory } from '../scripts/packed/pack.mjs'

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
for (const name of ['core', 'frontend', 'nats', 'tauri-plugins', 'plugin-host', 'mcp', 'code-mode', 'web', 'bench']) {
  const { exports } = readJson(join(here, '..', getDirectory(name), 'package.json'))
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
  router: 'member',
  readme: 'none',
  groupOrder: ['Functions', 'Variables', 'Classes', 'Interfaces', 'Type Aliases'],
  sort: ['alphabetical'],
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
  indexFormat: 'table',
  entryFileName: 'index',
  pageTitleTemplates: { member: '{name}' },
})
const project = await app.convert()
if (!project) throw new Error('typedoc could not read the declarations')
await app.generateOutputs(project)
rmSync(entries, { recursive: true })

rmSync(join(out, 'index.md'))
const files = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.md'))
for (const file of files) {
  const text = readFileSync(join(out, file), 'utf8')
  const specifier = specifiers.get(file.split(sep)[0])
  const isIndex = basename(file) === 'index.md'
  const title = isIndex ? `# ${specifier}` : `$&\n\nIn [${specifier}](../index.md).`
  writeFileSync(join(out, file), withGoodLinks(text.replace(/^# .+$/m, title), file))
}

// The plugin counts names over several pages: it writes #buserrorcode-1 where there is only #buserrorcode.
function withGoodLinks(text, file) {
  return text.replaceAll(/\]\(([\w./-]+\.md)?#([\w-]+)-\d+\)/g, (link, page, name) => {
    const path = page === undefined ? file : join(dirname(file), page)
    const headings = readFileSync(join(out, path), 'utf8').match(/^#+ .+$|<a id="[^"]+"/gm) ?? []
    const found = headings.filter(heading =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w-]/g, '')
        .endsWith(name),
    )
    return found.length === 1 ? `](${page ?? ''}#${name})` : link
  })
}

console.log(`API reference: ${files.length} pages for ${[...specifiers.values()].join(', ')}`)
