// node scripts/prove-structure.mjs: proves that no package has a cycle of files or of directories, type imports included, that what runs
// in the host does not import what runs in core's thread, nor the other way, that the rooms of core import only those below them, that
// packages import no extension, that no directory is crowded or deep, that `npm run types` reads the sources of each entry of a package, and that the
// files exist whose mutants are drawn.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path/posix'
import { parseSync } from 'rolldown/utils'
import { DECIDING } from './mutants/groups.mjs'

/** Source files that a directory may hold itself, tests aside. */
const MAX_DIRECTORY_FILES = 20
/** Directories of core below `src` that a file is in. */
const MAX_DEPTH = 2
const SOURCE = /^(packages|extensions)\/[^/]+\/(src|page)\/.*\.(ts|js|css)$/
const TEST = /\.test(-d)?\.ts$/

/** Directories of core by the thread that runs them. The others run in both, or neither imports them. */
const IN_HOST = /\/src\/(?:host|life|options)\//
const IN_CORE = /\/src\/(?:core-thread|events|rpc)\//
/** Directories with those that their files must not import. The first that has a file counts. */
const BORDERS = [
  [IN_HOST, IN_CORE],
  [IN_CORE, IN_HOST],
]
/** The directories of core's `src`, from the ground up: a file imports only from its own and from those before it. Files in `src` are entries. */
const ROOMS = ['shared', 'acl', 'api', 'contract', 'events', 'rpc', 'core-thread', 'life', 'options', 'host', 'testing']
const getRoom = path => /^packages\/core\/src\/([^/]+)\//.exec(path)?.[1]
/** Starts a core in the host's own thread. */
const IN_BOTH = /\/src\/host\/local-core\.ts$/

const root = new URL('../', import.meta.url)
const folders = ['packages', 'extensions'].flatMap(top =>
  readdirSync(new URL(`${top}/`, root)).map(name => `${top}/${name}`),
)
const EXTENSIONS = readdirSync(new URL('extensions/', root)).map(name => `@sallyport/${name}`)
const LAZY = new Set(['ImportExpression', 'TSImportType'])
const readManifest = folder => JSON.parse(readFileSync(new URL(`${folder}/package.json`, root), 'utf8'))
/** The `imports` of each package.json. */
const packageImports = Object.fromEntries(folders.map(folder => [folder, readManifest(folder).imports]))

const getPackage = path => path.split('/').slice(0, 2).join('/')
const sum = numbers => numbers.reduce((total, number) => total + number, 0)

