// node scripts/count-tests.mjs <script …>: runs these scripts of all packages with turbo, for instance `test test:long`, with the options
// that follow. Prints the ten slowest files, the failed tests, what is not installed, and the number of passed, failed and skipped
// tests. The exit code is 0 only if no test failed.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { delimiter } from 'node:path'

const root = new URL('../', import.meta.url)
const readJson = url => JSON.parse(readFileSync(url, 'utf8'))

const args = process.argv.slice(2)
const scripts = args.filter(arg => !arg.startsWith('-'))
const options = args.filter(arg => arg.startsWith('-'))

const directories = ['packages', 'examples']
  .flatMap(directory => readdirSync(new URL(directory, root)).map(name => `${directory}/${name}`))
  .concat('site')
  .filter(directory => existsSync(new URL(`${directory}/package.json`, root)))
const runs = directories.flatMap(directory => {
  const own = readJson(new URL(`${directory}/package.json`, root)).scripts ?? {}
  const reportOf = script => new URL(`${directory}/test-report.${script.replaceAll(/\W/g, '-')}.json`, root)
  return scripts.filter(script => own[script]).map(script => ({ directory, script, report: reportOf(script) }))
})

for (const { report } of runs) rmSync(report, { force: true })
const command = ['run', ...scripts, '--continue=dependencies-successful', ...options]
const run = spawnSync('turbo', command, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' })
if (run.error) console.error(run.error.message)
const status = run.status ?? 1

const failures = []
const files = []
let passed = 0
let failed = 0
let skipped = 0
for (const { directory, script, report } of runs) {
  if (!existsSync(report)) {
    failures.push(`${directory}: the script ${script} wrote no report`)
    failed += 1
    continue
  }
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = readJson(report)
  passed += numPassedTests
  failed += numFailedTests
  skipped += numPendingTests + numTodoTests
  for (const { name, status, message, assertionResults, startTime, endTime } of testResults) {
    const file = `${directory}/${name.split(`${directory}/`).at(-1)}`
    const describe = (test, error) => `${file} > ${test}\n  ${error.split('\n').slice(0, 20).join('\n  ')}`
    files.push({ file, seconds: (endTime - startTime) / 1000 })
    const failedTests = assertionResults.filter(test => test.status === 'failed')
    for (const { fullName, failureMessages } of failedTests) {
      failures.push(describe(fullName, failureMessages.join('\n')))
    }
    // A file that could not be loaded has no failed test in it and counts as one.
    if (status !== 'failed' || failedTests.length > 0) continue
    failures.push(describe('the whole file', message))
    failed += 1
  }
}

console.log('\nSlowest files:')
const slowest = files.toSorted((a, b) => b.seconds - a.seconds).slice(0, 10)
for (const { file, seconds } of slowest) console.log(`${seconds.toFixed(1).padStart(7)} s  ${file}`)
for (const failure of failures) console.log(`failed: ${failure}`)

// Tests that need one of these programs are skipped without it.
const paths = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
const programs = { chromium: 'chromium', 'nats-server': 'nats-server', bwrap: 'bubblewrap' }
const missing = Object.keys(programs)
  .filter(name => !paths.some(path => existsSync(`${path}/${name}`)))
  .map(name => programs[name])
if (skipped > 0 && missing.length > 0) {
  console.log(`Tests were skipped for lack of ${missing.join(' and ')}. Install: apt-get install ${missing.join(' ')}`)
}

// A run can fail outside every test, for instance by an unhandled rejection.
if (status) failed ||= 1
process.exitCode = status || (failed || !passed ? 1 : 0)
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`)
