// The goals of the design's chapter on speed, for those who maintain Sallyport.
import { formatRatio, readTable } from '../shared/text.js'
import { estimateRatio } from '../statistics/ratio.js'
import { findFigure, type Report } from './report.js'
import { numbers, words, type Table } from './table.js'

interface Goal {
  id: string
  /** The measured work. */
  work: string
  reference: string
  /** `scenario/case/arm/figure` of the work. */
  figure: string
  /** The same of the reference. */
  against: string
  bound: 'at most' | 'at least'
  goal: number
  /** The number of the decision record that says what is known about this figure. */
  adr: string
}

interface JudgedGoal extends Goal {
  /** A ratio; `null` if one of the two figures is missing. */
  measured: number | null
  outcome: 'met' | 'missed' | 'unclear' | 'too noisy'
}

const TABLE = readTable(`
  id                 | work                     | figure                                      | other arm, or figure            | goal                | reference       | ADR
  ring-first         | first 99 calls, ring     | few-calls/fresh/ring-json/first             | birpc                           | at most 1.5×        | birpc           | 6
  isolation-first    | first 99, isolation      | few-calls/fresh/isolation-ring-json/first   | birpc                           | at most 4.5×        | birpc           | 8
  ring-rare          | each 20 ms, p50, ring    | few-calls/fresh/ring-json/p50               | raw                             | at most 3×          | raw MessagePort | 6
  ring-rare-cpu      | each 20 ms, CPU, ring    | few-calls/fresh/ring-json/cpu               | raw                             | at most 2.5×        | raw MessagePort | 6
  isolation-rare     | each 20 ms, isolation    | few-calls/fresh/isolation-ring-json/p50     | raw                             | at most 5.5×        | raw MessagePort | 6
  ring-ready         | import to first answer   | few-calls/fresh/ring-json/ready             | raw                             | at most 4.5×        | raw MessagePort | 8
  isolation-ready    | the same, isolation      | few-calls/fresh/isolation-ring-json/ready   | raw                             | at most 6.5×        | raw MessagePort | 8
  ring-steady        | steady, p50, ring        | shapes/steady/ring-json/p50                 | raw                             | at most 0.09×       | raw MessagePort | 6
  ring-burst         | burst, p50, ring         | shapes/burst/ring-json/p50                  | raw                             | at most 1.35×       | raw MessagePort | 6
  ring-sparse        | sparse, p50, ring        | shapes/sparse/ring-json/p50                 | raw                             | at most 1.5×        | raw MessagePort | 6
  ring-64            | 64 in flight, ring       | shapes/64/ring-json/rate                    | raw                             | at least 1.5×       | raw MessagePort | 10
  ring-64-birpc      | 64 in flight, ring       | shapes/64/ring-json/rate                    | birpc                           | at least 2.5×       | birpc           | 10
  ring-open          | 20 k/s, p50, ring        | shapes/open-20k/ring-json/p50               | raw                             | at most 1.15×       | raw MessagePort | 6
  ring-open-p99      | 20 k/s, p99, ring        | shapes/open-20k/ring-json/p99               | raw                             | at most 3×          | raw MessagePort | 6
  port-steady        | steady, p50, port        | shapes/steady/port-json/p50                 | raw                             | at most 1.15×       | raw MessagePort | 6
  port-burst         | burst, p50, port         | shapes/burst/port-json/p50                  | raw                             | at most 1.35×       | raw MessagePort | 6
  port-sparse        | sparse, p50, port        | shapes/sparse/port-json/p50                 | raw                             | at most 1.4×        | raw MessagePort | 6
  port-64            | 64 in flight, port       | shapes/64/port-json/rate                    | raw                             | at least 0.8×       | raw MessagePort | 11
  port-open          | 20 k/s, p50, port        | shapes/open-20k/port-json/p50               | raw                             | at most 1.15×       | raw MessagePort | 6
  port-open-p99      | 20 k/s, p99, port        | shapes/open-20k/port-json/p99               | raw                             | at most 3×          | raw MessagePort | 6
  isolation-steady   | steady, p50, isolation   | shapes/steady/isolation-ring-json/p50       | raw                             | at most 1.1×        | raw MessagePort | 28
  isolation-burst    | burst, p50, isolation    | shapes/burst/isolation-ring-json/p50        | raw                             | at most 6×          | raw MessagePort | 28
  isolation-sparse   | sparse, p50, isolation   | shapes/sparse/isolation-ring-json/p50       | raw                             | at most 4×          | raw MessagePort | 28
  isolation-64       | 64 in flight, isolation  | shapes/64/isolation-ring-json/rate          | raw                             | at least 0.45×      | raw MessagePort | 28
  isolation-64-birpc | 64 in flight, isolation  | shapes/64/isolation-ring-json/rate          | birpc                           | at least 0.8×       | birpc           | 28
  isolation-open     | 20 k/s, p50, isolation   | shapes/open-20k/isolation-ring-json/p50     | raw                             | at most 2×          | raw MessagePort | 28
  isolation-open-p99 | 20 k/s, p99, isolation   | shapes/open-20k/isolation-ring-json/p99     | raw                             | at most 10×         | raw MessagePort | 28
  isolation-open-60k | 60 k/s, p50, isolation   | shapes/open-60k/isolation-ring-json/p50     | raw                             | at most 10×         | raw MessagePort | 28
  msgpack-64         | 64 in flight, msgpack    | throughput/64/ring-msgpack/rate             | raw                             | at least 2.5×       | raw MessagePort | 10
  msgpack-64-birpc   | 64 in flight, msgpack    | throughput/64/ring-msgpack/rate             | birpc                           | at least 4.5×       | birpc           | 10
  document           | 20 KiB document, echoed  | formats/github-pull-request/ring-json/p50   | text                            | at most 1.35×       | JSON-RPC text   | 10
  bytes-copied       | 1 MiB copied             | formats/mebibyte/ring-json/p50              | raw                             | at most 0.67×       | raw clone       | 19
  bytes-encrypted    | 1 MiB through isolation  | formats/mebibyte/isolation-ring-json/p50    | raw                             | at most 2.2×        | raw clone       | 19
  channel            | messages of a channel    | channel/channel/ring-json/rate              | raw                             | at least 2.5×       | raw postMessage | 14
  flat-in-flight     | 512 calls in flight      | throughput/512/ring-json/rate               | throughput/64/ring-json/rate    | at least 0.8×       | of 64           | 11
  wall-start         | start, process in a wall | plugin/one/process-wall/ready               | fork                            | at most 1.25×       | raw fork        | 35
  wall-memory        | its memory               | plugin/one/process-wall/pss                 | fork                            | at most 1.8×        | raw fork        | 35
  wall-next          | memory of each next      | plugin/one/process-wall/next                | fork                            | at most 1.35×       | raw fork        | 35
  wall-call          | a call                   | plugin/one/process-wall/p50                 | fork                            | at most 1.1×        | raw fork        | 17
  wall-seldom        | each 20 ms, in the wall  | plugin/one/process-wall/seldom              | fork                            | at most 1.8×        | raw fork        | 17
  wall-64            | 64 in flight, the wall   | plugin/one/process-wall/rate                | fork                            | at least 2.3×       | raw fork        | 17
  wall-bytes         | 1 MiB, in the wall       | plugin/one/process-wall/bytes               | fork                            | at most 0.8×        | raw fork        | 17
  wall-end           | end of a loop, the wall  | plugin/one/process-wall/end                 | fork                            | at most 6×          | raw fork        | 37
  thread-end         | end of a loop, thread    | plugin/one/permission/end                   | fork                            | at most 6×          | raw fork        | 37
  wall-gate-seldom   | each 20 ms, wall, gate   | few-calls/fresh/process-wall-gates/p50      | raw                             | at most 7.2×        | raw MessagePort | 17
`)

