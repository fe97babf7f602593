// Shows judge-failures.mjs failures of each kind, and demands its verdict: a policy that forgives too much says nothing by itself.
import { judge } from './judge-failures.mjs'

const WRONG = 'AssertionError: expected 1 to be 2'
const REJECTED =
  'AssertionError: promise rejected "BusError: it ended: x blocked its event loop for 5 ms" instead of resolving'
const LATE = 'Error: Test timed out in 90000ms.\nIf this is a long-running test, …'
const failing = (errors, file = 'packages/core/test/a.test.ts', test = 'is quick') => ({
  directory: 'packages/core',
  project: 'workers',
  file,
  ms: 1,
  failures: [errors].flat().map(error => ({ test, errors: [error] })),
})
const flaky = failing(WRONG)
const late = failing(LATE)
const unit = 'packages/core/src/a.test.ts'
const seed = 'packages/core/test/simulation/a.test.ts'
const files = (count, error = WRONG) =>
  Array.from({ length: count }, (_, index) => failing(error, `packages/core/test/${index}.test.ts`))
const entry = { file: flaky.file, test: 'is quick', since: '2026-01-01', expires: '2026-01-15' }
const others = files(5).map(({ file }) => ({ ...entry, file }))
const helper = { read: () => "from './support/x.js'", changed: new Set(['packages/core/test/support/x.ts']) }
const fails = { passes: async () => false }
const failsSecond = () => {
  let runs = 0
  return { passes: async () => ++runs < 2 }
}
/** The first one needs all of the time. */
const slow = () => {
  let time = 0
  return { now: () => time, passes: async (_, ms) => ((time += ms), true) }
}

/**
 * The verdict of each file, and what `why` says of the last.
 *
 * @type {[string, object[], object, string | string[], string][]}
 */
const cases = [
  // By what failed.
  ['an assertion, which passes alone', [flaky], {}, 'unstable', 'chance'],
  ['an assertion, which fails alone', [flaky], fails, 'failed', 'no accident'],
  ['an assertion, which fails the second time alone', [flaky], failsSecond(), 'failed', 'no accident'],
  ['a time limit, which passes alone', [late], {}, 'unstable', 'a time limit of the runner'],
  ['a time limit, which passes once', [late], failsSecond(), 'unstable', 'a time limit of the runner'],
  ['a time limit, which fails alone', [late], fails, 'failed', 'It fails alone, too'],
  ['a poll', [failing(`${WRONG}\nCaused by: Error: Matcher did not succeed in time.`, unit)], {}, 'unstable', 'a poll'],
  ['waitFor', [failing(`${WRONG}\n    at Timeout.checkCallback (x.js:1:1)`, unit)], {}, 'unstable', 'a poll'],
  ['waitUntil', [failing('Error: Timed out in waitUntil!', unit)], {}, 'unstable', 'a poll'],
  ['a heartbeat', [failing('BusError: core blocked its event loop for 5 ms', unit)], {}, 'unstable', 'a heartbeat'],
  ['a heartbeat that rejected', [failing(REJECTED, unit)], {}, 'unstable', 'a heartbeat'],
  [
    'a heartbeat that was expected',
    [failing(`${WRONG}, not 'a blocked its event loop'`, unit)],
    {},
    'failed',
    'chance',
  ],
  [
    'a row that is wrong before the time is over',
    [failing(`${LATE}\nIt was in row 2, b (of 3)\nrow 1, a: ${WRONG}`, unit)],
    {},
    'failed',
    'chance',
  ],
  [
    'a wrong row beside a poll',
    [
      failing(
        `AssertionError: 2 of 2 rows are wrong\nrow 1, a: ${WRONG}\nrow 2, b: Error: x\n    at Proxy.__VITEST_POLL_CHAIN__ (x.js:1:1)`,
        unit,
      ),
    ],
    {},
    'failed',
    'chance',
  ],
  [
    'a poll in a row',
    [
      failing(
        'AssertionError: 1 of 2 rows are wrong\nrow 2, b: Error: x\n    at Proxy.__VITEST_POLL_CHAIN__ (x.js:1:1)',
        unit,
      ),
    ],
    {},
    'unstable',
    'a poll',
  ],
  ['a Timeout', [failing('TimeoutError: x took longer than 5 ms', unit)], {}, 'unstable', 'a Timeout'],
  ['a Timeout as a cause', [failing(`${WRONG}\nCaused by: TimeoutError: x`, unit)], {}, 'unstable', 'a Timeout'],
  ['a Timeout that was received', [failing(`${WRONG}\n+ TimeoutError: x`, unit)], {}, 'failed', 'chance'],
  ['out of time, and wrong', [failing([LATE, WRONG], unit)], {}, 'failed', 'chance'],
  ['cannot load', [failing('Error: no module', flaky.file, 'the whole file')], {}, 'failed', 'could not run'],
  ['a hook out of time', [failing(LATE, flaky.file, 'the whole file')], {}, 'unstable', 'a time limit'],
  // By the file.
  ['a unit', [failing(WRONG, unit)], {}, 'failed', 'chance'],
  ['a unit out of time', [failing(LATE, unit)], {}, 'unstable', 'a time limit'],
  ['a seed', [failing(WRONG, seed)], {}, 'failed', 'chance'],
  ['a seed out of time', [failing(LATE, seed)], {}, 'unstable', 'a time limit'],
  ['on the stage', [flaky], { read: () => "from '../support/stage.js'" }, 'failed', 'chance'],
  ['changed today', [flaky], { changed: new Set([flaky.file]) }, 'failed', 'today'],
  ['changed today, out of time', [late], { changed: new Set([flaky.file]) }, 'unstable', 'a time limit'],
  ['a helper changed today', [flaky], helper, 'failed', 'today'],
  ['in a release', [late], { isRelease: true }, 'failed', 'release'],
  // By how many, and how long.
  ['twelve files', files(12), {}, 'unstable', 'chance'],
  [
    'twelve files out of time, and one more',
    files(13, LATE),
    {},
    [...Array(12).fill('unstable'), 'failed'],
    '12 files',
  ],
  ['no time left', files(2), slow(), 'failed', 'no time'],
  // By the ledger.
  ['known, in time', [flaky], { ledger: [entry], today: '2026-01-10' }, 'unstable', 'chance'],
  ['known, too long', [flaky], { ledger: [entry], today: '2026-01-20' }, 'failed', 'its time is over'],
  ['the sixth', [flaky], { ledger: others }, 'failed', '5 entries'],
  ['one of five', [files(1)[0]], { ledger: others, today: '2026-01-10' }, 'unstable', 'chance'],
]

const defaults = {
  read: () => '',
  changed: new Set(),
  ledger: [],
  passes: async () => true,
  isRelease: false,
  say() {},
}
let isWrong = false
for (const [name, failed, deps, verdict, why] of cases) {
  const judged = await judge(failed, { ...defaults, ...deps })
  const expected = Array.isArray(verdict) ? verdict : failed.map(() => verdict)
  if (judged.every((each, index) => each.verdict === expected[index]) && judged.at(-1).why.includes(why)) continue
  console.error(`${name}: must be ${expected.join()} (${why}), and not ${judged.at(-1).verdict} (${judged.at(-1).why})`)
  isWrong = true
}
if (!isWrong) console.log(`${cases.length} failures were judged as they should be`)
process.exitCode = isWrong ? 1 : 0
