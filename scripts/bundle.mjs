// node ../../scripts/bundle.mjs, in a package: joins what `tsc -b` wrote to dist/ into the few files of dist/bundle/, with
// the libraries that are no `dependencies`. Every start loads them in up to four threads (docs/adr/0008-start-up.md).
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { bundleForBrowser } from './bundle-browser.mjs'
import { embedPage } from './embed-page.mjs'

const read = path => readFileSync(path, 'utf8')
const readPackage = folder => JSON.parse(read(join(folder, 'package.json')))

/** Each `./dist/bundle/<name>.js` that is named there is made from `dist/<name>.js`. */
function namesIn(parts) {
  const named = JSON.stringify(parts).matchAll(/"\.\/dist\/bundle\/([\w-]+)\.js"/g)
  return [...new Set([...named].map(([, name]) => name))]
}
const entriesOf = ({ exports, imports }) => namesIn([exports, imports])

/** Each `./dist/bundle/<name>.cjs` that is named there is a copy of `dist/<name>.cjs`, or a program that is made from `dist/<name>.js`. */
const cjsOf = ({ exports, imports }) =>
  [...JSON.stringify([exports, imports]).matchAll(/"\.\/dist\/bundle\/([\w-]+)\.cjs"/g)].map(([, name]) => name)
const isCopied = folder => name => existsSync(join(folder, 'dist', `${name}.cjs`))
const copiesOf = (folder, info) => cjsOf(info).filter(isCopied(folder))

/**
 * Whole programs that start often, as CommonJS with all that they import: Node takes half the time to load one file of these, and needs no
 * loader of modules for it. Nothing outside shares their classes.
 */
const programsOf = (folder, info) => cjsOf(info).filter(name => !isCopied(folder)(name))

/** Entries that have another file for code in a program that has their exports already (docs/adr/0008-start-up.md). */
const SHARED_BY_PROGRAM = 'sallyport-process'
const facadesOf = ({ exports = {} }) =>
  Object.entries(exports).flatMap(([id, { [SHARED_BY_PROGRAM]: path, default: entry }]) =>
    path === undefined ? [] : [{ id, fileName: basename(path), entry: basename(entry) }],
  )

/** A module with the exports of the program. A copy of another version, which has other exports, is loaded for itself. */
const toFacade = ({ name }, { id, entry }, names) => `import { createRequire } from "node:module";
const shared = globalThis[Symbol.for("${name}:exports")]?.("${id}");
const names = ${JSON.stringify(names)};
export const { ${names.join(', ')} } = shared && names.every((name) => name in shared) ? shared : createRequire(import.meta.url)("./${entry}");
`

/** Each is one file of its own: with what they share split off, every start would wait for one file more. */
const commandsOf = ({ bin = {} }) => namesIn([bin])

/** Entries of its dependencies that a package takes in: they are small, it always loads them, and nothing asks whether a value is of their classes. */
const TAKEN_IN = { '@sallyport/core': ['@sallyport/paths/internal/api', '@sallyport/paths/internal/glob'] }

/** What npm installs beside the package is loaded from there; all else is taken in. */
function isOutside({ name: own, dependencies = {}, peerDependencies = {}, imports = {} }) {
  const names = [own, ...Object.keys({ ...dependencies, ...peerDependencies })]
  return id =>
    id.startsWith('node:') ||
    typeof imports[id] === 'string' ||
    (!TAKEN_IN[own]?.includes(id) && names.some(name => id === name || id.startsWith(`${name}/`)))
}

/**
 * Where several names of a dependency are one file: each further name, with the first, by which that file is imported. Node takes a third of a
 * millisecond to resolve a name, in each file that has it and in each thread.
 */
function namesOfFiles(folder, { dependencies = {} }) {
  const firsts = new Map()
  const names = new Map()
  for (const name of Object.keys(dependencies).filter(name => name.startsWith('@sallyport/'))) {
    const { exports } = readPackage(join(folder, 'node_modules', name))
    for (const [path, { types: _, ...files }] of Object.entries(exports)) {
      const [id, file] = [`${name}${path.slice(1)}`, `${name} ${JSON.stringify(files)}`]
      if (firsts.has(file)) names.set(id, firsts.get(file))
      else firsts.set(file, id)
    }
  }
  return names
}

/** So that a stack leads to the sources, not to what tsc made of them. The package has no sources: its maps hold them. */
const mapsOfTsc = {
  name: 'maps-of-tsc',
  load(id) {
    if (!existsSync(`${id}.map`)) return undefined
    const map = JSON.parse(read(`${id}.map`))
    // A library's map may bring its sources, which are not there as files.
    map.sourcesContent ??= map.sources.map(source => read(resolve(dirname(id), source)))
    return { code: read(id), map }
  },
}