/** Each goal is a bound of a ratio to another figure of the same run. */
const GOALS: readonly Goal[] = TABLE.slice(1).map(row => {
  const [id = '', work = '', figure = '', other = '', text = '', reference = '', adr = ''] = row
  const [, bound, number] = /^(at most|at least) ([\d.]+)×$/.exec(text)!
  const [scenario, inCase, , kind] = figure.split('/')
  const against = other.includes('/') ? other : [scenario, inCase, other, kind].join('/')
  return { id, work, reference, figure, adr, against, bound: bound as Goal['bound'], goal: Number(number) }
})

/** Returns the goals whose figures belong to the run. A goal within the interval is unclear, and missed if its arm failed. */
export function judgeGoals(report: Pick<Report, 'scenarios' | 'noise'>): JudgedGoal[] {
  const isPlanned = (path: string): boolean => {
    const [scenario, inCase, arm] = path.split('/')
    const found = report.scenarios.find(({ id }) => id === scenario)
    return found?.cases.some(({ id }) => id === inCase) === true && found.arms.some(({ id }) => id === arm)
  }
  const isNoisy = report.noise?.outcome === 'too noisy'
  return GOALS.filter(({ figure, against }) => isPlanned(figure) && isPlanned(against)).map(goal => {
    const [figure = [], against = []] = [goal.figure, goal.against].map(path => findFigure(report, path)?.processes)
    const estimate = estimateRatio(figure, against)
    if (!estimate) return { ...goal, measured: null, outcome: isNoisy ? 'too noisy' : 'missed' }
    const [low, high] = estimate.interval
    const isMet = goal.bound === 'at most' ? estimate.ratio <= goal.goal : estimate.ratio >= goal.goal
    const outcome = low < goal.goal && goal.goal < high ? 'unclear' : isMet ? 'met' : 'missed'
    return { ...goal, measured: estimate.ratio, outcome: isNoisy ? 'too noisy' : outcome }
  })
}

const TONES = { met: { tone: 'better' }, missed: { tone: 'worse' }, unclear: {}, 'too noisy': {} } as const

/** The goals that the run measured; `undefined` without one. */
export function goalsTable(report: Pick<Report, 'scenarios' | 'noise'>): Table | undefined {
  const goals = judgeGoals(report)
  if (goals.length === 0) return undefined
  const count = (outcome: JudgedGoal['outcome']): number => goals.filter(goal => goal.outcome === outcome).length
  const scores = (['met', 'missed', 'unclear'] as const).map(outcome => `${count(outcome)} ${outcome}`)
  return {
    title: `Goals: ${count('too noisy') > 0 ? 'not judged' : scores.join(', ')}`,
    about:
      'Each figure against its reference in this run; × is the ratio round by round, of times (less is better)' +
      ' or of rates (more is). A goal within the 95 % interval is unclear.' +
      ' The record of decisions (ADR) of a missed goal says what is known about it.',
    columns: [words(''), words('against'), numbers('measured'), numbers('goal'), words('')],
    rows: goals.map(({ work, reference, measured, bound, goal, outcome, adr }) => [
      { text: work },
      { text: reference },
      measured === null ? { text: 'failed', tone: 'failed' } : { text: formatRatio(measured) },
      { text: `${bound === 'at most' ? '≤' : '≥'} ${formatRatio(goal)}` },
      { text: outcome === 'missed' ? `missed, ADR ${adr}` : outcome, ...TONES[outcome] },
    ]),
  }
}
