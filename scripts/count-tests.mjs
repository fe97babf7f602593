// node scripts/count-tests.mjs <script …>: runs these scripts of all packages with turbo, for instance `test test:long`, with the options
// that follow; `--filter=./<directory>` selects packages. Prints the ten slowest files, the failed and the unstable tests, what is not installed, and the number of passed, failed
// and skipped tests. A directory with more tests than test-budgets.json allows counts as a failure; `--write-budgets` records what there is. The exit code is 0
// only if nothing failed.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'
import { judge } from './judge-failures.mjs'
import { getBudgetOf, listExcesses, writeBudgets } from './test-budgets.mjs'

const root = new URL('../', import.meta.url)
const readJson = url => JSON.parse(readFileSync(url, 'utf8'))

const args = process.argv.slice(2)
const scripts = args.filter(arg => !arg.startsWith('-'))
const options = args.filter(arg => arg.startsWith('-') && arg !== '--write-budgets')
const filters = options.filter(option => option.startsWith('--filter='))

const directories = ['packages', 'extensions', 'examples', 'tests']
  .flatMap(directory => readdirSync(new URL(directory, root)).map(name => `${directory}/${name}`))
  .concat('site')
  .filter(directory => existsSync(new URL(`${directory}/package.json`, root)))
  .filter(directory => filters.length === 0 || filters.includes(`--filter=./${directory}`))
const runs = directories.flatMap(directory => {
  const own = readJson(new URL(`${directory}/package.json`, root)).scripts ?? {}
  const reportOf = script => new URL(`${directory}/test-report.${script.replaceAll(/\W/g, '-')}.json`, root)
  return scripts
    .filter(script => own[script])
    .map(script => ({ directory, script, command: own[script], report: reportOf(script) }))
})
/** What failed outside of every test: vitest.config.ts writes it. */
const outsideOf = report => new URL(report.href.replace(/json$/, 'errors.json'))

rmSync(new URL('unstable.json', root), { force: true })
for (const { report } of runs) for (const each of [report, outsideOf(report)]) rmSync(each, { force: true })
const command = ['run', ...scripts, '--continue=dependencies-successful', ...options]
// Found also without `npm run`.
const PATH = [fileURLToPath(new URL('node_modules/.bin', root)), process.env.PATH].join(delimiter)
const run = spawnSync('turbo', command, {
  cwd: root,
  env: { ...process.env, PATH },
  stdio: 'inherit',
  shell: process.platform === 'win32',
})
if (run.error) console.error(run.error.message)
const status = run.status ?? 1

const failures = []
const failedFiles = []
const files = []
/** Tests of each directory, in the script that has most of them: simulations run in two. */
const counts = {}
let passed = 0
let failed = 0
let skipped = 0
for (const { directory, script, command, report } of runs) {
  if (!existsSync(report)) {
    failures.push(`${directory}: the script ${script} wrote no report`)
    failed += 1
    continue
  }
  if (existsSync(outsideOf(report))) {
    failures.push(
      ...readJson(outsideOf(report)).map(error => `${directory}: ${script}, outside of every test\n  ${error}`),
    )
    failed += 1
  }
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = readJson(report)
  passed += numPassedTests
  failed += numFailedTests
  skipped += numPendingTests + numTodoTests
  const own = {}
  for (const { name, status, message, assertionResults, startTime, endTime } of testResults) {
    const file = `${directory}/${name.split(`${directory}/`).at(-1)}`
    own[getBudgetOf(file)] = (own[getBudgetOf(file)] ?? 0) + assertionResults.length
    files.push({ file, seconds: (endTime - startTime) / 1000 })
    const failedTests = assertionResults.filter(test => test.status === 'failed')
    // A file that could not be loaded has no failed test in it and counts as one.
    if (status === 'failed' && failedTests.length === 0) failed += 1
    else if (failedTests.length === 0) continue
    const errors = failedTests.map(({ failureMessages }) => failureMessages.join('\n'))
    failedFiles.push({ directory, command, file, tests: failedTests.map(test => test.fullName), errors, message })
  }
  for (const [each, tests] of Object.entries(own)) counts[each] = Math.max(counts[each] ?? 0, tests)
}

const shorten = error => `\n  ${error.split('\n').slice(0, 20).join('\n  ')}`
// What failed outside of the tests counts for all of them.
const verdicts = failures.length > 0 ? failedFiles.map(each => ({ ...each, verdict: 'failed' })) : judge(failedFiles)
for (const { file, tests, errors, message, verdict, why } of verdicts) {
  if (verdict === 'unstable') continue
  const told = why ? `\n  Not run again, or in vain: ${why}.` : ''
  if (tests.length === 0) failures.push(`${file} > the whole file${shorten(message)}${told}`)
  failures.push(...tests.map((test, index) => `${file} > ${test}${shorten(errors[index])}${told}`))
}
const unstable = verdicts.filter(({ verdict }) => verdict === 'unstable')
for (const { tests } of unstable) {
  failed -= tests.length
  passed += tests.length
}

if (args.includes('--write-budgets')) writeBudgets(counts)
if (!scripts.includes('test:matrix')) {
  const excesses = listExcesses(counts)
  failures.push(...excesses)
  failed += excesses.length
}

console.log('\nSlowest files:')
const slowest = files.toSorted((a, b) => b.seconds - a.seconds).slice(0, 10)
for (const { file, seconds } of slowest) console.log(`${seconds.toFixed(1).padStart(7)} s  ${file}`)
for (const failure of failures) console.log(`failed: ${failure}`)
for (const { file, tests, errors, why, entries } of unstable) {
  tests.forEach((test, index) => console.log(`unstable: ${file} > ${test}${shorten(errors[index])}`))
  console.log(
    `  ${why}. Load: ${loadavg()
      .map(load => load.toFixed(1))
      .join(' ')}`,
  )
  for (const entry of entries) console.log(`  Add to .ci/unstable.json: ${JSON.stringify(entry)}`)
}
if (unstable.length > 0) writeFileSync(new URL('unstable.json', root), JSON.stringify(unstable, null, 1))

// Tests that need one of these programs are skipped without it.
const paths = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
const programs = { chromium: 'chromium', 'nats-server': 'nats-server', bwrap: 'bubblewrap' }
const missing = Object.keys(programs)
  .filter(name => !paths.some(path => existsSync(`${path}/${name}`)))
  .map(name => programs[name])
if (skipped > 0 && missing.length > 0) {
  console.log(`Tests were skipped for lack of ${missing.join(' and ')}. Install: apt-get install ${missing.join(' ')}`)
}

// Turbo fails for the unstable, too.
if (status && unstable.length === 0) failed ||= 1
process.exitCode = failed || !passed ? 1 : 0
if (unstable.length > 0) console.log(`${unstable.length} unstable: see above`)
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`)
