// node scripts/count-tests.mjs [command …]: runs the command, then adds up the test reports that it left behind.
// The last lines name the tests that failed or passed only when run again, and then say how many passed, failed and
// were skipped; the exit code is 0 only if all is well.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs'

const root = new URL('../', import.meta.url)
const readJson = url => JSON.parse(readFileSync(url, 'utf8'))

const tested = ['packages', 'examples']
  .flatMap(folder => readdirSync(new URL(folder, root)).map(name => `${folder}/${name}`))
  .concat('site')
  .filter(folder => existsSync(new URL(`${folder}/package.json`, root)))
  .filter(folder => readJson(new URL(`${folder}/package.json`, root)).scripts?.test)
const report = folder => new URL(`${folder}/test-report.json`, root)
const names = folder => new URL(`${folder}/test-names.json`, root)

let status = 0
const [command, ...args] = process.argv.slice(2)
if (command) {
  for (const folder of tested) for (const left of [report, names]) rmSync(left(folder), { force: true })
  const run = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' })
  if (run.error) console.error(run.error.message)
  status = run.status ?? 1
}

const say = (what, folder, { file, name, error }) =>
  console.log(`${what}: ${folder}/${file} > ${name}\n  ${error.split('\n').slice(0, 20).join('\n  ')}`)

let passed = 0
let failed = 0
let again = 0
let skipped = 0
for (const folder of tested) {
  if (!existsSync(report(folder)) || !existsSync(names(folder))) {
    console.log(`${folder}: its tests left no report`)
    failed += 1
    continue
  }
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = readJson(report(folder))
  // A file that could not even be loaded has no failed test in it: the file counts as one.
  const broken = testResults.filter(
    file => file.status === 'failed' && !file.assertionResults.some(test => test.status === 'failed'),
  )
  passed += numPassedTests
  failed += numFailedTests + broken.length
  skipped += numPendingTests + numTodoTests
  const named = readJson(names(folder))
  for (const test of named.failed) say('failed', folder, test)
  for (const test of named.again) say('passed only when run again', folder, test)
  for (const { name, message } of broken)
    say('failed', folder, { file: name.split(`${folder}/`).at(-1), name: 'the file', error: message })
  again += named.again.length
}

// A run can fail outside every test, by an unhandled rejection for one: it must not read as a good one.
if (status) failed ||= 1
process.exitCode = status || (failed || !passed ? 1 : 0)
if (again) console.log(`${again} of those that passed did so only when run again: a race, in the test or in the code`)
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`)