/** Name and licence of each library that was taken in: their authors ask for it. */
function licencesOf(modules) {
  const folders = modules.map(id => /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(id)?.[0])
  const texts = [...new Set(folders)].filter(Boolean).map(folder => {
    const { name, version, license } = readPackage(folder)
    const files = readdirSync(folder).filter(file => /^licen[cs]e/i.test(file))
    return [`${name} ${version}, ${license}`, ...files.map(file => read(join(folder, file)).trim())].join('\n\n')
  })
  return texts.toSorted().join(`\n\n${'-'.repeat(80)}\n\n`)
}

/** What entries share, in fewer files: the smallest go with those that most of the same entries load. */
const SHARED = { name: 'common', minShareCount: 2, entriesAware: true, entriesAwareMergeThreshold: 5000 }

/** What a core module, core's thread and the host load as they start: one file each, and one that thread and host share. */
const STARTS = [
  ['module', ['index']],
  ['both', ['worker', 'host/start-bus']],
  ['thread', ['core-thread/core']],
  ['host', ['host/start-bus']],
]

/**
 * A group for each start: the modules that all of its roots reach, themselves included, and that are in no group before it. The index, which users
 * import, is only in a group of its name: others would add their exports to it.
 */
function startsOf(folder, starts) {
  const closures = new Map()
  const reaches = (root, id, context) => {
    if (!closures.has(root)) closures.set(root, getClosure(resolve(folder, 'dist', `${root}.js`), context))
    return closures.get(root).has(id)
  }
  const index = resolve(folder, 'dist/index.js')
  return starts.map(([name, roots], at) => ({
    name: (id, context) =>
      (id !== index || name === 'index') && roots.every(root => reaches(root, id, context)) ? name : undefined,
    debugName: name,
    priority: starts.length - at,
  }))
}

/** The modules that a module imports, directly or not. */
function getClosure(root, context) {
  const found = new Set([root])
  for (const id of found) for (const imported of context.getModuleInfo(id)?.importedIds ?? []) found.add(imported)
  return found
}

/** The groups of packages with entries that need others. */
const GROUPS = {
  // Every frontend loads nearly all of its package: its entries share one file. What removes classes of Node as it loads is not in it.
  '@sallyport/frontend': [
    { name: 'internal', test: /[\\/]dist[\\/](?:internal\.js|(?:client|runtime|tauri|types)[\\/](?!text-module))/ },
  ],
  // Every bus loads the permission model; the rest is for one with processes. It is one file, which can be read again (`checkAlone`).
  '@sallyport/process': [
    {
      name: 'permission-model',
      test: /[\\/]dist[\\/](?:permission-model(?:\.js|[\\/])|network[\\/](?:host-list|secrets)|launchers[\\/](?:find-wall|node-program)|child[\\/]stop-status)/,
      priority: 1,
    },
    SHARED,
  ],
  // Core takes two entries in, and others load one alone.
  '@sallyport/paths': [],
}

function groupsOf(folder, name) {
  // Each thread loads the main entry: what the others share with it is there.
  if (name === '@sallyport/protocol') return startsOf(folder, [['index', ['index']]])
  return name === '@sallyport/core' ? [...startsOf(folder, STARTS), SHARED] : (GROUPS[name] ?? [SHARED])
}

/** Node keeps for good that a file could not be read. Core imports `index.js` again by another URL, but what that imports would keep its error. */
function checkAlone({ name }, output) {
  if (name !== '@sallyport/process') return
  const { imports } = output.find(file => file.fileName === 'index.js')
  const others = imports.filter(file => file.endsWith('.shared.js'))
  if (others.length > 0)
    throw new Error(`index.js of ${name} imports ${others.join(', ')}: move what it shares to permission-model`)
}

