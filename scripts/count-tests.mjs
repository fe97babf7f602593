// node scripts/count-tests.mjs <script …>: runs these scripts of all packages with turbo, for instance `test test:long`, with the options
// that follow; `--filter=./<directory>` selects packages. Files that fail run again alone. Then it prints the ten slowest files, the failed and the unstable tests, what is not
// installed, and the number of passed, failed and skipped tests. A directory with more tests than test-budgets.json allows counts as a failure;
// `--write-budgets` records what there is. The exit code is 0 only if nothing failed.
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'
import { judge } from './judge-failures.mjs'
import { getTime, Report, runAll, toCommand, wasStopped } from './run-tests.mjs'
import { getBudgetOf, listExcesses, writeBudgets } from './test-budgets.mjs'

/** Of an error, in the summary. */
const MAX_LINES = 20

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
  const { name, scripts: own = {} } = readJson(new URL(`${directory}/package.json`, root))
  return scripts
    .filter(script => own[script])
    .map(script => {
      const word = script.replaceAll(/\W/g, '-')
      const path = fileURLToPath(new URL(`${directory}/test-report.${word}.jsonl`, root))
      rmSync(path, { force: true })
      const log = `${directory}/.turbo/turbo-${word.replace('-', '$colon$')}.log`
      return { directory, task: `${name}#${script}`, log, report: new Report(path) }
    })
})
rmSync(new URL('unstable.json', root), { force: true })
const { status, output } = await runAll(runs, [...scripts, '--continue=dependencies-successful', ...options])

const shorten = error =>
  error
    .trimEnd()
    .replaceAll(/\n\s*(?=\n)/g, '')
    .split('\n')
    .slice(0, MAX_LINES)
    .map(line => `\n  ${line}`)
    .join('')
const sum = (items, get) => items.reduce((total, each) => total + get(each), 0)
const files = runs.flatMap(({ directory, report }) =>
  report.files.map(each => ({ ...each, directory, file: `${directory}/${each.file}` })),
)

/** What no test says. */
const others = []
const missing = wasStopped() ? [] : runs.filter(({ report }) => !report.isOver)
const failedBuilds = output.failed.filter(task => task.endsWith('#build'))
for (const task of failedBuilds) others.push(`${task}${shorten(output.getEnd(task))}`)
if (failedBuilds.length > 0)
  others.push(`what needs it did not run:${missing.map(({ task }) => `\n  ${task}`).join('')}`)
else if (missing.length > 0 && missing.every(({ task }) => !output.getEnd(task)))
  others.push(`turbo${shorten(output.errors.join('\n'))}`)
else for (const { task } of missing) others.push(`no report of ${task}${shorten(output.getEnd(task))}`)
const outside = runs.filter(({ report }) => report.outside.length > 0)
for (const { task, report } of outside) {
  others.push(...report.outside.map(error => `${task}, outside of every test${shorten(error)}`))
  // Its process can have ended.
  others.push(...report.running.map(file => `${task}: ${file} never ended`))
}

/** Tests of each directory, in the script that has most of them: simulations run in two. */
const counts = {}
for (const { directory, report } of runs) {
  const own = {}
  for (const { file, passed, failed, skipped } of report.files) {
    const budget = getBudgetOf(`${directory}/${file}`)
    own[budget] = (own[budget] ?? 0) + passed + failed + skipped
  }
  for (const [each, tests] of Object.entries(own)) counts[each] = Math.max(counts[each] ?? 0, tests)
}
if (args.includes('--write-budgets')) writeBudgets(counts)
const excesses = scripts.includes('test:matrix') ? [] : listExcesses(counts)
others.push(...excesses)

const failedFiles = files.filter(({ failures }) => failures.length > 0)
const verdicts = await judge(failedFiles)
const unstable = verdicts.filter(({ verdict }) => verdict === 'unstable')
const wrong = verdicts.filter(({ verdict }) => verdict === 'failed')
const skipped = sum(files, each => each.skipped)
const passed = sum(files, each => each.passed) + sum(unstable, each => each.failed)
let failed = sum(wrong, ({ failures }) => failures.length) + missing.length + outside.length + excesses.length
// Turbo fails for the unstable, too: each of its tasks that failed must have another reason than that.
const explained = new Set([
  ...[...missing, ...outside].map(({ task }) => task),
  ...runs.filter(({ report }) => report.files.some(({ failures }) => failures.length > 0)).map(({ task }) => task),
  ...failedBuilds,
])
const unexplained = wasStopped() ? [] : output.failed.filter(task => !explained.has(task))
for (const task of unexplained) others.push(`${task}${shorten(output.getEnd(task))}`)
failed += unexplained.length
if (status && !failed && output.failed.length === 0 && !wasStopped()) {
  failed = 1
  others.push(`turbo${shorten(output.errors.join('\n'))}`)
}

console.log(files.length > 0 ? '\nSlowest files:' : '')
const slowest = files.toSorted((a, b) => b.ms - a.ms).slice(0, 10)
for (const { file, ms } of slowest) console.log(`${(ms / 1000).toFixed(1).padStart(7)} s  ${file}`)

// Tests that need one of these programs are skipped without it.
const paths = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
const programs = { chromium: 'chromium', 'nats-server': 'nats-server', bwrap: 'bubblewrap' }
const absent = Object.keys(programs)
  .filter(name => !paths.some(path => existsSync(`${path}/${name}`)))
  .map(name => programs[name])
if (skipped > 0 && absent.length > 0) {
  console.log(`Tests were skipped for lack of ${absent.join(' and ')}. Install:\n  apt-get install ${absent.join(' ')}`)
}

if (
  !existsSync(new URL('../shared/corpora', root)) &&
  files.some(({ file }) => /^packages\/(?:core|protocol)/.test(file))
)
  console.log('Tests were skipped for lack of conformance data in ../shared/corpora')

const print = (word, { file, failures, why, ...each }) => {
  for (const { test, errors } of failures) console.log(`${word}: ${file} > ${test}${shorten(errors.join('\n'))}`)
  console.log(`  ${why}.\n  ${toCommand({ file, ...each })}`)
}
for (const each of unstable) {
  print('unstable', each)
  for (const entry of each.entries) console.log(`  Add to .ci/unstable.json: ${JSON.stringify(entry)}`)
}
if (unstable.length > 0) writeFileSync(new URL('unstable.json', root), JSON.stringify(unstable, null, 1))
for (const each of wrong) print('failed', each)
for (const each of others) console.log(`failed: ${each}`)

const redTasks = runs.filter(
  ({ report }) => !report.isOver || report.outside.length > 0 || report.files.some(each => each.failures.length > 0),
)
for (const { task, log } of redTasks) if (output.getEnd(task)) console.log(`All that it printed: ${log}`)
const packages = new Set(runs.map(({ directory }) => directory)).size
const tests = passed + skipped + sum(wrong, each => each.failed)
console.log(`Packages: ${packages}, files: ${files.length}, tests: ${tests}, minutes: ${getTime()}`)
if (verdicts.length > 0)
  console.log(
    `Load: ${loadavg()
      .map(load => load.toFixed(1))
      .join(' ')}`,
  )
if (wasStopped()) console.log('The run was stopped before its end')
if (unstable.length > 0) console.log(`${unstable.length} unstable: see above`)
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`)
process.exitCode = wasStopped() ? 130 : failed || !passed ? 1 : 0
