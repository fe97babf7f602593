import { describe, expect, test } from 'vitest'
import { getScenario, noisySample, sampleReport, tooNoisy, withFailure } from '../../test/sample-report.js'
import type { Outcome } from '../run/run.js'
import { allScenarios } from '../scenarios/index.js'
import { Cells } from './answers.js'
import type { Figure, Noise } from './report.js'
import { getNotes, getVerdict } from './verdict.js'

const formats = getScenario('formats')

test('says only that the noise check failed, and by how much, when it did', () => {
  const report = tooNoisy(sampleReport(withFailure('formats', 'raw', 'gone'), [formats]))
  expect(getVerdict(report)).toEqual({
    outcome: 'too noisy',
    line: 'Noise check failed: two identical arms differed by 43 % (limit: 25 %); the interval of two identical arms reached 67 % (limit: 50 %); other processes took 50 % of the CPU (limit: 10 %). This run answers nothing. Close other programs, or use --full.',
  })
})

test('names the figure that moved farthest first', () => {
  const report = tooNoisy(sampleReport(undefined, [formats]))
  report.noise!.moved = [
    { figure: 'formats/call/isolation-ring-json/p50', factor: 2.8 },
    { figure: 'formats/call/ring-json/p50', factor: 1.6 },
  ]
  expect(getVerdict(report).line).toMatch(
    /^Noise check failed: JSON-RPC, hook, encrypted \(100 B call\) moved 2\.80× within the run; 1 more figure moved, too; /,
  )
})

test('shows what exceeds a limit as more than that limit', () => {
  const report = tooNoisy(sampleReport(undefined, [formats]))
  report.noise!.checks[0]!.ratio = 1.2504
  expect(getVerdict(report).line).toContain('differed by 26 % (limit: 25 %)')
})

test('names failures first, and says how quiet the machine was', () => {
  expect(getVerdict(sampleReport(withFailure('shapes', 'raw', 'gone')))).toEqual({
    outcome: 'failed',
    line: '1 failure. 5 scenarios measured.',
  })
  expect(getVerdict(sampleReport(undefined, allScenarios()))).toEqual({
    outcome: 'fine',
    line: 'The machine was quiet: two identical arms differed by 0 %.',
  })
})

test('notes say what ended the rounds', () => {
  const report = sampleReport(undefined, [formats])
  expect(getNotes(report)).toEqual([])
  report.scenarios[0]!.ended = 'time'
  expect(getNotes(report)).toEqual(['formats ended after 6 rounds, when its time was over.'])
  report.scenarios[0]!.ended = 'intervals'
  expect(getNotes(report)).toEqual(['formats ended after 6 rounds, when each interval was narrow enough.'])
})

const figure = (ratio: number | null, interval: [number, number] | null, more: Partial<Figure> = {}): Figure => ({
  ...{ id: 'p50', title: 'p50', unit: 'µs', better: 'lower', median: 10, processes: [[10]], ratio, interval, ...more },
})

test('a figure is slower or faster if its whole interval is, by the direction of the figure', () => {
  const cells = new Cells({ noise: null })
  expect(cells.judge(figure(1.2, [1.1, 1.3]))).toBe('slower')
  expect(cells.judge(figure(0.8, [0.7, 0.9]))).toBe('faster')
  expect(cells.judge(figure(0.8, [0.7, 0.9], { better: 'higher' }))).toBe('slower')
  expect(cells.judge(figure(1.01, [0.99, 1.03]))).toBe('same')
  expect(cells.judge(figure(1.3, [0.9, 1.5]))).toBe('unclear')
  expect(cells.judge(figure(3, null))).toBe('unclear')
})

test('a figure is the same within the difference of two identical arms', () => {
  const noise = { ...tooNoisy(noisySample()).noise!, outcome: 'steady' as const }
  noise.checks[0]!.ratio = 1.2
  const cells = new Cells({ noise })
  expect([1.15, 1.3].map(ratio => cells.judge(figure(ratio, [ratio - 0.02, ratio + 0.02])))).toEqual(['same', 'slower'])
})

test('nothing is clear in a run that is too noisy', () => {
  const { noise } = tooNoisy(noisySample())
  expect(new Cells({ noise }).judge(figure(3, [2.9, 3.1]))).toBe('unclear')
})

const noise = getScenario('noise')
const shapes = getScenario('shapes')

/** Reproducible numbers with a normal distribution. */
function normal(seed: number): () => number {
  let state = seed * 7919
  const random = (): number => (state = (state * 16807) % 2147483647) / 2147483647
  return () => Array.from({ length: 12 }, random).reduce((total, value) => total + value, -6)
}