/** Imports of a file from packages of this repository: `import`, `import type`, `export … from`, and `import('…')` of values and of types. */
function getImports(path, source) {
  const { program, errors } = parseSync(path, source)
  if (errors.length > 0) throw new Error(`${path} could not be parsed: ${errors[0].message}`)
  const imports = []
  const visit = node => {
    const name = node.source?.value
    if (typeof name === 'string' && /^([.#]|@sallyport\/)/.test(name)) {
      imports.push({ name, line: source.slice(0, node.start).split('\n').length, kind: node.type })
    }
    for (const child of Object.values(node).flat()) if (typeof child?.type === 'string') visit(child)
  }
  visit(program)
  return imports
}

/** The sources of a file for Node and of its twin for browsers, if `name` is the import of both. */
const getTwins = (folder, name) =>
  packageImports[folder]?.[name] &&
  Object.values(packageImports[folder][name])
    .filter(path => typeof path === 'string')
    .map(path => join(folder, path.replace('./dist/', 'src/').replace(/js$/, 'ts')))

/** Adds an edge to a graph, which has for each node its neighbours and the first import that leads to each. */
function addEdge(graph, from, to, reason) {
  const edges = graph.get(from) ?? graph.set(from, new Map()).get(from)
  if (!edges.has(to)) edges.set(to, reason)
}

/** Graphs of all files and of all directories. Files of other packages are not followed. */
function buildGraphs(sources) {
  const files = new Map()
  const directories = new Map()
  for (const [path, source] of sources) {
    for (const { name, line } of path.endsWith('.css') ? [] : getImports(path, source)) {
      const target = join(dirname(path), name)
      const targets = getTwins(getPackage(path), name) ?? [target, target.replace(/\.js$/, '.ts')]
      for (const found of targets.filter(file => sources.has(file) && getPackage(file) === getPackage(path))) {
        const reason = `${path}:${line} imports "${name}"`
        addEdge(files, path, found, reason)
        if (dirname(path) !== dirname(found)) addEdge(directories, dirname(path), dirname(found), reason)
      }
    }
  }
  return { files, directories }
}

/** The nodes that can be reached from `start`, each with the node before it on a shortest path. */
function reach(graph, start) {
  const previous = new Map()
  const queue = [start]
  for (const node of queue) {
    for (const next of graph.get(node)?.keys() ?? []) {
      if (previous.has(next)) continue
      previous.set(next, node)
      queue.push(next)
    }
  }
  return previous
}

/** The shortest path from a node back to itself. */
function getCycle(previous, node) {
  const path = [previous.get(node), node]
  while (path[0] !== node) path.unshift(previous.get(path[0]))
  return path
}

/** The shortest cycle of each group of nodes that reach each other, and the number of nodes in that group. */
function findCycles(graph) {
  const reached = new Map([...graph.keys()].map(node => [node, reach(graph, node)]))
  const grouped = new Set()
  const cycles = []
  for (const [start, fromStart] of reached) {
    if (grouped.has(start) || !fromStart.has(start)) continue
    const others = [...fromStart.keys()].filter(node => node !== start && reached.get(node)?.has(start))
    const group = [start, ...others]
    for (const node of group) grouped.add(node)
    const [path] = group.map(node => getCycle(reached.get(node), node)).toSorted((a, b) => a.length - b.length)
    cycles.push({ path, size: group.length, closing: graph.get(path.at(-2)).get(path.at(-1)) })
  }
  return cycles
}

function countBy(items, toKey) {
  const counts = new Map()
  for (const item of items) counts.set(toKey(item), (counts.get(toKey(item)) ?? 0) + 1)
  return counts
}

/** Imports from one thread's directories to the other's. */
function* findForeignImports(files) {
  for (const [from, targets] of files) {
    const [, foreign] = IN_BOTH.test(from) ? [] : (BORDERS.find(([inside]) => inside.test(from)) ?? [])
    for (const [target, reason] of targets) {
      if (foreign?.test(target)) yield `${reason}, which runs in another thread: ${target}`
    }
  }
}

/** Imports of a room of core from one above it, and files that are in no room or too deep in one. */
function* findUpwardRooms(files, paths) {
  for (const path of paths) {
    const room = getRoom(path)
    if (room && !ROOMS.includes(room)) yield `${path} is in no room of core: add ${room} to ROOMS`
    if (room && path.split('/').length - 4 > MAX_DEPTH)
      yield `deep: ${path} (limit: ${MAX_DEPTH} directories below src)`
  }
  for (const [from, targets] of files) {
    const room = getRoom(from)
    for (const [target, reason] of room ? targets : []) {
      if (ROOMS.indexOf(getRoom(target)) > ROOMS.indexOf(room)) yield `${reason}, which is a room above: ${target}`
    }
  }
}

/** Imports of the bus from what stands on it. Core loads the inspector with `import(…)`, if it is installed. */
function* findUpwardImports(sources) {
  for (const [path, source] of sources) {
    if (!path.startsWith('packages/') || path.endsWith('.css')) continue
    for (const { name, line, kind } of getImports(path, source)) {
      const isUp = EXTENSIONS.some(extension => name === extension || name.startsWith(`${extension}/`))
      if (isUp && !LAZY.has(kind)) yield `${path}:${line} imports "${name}", which is an extension`
    }
  }
}

/** Faults of the structure, a text for each. `sources` has the text of each file by its path. */
function* findFaults(sources) {
  const graphs = buildGraphs(sources)
  yield* findForeignImports(graphs.files)
  yield* findUpwardRooms(graphs.files, sources.keys())
  yield* findUpwardImports(sources)
  for (const [kind, graph] of Object.entries(graphs)) {
    for (const { path, size, closing } of findCycles(graph)) {
      yield `cycle of ${kind}: ${path.join(' -> ')}\n  closed by ${closing}; ${size} ${kind} reach each other`
    }
  }
  for (const [directory, count] of countBy(sources.keys(), dirname)) {
    if (count > MAX_DIRECTORY_FILES) yield `crowded: ${directory} holds ${count} files (limit: ${MAX_DIRECTORY_FILES})`
  }
}

/** Number and lines of files, the median of their lines, and the largest directory. */
function summarize(sources) {
  const lengths = [...sources.values()].map(text => text.split('\n').length - 1).toSorted((a, b) => a - b)
  const [largest] = [...countBy(sources.keys(), dirname)].toSorted((a, b) => b[1] - a[1])
  const median = (lengths[(lengths.length - 1) >> 1] + lengths[lengths.length >> 1]) / 2
  return { files: lengths.length, lines: sum(lengths), median, 'largest directory': `${largest[0]} (${largest[1]})` }
}

const crowd = length => Array.from({ length }, (_, at) => `src/crowd/${at}.ts`).join('\n')
/** Small packages, a file and its import a line, with the fault that each has. */
const CASES = [
  ["src/a.ts import './b.js'\nsrc/b.ts import './c/c.js'\nsrc/c/c.ts", undefined],
  ["src/a.ts import './b.js'\nsrc/b.ts import './a.js'", 'cycle of files: src/a.ts -> src/b.ts -> src/a.ts'],
  ["src/a.ts import type { B } from './b.js'\nsrc/b.ts export type { A } from './a.js'", 'cycle of files: src/a.ts'],
  ["src/a.ts export * from './b.js'\nsrc/b.ts void import('./a.js')", 'cycle of files: src/a.ts'],
  ["src/a.ts import './b.js'\nsrc/b.ts type A = import('./a.js').A", 'closed by src/b.ts:1 imports "./a.js"'],
  ["src/a.ts import './b.js'\nsrc/b.ts import './c.js'\nsrc/c.ts import './b.js'", '2 files reach each other'],
  ["src/x/a.ts import '../y/a.js'\nsrc/y/a.ts\nsrc/y/b.ts import '../x/b.js'\nsrc/x/b.ts", 'src/x -> src/y -> src/x'],
  [
    "src/a.ts import './x/a.js'\nsrc/x/a.ts\nsrc/x/b.ts import '../b.js'\nsrc/b.ts",
    'cycle of directories: src -> src/x',
  ],
  [
    "src/host/a.ts import '../rpc/b.js'\nsrc/rpc/b.ts",
    'src/host/a.ts:1 imports "../rpc/b.js", which runs in another thread',
  ],
  ["src/events/a.ts import type { B } from '../host/x/b.js'\nsrc/host/x/b.ts", 'which runs in another thread'],
  [
    "src/host/local-core.ts import '../core-thread/b.js'\nsrc/core-thread/b.ts import '../acl/c.js'\nsrc/acl/c.ts",
    undefined,
  ],
  ["src/a.ts import type { A } from '@sallyport/web'", 'src/a.ts:1 imports "@sallyport/web", which is an extension'],
  ["src/a.ts void import('@sallyport/inspector/internal')", undefined],
  ["packages/core/src/host/a.ts import '../options/b.js'\npackages/core/src/options/b.ts", undefined],
  [
    "packages/core/src/life/x/a.ts import type { B } from '../../options/b.js'\npackages/core/src/options/b.ts",
    'packages/core/src/life/x/a.ts:1 imports "../../options/b.js", which is a room above',
  ],
  ['packages/core/src/life/x/y/a.ts', 'deep: packages/core/src/life/x/y/a.ts'],
  ['packages/core/src/rooms/a.ts', 'packages/core/src/rooms/a.ts is in no room'],
  [crowd(MAX_DIRECTORY_FILES), undefined],
  [crowd(MAX_DIRECTORY_FILES + 1), 'crowded: src/crowd'],
]

/** Faults of this script: cases that are judged otherwise than they should be. */
function* testCases() {
  for (const [text, expected] of CASES) {
    const files = text.split('\n').map(line => /(\S+) ?(.*)/.exec(line))
    const sources = new Map(
      files.map(([, path, source]) => [path.startsWith('packages/') ? path : `packages/a/${path}`, source]),
    )
    const faults = [...findFaults(sources)].map(fault => fault.replaceAll('packages/a/', ''))
    const isRight = expected ? faults.length === 1 && faults[0].includes(expected) : faults.length === 0
    if (!isRight) yield `expected "${expected ?? 'no fault'}", found "${faults.join('\n')}" in\n${text}`
  }
}

/** Faults of `paths` in tsconfig.json: without the source of an entry, its declarations would be those of an old build. */
function* findBuiltEntries() {
  const config = readFileSync(new URL('tsconfig.json', root), 'utf8').replaceAll(/^ *\/\/.*$/gm, '')
  const { paths } = JSON.parse(config).compilerOptions
  const patterns = Object.keys(paths).toSorted((a, b) => b.length - a.length)
  for (const folder of folders) {
    const { name, exports } = readManifest(folder)
    for (const [entry, { types }] of Object.entries(exports ?? {})) {
      if (types === undefined) continue
      const specifier = name + entry.slice(1)
      const pattern = patterns.find(
        key => key === specifier || (key.endsWith('*') && specifier.startsWith(key.slice(0, -1))),
      )
      const source = paths[pattern]?.[0].replace('*', specifier.slice(pattern.length - 1))
      const expected = types.replace(/^\.\/dist\/(.*)\.d\.ts$/, `./${folder}/src/$1.ts`)
      if (source !== expected) yield `tsconfig.json: paths has to lead "${specifier}" to ${expected}`
    }
  }
}

/** Files whose mutants are drawn: one that moves would leave its group. */
function* findMoved() {
  for (const file of DECIDING.keys()) if (!sources.has(file)) yield `scripts/mutants/groups.mjs: ${file} does not exist`
}

/** Paths of all files below a directory, relative to the root, without those that are installed or built. */
function* listFiles(directory) {
  for (const entry of readdirSync(new URL(directory, root), { withFileTypes: true })) {
    const path = `${directory}${entry.name}`
    if (!entry.isDirectory()) yield path
    else if (!/^(node_modules|dist)$/.test(entry.name)) yield* listFiles(`${path}/`)
  }
}

const files = ['packages/', 'extensions/']
  .flatMap(top => [...listFiles(top)])
  .filter(path => SOURCE.test(path) && !TEST.test(path))
const sources = new Map(files.map(path => [path, readFileSync(new URL(path, root), 'utf8')]))

const summaries = { all: summarize(sources) }
for (const name of new Set(files.map(getPackage))) {
  summaries[name] = summarize(new Map([...sources].filter(([path]) => getPackage(path) === name)))
}
console.table(summaries)

const faults = [...testCases(), ...findFaults(sources), ...findBuiltEntries(), ...findMoved()]
for (const fault of faults) console.error(fault)
console.log(faults.length > 0 ? `${faults.length} faults` : 'no cycles, no crowded directories')
process.exitCode = faults.length > 0 ? 1 : 0
