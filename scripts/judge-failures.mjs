// What becomes of a file that failed: it runs again alone, while there is time, and the first of these that is true is its verdict.
//
//   it fails alone, or was not run               failed. An assertion that fails both times is no accident
//   this is a release                            failed: nothing is forgiven
//   it could not run                             failed
//   an assertion failed, and in the file         failed, although it passed alone: nothing in it is left to chance
//   are time, order and chance its own
//   an assertion failed, and it or what it       failed, although it passed alone
//   imports was changed today
//   the ledger is full, or its time is over      failed: the test is not mended
//   else                                         unstable: not red, but named, with its kind, and recorded in unstable.json
//
// A limit of time is no assertion (`ACCIDENTS`): on a busy machine each of them can pass. CONTRIBUTING.md has the policy.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runAlone, wasStopped } from './run-tests.mjs'

const MS_ALONE = 4 * 60_000
/** More fail together only if the product is broken: their names suffice. */
const MAX_FILES = 12
/** An assertion that passes alone once can fail each second time. */
const RUNS_ALONE = 2
const MAX_ENTRIES = 5
const DAYS_TO_FIX = 14

/** By what an error says of itself or its causes, and not by what an assertion has expected or received. */
const ACCIDENTS = {
  'a time limit of the runner': /^\w+: (?:Test|Hook) timed out in/,
  'a poll out of time':
    /^Caused by: Error: Matcher did not succeed in time|^\w+: Timed out in wait|^ +at (?:\S*checkCallback|Proxy\.__VITEST_POLL_CHAIN__) /m,
  'a heartbeat of the bus':
    /^(?:Caused by: )?(?!AssertionError: (?!promise rejected))\w*Error\b.* blocked its event loop/m,
  'a Timeout of the bus': /^(?:Caused by: )?TimeoutError\b/m,
}

const root = fileURLToPath(new URL('../', import.meta.url))

/** The tests' clock, order and random numbers are their own: a failure is one of the code. */
const isDeterministic = (file, text) =>
  /\/src\/|\/(?:simulation|fuzz|generated)\/|\.test-d\.ts$/.test(file) || /\/stage\.js'/.test(text)

/** Each wrong row of a table is an error of its own, and so is a time limit of their test. */
function splitRows(error) {
  const [first, ...rows] = error.split(/^row \d+, .*?: (?=\w*Error\b)/m)
  return rows.length > 0 && / rows are wrong$/m.test(first) ? rows : [first, ...rows]
}

/** The kind of the accident, if every error is one. */
function findAccident(failures) {
  const kinds = failures
    .flatMap(({ errors }) => errors.flatMap(splitRows))
    .map(error => Object.keys(ACCIDENTS).find(kind => ACCIDENTS[kind].test(error)))
  return kinds.includes(undefined) ? undefined : kinds[0]
}

/** The files that commits of the last day changed, and those that are not committed. */
function listChanged() {
  const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout?.split('\n') ?? []
  const committed = git('log', '--since=1 day ago', '-M', '--diff-filter=AMR', '--name-only', '--format=')
  return new Set([...committed, ...git('diff', 'HEAD', '--name-only'), ...git('ls-files', '-o', '--exclude-standard')])
}

/** The paths of what a test imports from beside it. */
const listImports = (file, text) =>
  [...text.matchAll(/from '(\.[^']+)'/g)].map(([, path]) => join(dirname(file), path).replace(/\.js$/, '.ts'))

const addDays = (date, days) => new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10)

/**
 * @param failed - `{ directory, project, file, ms, failures: [{ test, errors }] }` of each file and project; `file` is a path in the repository
 * @param deps - what the proof of this script replaces
 * @returns the failed, each with `verdict` and `why`, and with the `entries` for the ledger if it is unstable
 */
export async function judge(failed, deps = {}) {
  const {
    read = file => readFileSync(join(root, file), 'utf8'),
    changed = listChanged(),
    ledger = readLedger(),
    passes = runAlone,
    say = console.log,
    now = Date.now,
    today = new Date().toISOString().slice(0, 10),
    isRelease = process.env.GITHUB_REF_TYPE === 'tag',
  } = deps
  const end = now() + MS_ALONE
  const isOver = () => wasStopped() || now() >= end
  const findEntry = (file, test) => ledger.find(entry => entry.file === file && entry.test === test)
  const refuse = ({ file, failures }, accident) => {
    const text = read(file)
    if (isRelease) return 'nothing is forgiven in a release'
    if (!accident && failures.some(({ test }) => test === 'the whole file')) return 'it could not run'
    if (!accident && isDeterministic(file, text)) return 'nothing in it is left to chance'
    if (!accident && [file, ...listImports(file, text)].some(each => changed.has(each)))
      return 'a commit of today changed it'
    const entries = failures.flatMap(({ test }) => findEntry(file, test) ?? [])
    if (ledger.length >= MAX_ENTRIES && entries.length === 0)
      return `.ci/unstable.json has ${ledger.length} entries: the suite is the work now`
    const expired = entries.find(({ expires }) => expires < today)
    return expired && `it has been unstable since ${expired.since}, and its time is over`
  }
  const judgeOne = async (each, index) => {
    const { file, failures } = each
    const accident = findAccident(failures)
    const fail = why => ({ ...each, verdict: 'failed', why })
    if (index >= MAX_FILES) return fail(`It did not run alone: ${MAX_FILES} files did`)
    if (isOver()) return fail('There was no time for it to run alone')
    say(`Runs alone, ${index + 1} of ${failed.length}, after ${accident ?? 'an assertion'}:\n  ${file}`)
    for (let run = 0; run < (accident ? 1 : RUNS_ALONE); run++) {
      const passed = !isOver() && (await passes(each, end - now()))
      if (isOver()) return fail('There was no time for it to run alone')
      if (!passed) return fail(`It fails alone, too${accident ? '' : ': that is no accident'}`)
    }
    const refusal = refuse(each, accident)
    if (refusal) return fail(`It passes alone, but ${refusal}`)
    const unknown = failures.filter(({ test }) => !findEntry(file, test))
    return {
      ...each,
      verdict: 'unstable',
      why: `It passes alone: ${accident ? `${accident}, as on a busy machine` : 'chance, or a file before it in its process'}`,
      entries: unknown.map(({ test }) => ({ file, test, since: today, expires: addDays(today, DAYS_TO_FIX) })),
    }
  }
  const verdicts = []
  // The quick ones first: most of them have their turn.
  for (const [index, each] of failed.toSorted((a, b) => a.ms - b.ms).entries())
    verdicts.push(await judgeOne(each, index))
  return verdicts
}

/** `{ file, test, since, expires }` of each test that is known as unstable. */
export function readLedger() {
  const path = join(root, '.ci/unstable.json')
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : []
}