interface Machine {
  seed: number
  /** Standard deviation of a slot, of logarithms. */
  scatter: number
  /** With 64 calls in flight, threads share a core in a third of the slots. A call then takes twice as long. */
  shared?: boolean
  /** Each ring sleeps in half of the slots of `shapes`, so that a call takes twice as long. */
  sleepy?: boolean
  /** Slots of the second arm in a row in which its ring sleeps, so that a call takes ten times as long. */
  asleep?: number
  /** The factor of all times in the second half of the run. */
  later?: number
  othersCpu?: number
}

const ROUNDS = 4
const RUNS = 8

function simulate({
  seed,
  scatter,
  shared = false,
  sleepy = false,
  asleep = 0,
  later = 1,
  othersCpu = 0.03,
}: Machine): Noise {
  const next = normal(seed)
  const change = (outcomes: Outcome[]): Outcome[] =>
    outcomes.map(outcome => {
      for (const { inCase, arm, processes } of outcome.cells) {
        const [base] = processes[0]!
        const quantile = shared ? -0.52 : -Infinity
        const slots = ROUNDS * (inCase.repeats ?? 1)
        processes.splice(
          0,
          processes.length,
          Array.from({ length: slots }, (_, slot) => {
            const isAsleep = arm.id.endsWith('-again') && slot >= 4 && slot < 4 + asleep
            const isSleepy = sleepy && outcome.scenario === shapes && next() < 0
            const isShared = inCase.task.inFlight === 64 && next() < quantile
            const factor =
              Math.exp(scatter * next()) *
              (isShared || isSleepy ? 2 : 1) *
              (isAsleep ? 10 : 1) *
              (slot >= slots / 2 ? later : 1)
            return Object.fromEntries(
              Object.entries(base!).map(([id, value]) => [id, id === 'rate' ? value / factor : value * factor]),
            )
          }),
        )
      }
      return { ...outcome, cpu: { total: 1000, others: 1000 * othersCpu } }
    })
  return sampleReport(change, [noise, shapes]).noise!
}

const countSteady = (machine: Omit<Machine, 'seed'>): number =>
  Array.from({ length: RUNS }, (_, at) => simulate({ ...machine, seed: at + 1 })).filter(
    ({ outcome }) => outcome === 'steady',
  ).length

describe('a quiet machine', () => {
  test('is steady when slots vary by a seventh, and threads share a core in a third of them', () => {
    expect(countSteady({ scatter: 0.05 })).toBe(RUNS)
    expect(countSteady({ scatter: 0.15 })).toBeGreaterThanOrEqual(RUNS - 1)
    expect(countSteady({ scatter: 0.1, shared: true })).toBeGreaterThanOrEqual(RUNS - 1)
  })

  test('is steady when each ring sleeps in half of the rounds, which are together in some figures by chance', () => {
    expect(countSteady({ scatter: 0.05, sleepy: true })).toBeGreaterThanOrEqual(RUNS - 1)
  })

  test('is steady when the ring of one arm sleeps in eight slots of 32 in a row', () => {
    expect(countSteady({ scatter: 0.1, asleep: 8 })).toBeGreaterThanOrEqual(RUNS - 1)
  })
})

describe('a machine that cannot be believed', () => {
  test('has another program with a tenth of the CPU time', () => {
    expect(countSteady({ scatter: 0.05, othersCpu: 0.11 })).toBe(0)
  })

  test('takes twice as long in the second half of the run, even if identical arms agree', () => {
    const found = simulate({ seed: 1, scatter: 0.05, later: 2 })
    expect(found.outcome).toBe('too noisy')
    for (const { ratio } of found.checks) expect(ratio).toBeCloseTo(1, 1)
    expect(found.moved.length).toBeGreaterThan(10)
    expect(countSteady({ scatter: 0.05, later: 2 })).toBe(0)
  })

  test('has slots that differ by more than twice', () => {
    expect(countSteady({ scatter: 1 })).toBeLessThanOrEqual(1)
  })
})

test('figures moved when each round of one half is beyond each round of the other, if more did than by chance', () => {
  const moved = (times: number[]): Noise['moved'] =>
    sampleReport(
      outcomes =>
        outcomes.map(outcome => {
          for (const { arm, processes } of outcome.cells) {
            const [base] = processes[0]!
            if (arm.id === 'isolation-ring-json' && outcome.scenario === shapes)
              processes.splice(
                0,
                processes.length,
                times.map(p50 => ({ ...base!, p50 })),
              )
          }
          return outcome
        }),
      [noise, shapes],
    ).noise!.moved
  expect(moved([304, 297, 300, 112, 109, 110])).toEqual(
    ['steady', 'burst', 'sparse'].map(inCase => ({
      figure: `shapes/${inCase}/isolation-ring-json/p50`,
      factor: 2.727,
    })),
  )
  expect(moved([304, 297, 112, 109])).toEqual([])
  expect(moved([109, 297, 300, 112, 304, 110])).toEqual([])
})
