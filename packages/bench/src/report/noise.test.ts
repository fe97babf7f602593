// Simulated runs: what a quiet machine and a busy one measure, by the plan of a quick run.
import { describe, expect, test } from 'vitest'
import { getScenario, sampleReport } from '../../test/sample-report.js'
import type { Outcome } from '../run/run.js'
import type { Noise } from './report.js'

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
  /** Slots of the second arm in a row in which its ring sleeps, so that a call takes ten times as long. */
  asleep?: number
  /** The factor of all times in the second half of the run. */
  later?: number
  othersCpu?: number
}

const ROUNDS = 4
const RUNS = 8

function simulate({ seed, scatter, shared = false, asleep = 0, later = 1, othersCpu = 0.03 }: Machine): Noise {
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
            const isShared = inCase.task.inFlight === 64 && next() < quantile
            const factor =
              Math.exp(scatter * next()) * (isShared ? 2 : 1) * (isAsleep ? 10 : 1) * (slot >= slots / 2 ? later : 1)
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

test('a figure moved when each round of one half is beyond each round of the other, and open loops and tails never do', () => {
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
                times.map(p50 => ({ ...base!, p50, p99: p50 })),
              )
          }
          return outcome
        }),
      [noise, shapes],
    ).noise!.moved
  expect(moved([304, 297, 112, 109])).toEqual(
    ['steady', 'burst', 'sparse'].map(inCase => ({
      figure: `shapes/${inCase}/isolation-ring-json/p50`,
      factor: 2.719,
    })),
  )
  expect(moved([109, 297, 112, 304])).toEqual([])
  expect(moved([130, 125, 112, 109])).toEqual([])
})
