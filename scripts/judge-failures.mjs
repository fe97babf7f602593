// What becomes of a test that failed. Its file runs again alone, twice: if it fails again, it has failed. If it passes twice, it is unstable: named, recorded in
// unstable.json, and not red. Nothing is forgiven where chance has no part, or where a failure says more than one test. CONTRIBUTING.md has the policy.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MAX_FILES = 2
/** Files out of time: a busy machine makes more of them. They run again, because a rare hang looks the same. */
const MAX_LATE_FILES = 10
const MAX_ENTRIES = 5
const RUNS_ALONE = 2
const DAYS_TO_FIX = 14

const root = fileURLToPath(new URL('../', import.meta.url))

/** The tests' clock, order and random numbers are their own: a failure is one of the code. */
const isDeterministic = (file, text) =>
  /\/src\/|\/(?:simulation|fuzz|generated)\/|\.test-d\.ts$/.test(file) || /\/stage\.js'/.test(text)

/** Each of its tests ended by the runner's time limit, and not by what it expects. */
const isLate = ({ errors }) =>
  errors.length > 0 &&
  errors.every(error => /^(?:Error: )?(?:Test|Hook) timed out in/.test(error) && !error.includes('AssertionError'))

/** The files that commits of the last day changed, and those that are not committed. */
function listChanged() {
  const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout?.split('\n') ?? []
  const committed = git('log', '--since=1 day ago', '-M', '--diff-filter=AMR', '--name-only', '--format=')
  return new Set([...committed, ...git('status', '--porcelain', '-uall').map(line => line.slice(3))])
}

/** The paths of what a test imports from beside it. */
const listImports = (file, text) =>
  [...text.matchAll(/from '(\.[^']+)'/g)].map(([, path]) => join(dirname(file), path).replace(/\.js$/, '.ts'))

function runAlone({ directory, command, file }) {
  const words = command.split(' ').filter(word => !word.startsWith('test/'))
  const alone = [...words, '--maxWorkers=1', `"${join(root, file)}"`].join(' ')
  const PATH = `${join(root, 'node_modules/.bin')}:${process.env.PATH}`
  const env = { ...process.env, PATH, npm_lifecycle_event: 'alone' }
  return spawnSync(alone, { cwd: join(root, directory), env, shell: true, stdio: 'ignore' }).status === 0
}

const addDays = (date, days) => new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10)

/**
 * @param failed - `{ directory, command, file, tests, errors }` for each file and script that failed; `file` is a path in the repository
 * @param deps - what the proof of this script replaces
 * @returns the failed, each with `verdict` and `why`, and with the `entries` for the ledger if it is unstable
 */
export function judge(failed, deps = {}) {
  const {
    read = file => readFileSync(join(root, file), 'utf8'),
    changed = listChanged(),
    ledger = readLedger(),
    passes = runAlone,
    today = new Date().toISOString().slice(0, 10),
    isRelease = process.env.GITHUB_REF_TYPE === 'tag',
  } = deps
  const [late, wrong] = [failed.filter(isLate), failed.filter(each => !isLate(each))].map(
    each => new Set(each.map(({ file }) => file)).size,
  )
  const isKnown = ({ file, tests }) => ledger.some(entry => entry.file === file && tests.includes(entry.test))
  const refuse = each => {
    const { file, tests } = each
    const text = read(file)
    if (isRelease) return 'nothing is forgiven in a release'
    if (wrong > MAX_FILES) return `${wrong} files failed: that is no accident`
    if (late > MAX_LATE_FILES) return `${late} files were out of time: something hangs`
    if (tests.length === 0) return 'the file could not run'
    if (!isLate(each)) {
      if (isDeterministic(file, text)) return 'nothing in it is left to chance'
      if ([file, ...listImports(file, text)].some(each => changed.has(each))) return 'a commit of today changed it'
    }
    if (ledger.length >= MAX_ENTRIES && !isKnown({ file, tests }))
      return `.ci/unstable.json has ${ledger.length} entries: the suite is the work now`
    const expired = ledger.find(entry => entry.file === file && tests.includes(entry.test) && entry.expires < today)
    return expired && `it has been unstable since ${expired.since}, and its time is over`
  }
  return failed.map(each => {
    const why = refuse(each)
    if (why) return { ...each, verdict: 'failed', why }
    for (let run = 1; run <= RUNS_ALONE; run++)
      if (!passes(each)) return { ...each, verdict: 'failed', why: `it failed again in run ${run} alone` }
    const { file, tests } = each
    const entries = isKnown(each)
      ? []
      : tests.map(test => ({ file, test, since: today, expires: addDays(today, DAYS_TO_FIX) }))
    return { ...each, verdict: 'unstable', why: `it passed ${RUNS_ALONE} times alone`, entries }
  })
}

/** `{ file, test, since, expires }` of each test that is known as unstable. */
export function readLedger() {
  const path = join(root, '.ci/unstable.json')
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : []
}
