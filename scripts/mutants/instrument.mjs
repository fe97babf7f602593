// A copy of the repository whose deciding files have all their mutants at once, each behind a switch. StrykerJS makes them; its runner is not used, because
// the tests load bundles in threads, VMs and processes without an environment. So a mutant is chosen by what the copy's files say.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Instrumenter } from '@stryker-mutator/instrumenter'
import { transformSync } from 'rolldown/experimental'
import { DECIDING } from './groups.mjs'

/** Changes of texts alone are not judged: errors are tested by their reasons. */
const EXCLUDED = ['StringLiteral']
const NONE = '000000'
const SWITCH = /MUTANT-\d{6}/g
const toKey = id => String(id + 1).padStart(6, '0')

/** What StrykerJS calls, without an environment. Threads count what they run in the memory that scripts/mutants/count-hits.mjs shares. */
const HEADER = `// @ts-nocheck
const mutants: any = {
  active: 'MUTANT-${NONE}',
  hits: getHits(),
}
// In a sandbox, the module cannot be had, or refuses.
function getHits(): any {
  try {
    return (globalThis as any).process.getBuiltinModule('node:worker_threads').getEnvironmentData('mutants')
  } catch {}
}
const stryMutAct_9fa48 = (id: any): boolean => 'MUTANT-' + id === mutants.active
const stryCov_9fa48 = (...ids: any[]): any => {
  if (mutants.hits) for (const id of ids) mutants.hits[Number(id)] = 1
}
`

const log = new Proxy({}, { get: (_, name) => (name === 'isDebugEnabled' ? () => false : () => {}) })

/** Splits what was printed into its header, by StrykerJS, and the rest. */
const withoutHeader = code => {
  const end = code.lastIndexOf('stryMutAct_9fa48 = isActive;')
  return end < 0 ? code : code.slice(code.indexOf('}', end) + 1)
}

/** Returns the mutants of one file: `{ id, file, group, line, column, name, from, to, ignored }`, and its text with all of them. */
async function mutate(file, text, first) {
  const instrumenter = new Instrumenter(log)
  const options = { plugins: null, excludedMutations: EXCLUDED, ignorers: [] }
  const { files, mutants } = await instrumenter.instrument([{ name: file, content: text, mutate: true }], options)
  const lines = text.split('\n')
  const offsets = [0]
  for (const line of lines) offsets.push(offsets.at(-1) + line.length + 1)
  const found = mutants.map(({ id, location: { start, end }, mutatorName, replacement, status, statusReason }) => ({
    id: first + Number(id),
    file,
    group: DECIDING.get(file),
    line: start.line + 1,
    column: start.column + 1,
    name: mutatorName,
    from: text.slice(offsets[start.line] + start.column, offsets[end.line] + end.column),
    to: replacement,
    // By a comment at its line, or because its kind is not judged.
    ignored: status === 'Ignored' ? (EXCLUDED.includes(mutatorName) ? 'kind' : statusReason) : undefined,
  }))
  const code = withoutHeader(files[0].content).replaceAll(/stry(MutAct|Cov)_9fa48\(([^)]*)\)/g, (_, call, ids) => {
    const keys = ids.replaceAll(/"(\d+)"/g, (_, id) => `"${toKey(first + Number(id))}"`)
    return `stry${call}_9fa48(${keys})`
  })
  return { found, code: HEADER + code }
}

const run = (cwd, command, ...args) =>
  execFileSync(command, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 28 }).toString()

/** Makes the copy in `folder`. Returns its mutants. */
export async function instrument(root, folder) {
  rmSync(folder, { recursive: true, force: true })
  for (const file of run(root, 'git', 'ls-files', '-co', '--exclude-standard').split('\n')) {
    if (!file) continue
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    cpSync(join(root, file), join(folder, file), { verbatimSymlinks: true })
  }
  const settings = join(folder, 'vitest.config.ts')
  const setup = "resolve('scripts/each-test-file.mjs')"
  const changed = readFileSync(settings, 'utf8')
    .replace(setup, `[${setup}, resolve('scripts/mutants/count-hits.mjs')]`)
    // What a mutant keeps from coming does not come.
    .replace(/(poll: { timeout): [\d_]+/, '$1: 15_000')
    .replaceAll(/((?:test|hook)Timeout): [\d_]+/g, '$1: 40_000')
  writeFileSync(settings, changed)
  // Some tests ask git about the tree.
  run(folder, 'git', 'init', '-q')
  run(folder, 'npm', 'run', 'build')
  const mutants = []
  for (const file of DECIDING.keys()) {
    const { found, code } = await mutate(file, readFileSync(join(folder, file), 'utf8'), mutants.length)
    mutants.push(...found)
    writeFileSync(join(folder, file), code)
    const built = join(folder, file.replace('/src/', '/dist/').replace(/ts$/, 'js'))
    const compiled = transformSync(file, code, { target: 'es2023', typescript: { onlyRemoveTypeImports: true } })
    if (compiled.errors.length > 0) throw new Error(`${file}: ${compiled.errors[0].message}`)
    writeFileSync(built, compiled.code)
    rmSync(`${built}.map`, { force: true })
  }
  // A package takes in others.
  for (const path of listPackages(folder)) {
    const { scripts } = JSON.parse(readFileSync(join(folder, path, 'package.json'), 'utf8'))
    if (scripts.build?.includes('bundle.mjs')) run(join(folder, path), 'node', '../../scripts/bundle.mjs')
  }
  writeFileSync(join(folder, 'mutants.json'), JSON.stringify({ mutants, switches: listSwitches(folder) }))
  return mutants
}

/** The directories of the packages that have code. */
export const listPackages = folder =>
  ['packages', 'extensions']
    .flatMap(top => readdirSync(join(folder, top)).map(name => join(top, name)))
    .filter(path => existsSync(join(folder, path, 'src')))

/** The files of the copy that have a switch. */
const listSwitches = folder =>
  listPackages(folder)
    .flatMap(path => ['src', 'dist'].map(part => join(path, part)))
    .flatMap(path => readdirSync(join(folder, path), { recursive: true }).map(file => join(path, file)))
    .filter(path => /\.(?:[cm]?js|ts)$/.test(path) && readFileSync(join(folder, path), 'utf8').includes('MUTANT-'))

/** Makes one mutant of the copy the active one; `undefined`: none. */
export function choose(folder, switches, id) {
  const key = id === undefined ? NONE : toKey(id)
  for (const path of switches) {
    const text = readFileSync(join(folder, path), 'utf8')
    writeFileSync(join(folder, path), text.replaceAll(SWITCH, `MUTANT-${key}`))
  }
}