/** A single other character would make the whole text of a file take two bytes for each, in every thread that loads it. */
const toAscii = code => code.replace(/[^\0-\x7f]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** What is imported later keeps a file of its own: a program that has no use for it does not load it. */
const PROGRAM = { format: 'cjs', codeSplitting: true, strict: true }

async function outputOf(folder, names, options) {
  const info = readPackage(folder)
  const firstNames = options.format === 'cjs' ? new Map() : namesOfFiles(folder, info)
  const oneNameForEachFile = {
    name: 'one-name-for-each-file',
    resolveId: id => (firstNames.has(id) ? { id: firstNames.get(id), external: true } : undefined),
  }
  const build = await rolldown({
    input: Object.fromEntries(names.map(name => [name, join(folder, 'dist', `${name}.js`)])),
    external:
      options.format === 'cjs'
        ? id => id.startsWith('node:') || id === info.name
        : id => !firstNames.has(id) && isOutside(info)(id),
    platform: 'node',
    preserveEntrySignatures: 'allow-extension',
    // The modules of xstate, which can be shaken, and not the CommonJS files that Node takes.
    resolve: { conditionNames: ['module', 'import', 'node', 'default'] },
    plugins: [mapsOfTsc, oneNameForEachFile],
  })
  const { output } = await build.generate({
    dir: join(folder, 'dist/bundle'),
    format: 'esm',
    sourcemap: true,
    entryFileNames: options.format === 'cjs' ? '[name].cjs' : '[name].js',
    chunkFileNames: ({ name }) => `${name.split('~')[0]}.shared.${options.format === 'cjs' ? 'cjs' : 'js'}`,
    codeSplitting: { groups: groupsOf(folder, info.name) },
    // Every thread keeps the text of what it runs. The maps have the sources, with comments.
    comments: { jsdoc: false },
    ...options,
  })
  await build.close()
  return output
}

/** Each `./dist/browser/<name>` that is named there: a module that others import, a script, or the image of a VM that has evaluated one. */
const browserEntriesOf = ({ exports, imports = {} }) =>
  [
    [exports, 'esm'],
    [imports, 'iife'],
  ].flatMap(([parts, format]) =>
    [...JSON.stringify(parts).matchAll(/"\.\/dist\/browser\/([\w-]+)\.(js|img)"/g)].map(([, name, ending]) => ({
      name,
      format: ending === 'js' ? format : ending,
    })),
  )

/** Writes `dist/bundle/` of the package in `folder`, and `dist/browser/` if it has entries for browsers. */
export async function bundle(folder) {
  const info = readPackage(folder)
  await embedPage(folder, 'inspector')
  const shared = await outputOf(folder, entriesOf(info), {})
  checkAlone(info, shared)
  const commands = commandsOf(info).map(name => outputOf(folder, [name], { codeSplitting: false, sourcemap: false }))
  const programs = programsOf(folder, info).map(name => outputOf(folder, [name], PROGRAM))
  const output = [shared, ...(await Promise.all([...commands, ...programs]))].flat()
  const out = join(folder, 'dist/bundle')
  const files = new Map(output.map(file => [file.fileName, file.type === 'chunk' ? toAscii(file.code) : file.source]))
  for (const name of copiesOf(folder, info)) {
    files.set(`${name}.cjs`, read(join(folder, 'dist', `${name}.cjs`)).replace(/^\/\/# source.*/m, ''))
  }
  for (const facade of facadesOf(info)) {
    files.set(facade.fileName, toFacade(info, facade, shared.find(file => file.fileName === facade.entry).exports))
  }
  const licences = licencesOf(output.flatMap(file => file.moduleIds ?? []))
  if (licences) files.set('LICENSES.txt', `${licences}\n`)
  writeFiles(out, files)
  const scripts = await Promise.all(
    browserEntriesOf(info).map(({ name, format }) => bundleForBrowser(folder, name, format)),
  )
  if (scripts.length === 0) return
  writeFiles(join(folder, 'dist/browser'), new Map(scripts.flat().map(({ fileName, code }) => [fileName, code])))
}

function writeFiles(out, files) {
  mkdirSync(out, { recursive: true })
  for (const [name, text] of files) {
    // Whoever reads meanwhile has the old file or the new one, whole.
    const whole = join(out, `${name}.${process.pid}`)
    writeFileSync(whole, text)
    renameSync(whole, join(out, name))
  }
  const old = readdirSync(out).filter(name => !files.has(name) && !/\.\d+$/.test(name))
  for (const name of old) rmSync(join(out, name), { force: true })
}

/** For tests by hand after `tsc -b` alone: bundles what is older than the files that it was made of. */
export async function bundleStale(folder) {
  const info = readPackage(folder)
  const programs = programsOf(folder, info)
  const names = [...entriesOf(info), ...commandsOf(info)].map(name => `${name}.js`)
  const entries = [...names, ...programs.map(name => `${name}.cjs`)].map(name => join(folder, 'dist/bundle', name))
  const dist = join(folder, 'dist')
  if (entries.length === 0 || !existsSync(dist)) return
  const age = path => (existsSync(path) ? statSync(path).mtimeMs : 0)
  const made = readdirSync(dist, { recursive: true }).filter(name => /^(?!(?:bundle|browser)[\\/]).*\.js$/.test(name))
  const taken = programs.length > 0 || info.name in TAKEN_IN ? packagesOf(folder, info) : []
  for (const other of taken) await bundleStale(other)
  const bundles = taken.flatMap(other =>
    entriesOf(readPackage(other)).map(name => join(other, 'dist/bundle', `${name}.js`)),
  )
  const newest = Math.max(...[...made.map(name => join(dist, name)), ...bundles].map(age))
  if (entries.some(entry => age(entry) < newest)) await bundle(folder)
}

/** The directories of packages of this repository that a package depends on. */
const packagesOf = (folder, { dependencies }) =>
  Object.entries(dependencies).flatMap(([name, version]) =>
    version.startsWith('workspace:') ? [realpathSync(join(folder, 'node_modules', name))] : [],
  )

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle(resolve('.'))
