// npm run test:matrix: what takes too long for each commit. It runs every night, and before a release.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readOptions } from './read-options.mjs'

const cwd = fileURLToPath(new URL('../', import.meta.url))
const WORDS = ['ways', 'nodes', 'browsers', 'nats', 'soak', 'fuzz', 'mutants', 'packages', 'attempts', 'sites']
/** What is asked for by name alone: a change that is wanted fails `before`, too. */
const ON_DEMAND = ['before']
const usage = `Usage: npm run test:matrix [-- --only word,…]

  --only W,…  runs these parts (default: ${WORDS.join()}; also: ${ON_DEMAND.join()})`

/** Whose script `test:matrix` a word runs. Those that no word names belong to `ways`: none can be forgotten. */
const directories = {
  browsers: ['extensions/inspector', 'extensions/web', 'examples/tauri-notes'],
  nats: ['extensions/nats', 'examples/scale-out'],
  packages: ['tests/bundled', 'tests/npm-packages', 'tests/packed', 'tests/vendor-sdks'],
  sites: ['site'],
}
const hasMatrix = directory => {
  const file = `${cwd}${directory}/package.json`
  return existsSync(file) && 'test:matrix' in JSON.parse(readFileSync(file, 'utf8')).scripts
}
directories.ways = ['packages', 'extensions', 'examples', 'tests']
  .flatMap(parent => readdirSync(cwd + parent).map(name => `${parent}/${name}`))
  .filter(directory => hasMatrix(directory) && !Object.values(directories).flat().includes(directory))

const commands = {
  nodes: ['node scripts/nodes.mjs 22 24 26'],
  soak: ['npm run soak', 'node scripts/stress.mjs'],
  fuzz: [
    'npm run fuzz -- --seconds 300',
    'npm run fuzz -- --node --seconds 240',
    'npm run simulate',
    'npm run simulate -- --host',
    'npm run simulate -- --holds --seeds 2000',
    'npm run mutate',
  ],
  mutants: ['npm run mutate -- --random 200'],
  packages: ['node scripts/layouts.mjs'],
  attempts: ['npm run attempts -- --print'],
  before: ['node scripts/before.mjs'],
}

const { only } = readOptions(usage, { only: { type: 'string', default: WORDS.join() } })
const all = [...WORDS, ...ON_DEMAND]
const unknown = only.split(',').filter(word => !all.includes(word))
if (unknown.length > 0) throw new Error(`unknown word ${unknown.join(', ')}; there are ${all.join(', ')}`)

const failed = []
function run(word, command, env) {
  console.log(`\n${word}: ${command}`)
  const { status } = spawnSync(command, { cwd, env: { ...process.env, ...env }, stdio: 'inherit', shell: true })
  if (status !== 0) failed.push(`${word}: ${command}`)
}
for (const word of only.split(',')) {
  const filters = directories[word]?.map(directory => `--filter=./${directory}`).join(' ')
  if (filters) run(word, `node scripts/count-tests.mjs test:matrix ${filters}`, { SALLYPORT_TEST_WAYS: 'all' })
  for (const command of commands[word] ?? []) run(word, command)
}
for (const command of failed) console.log(`failed: ${command}`)
if (failed.length === 0) console.log(`passed: ${only}`)
process.exitCode = failed.length > 0 ? 1 : 0
