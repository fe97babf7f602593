// node scripts/count-tests.mjs [command …]: runs the command, then adds up the test reports that the command wrote.
// The last lines name the failed tests and count the passed, failed and skipped ones. The exit code is 0 only if no test failed.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs'

const root = new URL('../', import.meta.url)
const readJson = url => JSON.parse(readFileSync(url, 'utf8'))

const tested = ['packages', 'examples']
  .flatMap(directory => readdirSync(new URL(directory, root)).map(name => `${directory}/${name}`))
  .concat('site')
  .filter(directory => existsSync(new URL(`${directory}/package.json`, root)))
  .filter(directory => readJson(new URL(`${directory}/package.json`, root)).scripts?.test)
const report = directory => new URL(`${directory}/test-report.json`, root)

let status = 0
const [command, ...args] = process.argv.slice(2)
if (command) {
  for (const directory of tested) rmSync(report(directory), { force: true })
  const run = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' })
  if (run.error) console.error(run.error.message)
  status = run.status ?? 1
}

const printFailure = (directory, file, name, error) =>
  console.log(`failed: ${directory}/${file} > ${name}\n  ${error.split('\n').slice(0, 20).join('\n  ')}`)

let passed = 0
let failed = 0
let skipped = 0
for (const directory of tested) {
  if (!existsSync(report(directory))) {
    console.log(`${directory}: the tests wrote no report`)
    failed += 1
    continue
  }
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = readJson(report(directory))
  passed += numPassedTests
  failed += numFailedTests
  skipped += numPendingTests + numTodoTests
  for (const { name, status, message, assertionResults } of testResults) {
    const file = name.split(`${directory}/`).at(-1)
    const failures = assertionResults.filter(test => test.status === 'failed')
    for (const { fullName, failureMessages } of failures)
      printFailure(directory, file, fullName, failureMessages.join('\n'))
    // A file that could not be loaded has no failed test in it and counts as one.
    if (status !== 'failed' || failures.length > 0) continue
    printFailure(directory, file, 'the whole file', message)
    failed += 1
  }
}

// A run can fail outside every test, for instance by an unhandled rejection.
if (status) failed ||= 1
process.exitCode = status || (failed || !passed ? 1 : 0)
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`)
