import { describe, expect, test } from 'vitest'
import { getScenario, sampleReport } from '../../test/sample-report.js'
import { usualCall } from '../model/payloads.js'
import { type Arm, type Case, latency, type Measurement, type Scenario } from '../model/scenario.js'
import type { Cell, Outcome } from '../run/run.js'
import { scenarioReport } from './build.js'

const noise = getScenario('noise')
const oneThread = getScenario('one-thread')

const arm = (id: string): Arm => ({ id, title: id, open: () => Promise.reject(new Error('not here')) })
const arms: [Arm, Arm] = [arm('raw'), arm('ring')]
const inCase: Case = {
  id: 'one',
  title: 'one',
  task: { loop: 'calls', inFlight: 1 },
  payload: usualCall,
  figures: [latency('p50', 'p50')],
}
const scenario: Scenario = { id: 'test', title: '', about: '', arms, cases: [inCase], rows: 'cases' }

function getFigure(raw: Measurement[][], ring: Measurement[][]) {
  const cells: Cell[] = [
    { inCase, arm: arms[0], processes: raw },
    { inCase, arm: arms[1], processes: ring },
  ]
  return scenarioReport({ scenario, cells }).cases[0]!.results[1]!.figures[0]!
}

test('compares a round with the reference of the same round when one of them measured nothing', () => {
  const raw = [{ p50: 100 }, { p50: 10 }, { p50: 1 }]
  const figure = getFigure(
    [raw, raw],
    [
      [{}, { p50: 20 }, { p50: 2 }],
      [{ p50: 200 }, {}, { p50: 2 }],
    ],
  )
  expect(figure).toMatchObject({
    ratio: 2,
    processes: [
      [20, 2],
      [200, 2],
    ],
  })
})

test('leaves out a process in which an arm measured nothing', () => {
  const processes = [
    [{ p50: 1 }, { p50: 1 }],
    [{ p50: 10 }, { p50: 10 }],
  ]
  expect(
    getFigure(processes, [
      [{}, {}],
      [{ p50: 30 }, { p50: 30 }],
    ]),
  ).toMatchObject({ ratio: 3, processes: [[30, 30]] })
})

describe('the noise check', () => {
  /** The second brownfield arm takes so many times as long as the first. */
  const strayBy =
    (factor: number) =>
    (outcomes: Outcome[]): Outcome[] => {
      for (const cell of outcomes.flatMap(({ cells }) => cells)) {
        if (cell.arm.id !== 'ring-json-again') continue
        cell.processes = cell.processes.map(rounds => rounds.map(entry => ({ ...entry, p50: entry['p50']! * factor })))
      }
      return outcomes
    }

  test('is steady when identical arms agree', () => {
    const found = sampleReport(undefined, [noise]).noise!
    expect(found.outcome).toBe('steady')
    expect(found.checks.map(({ figure }) => figure)).toEqual([
      'noise/1/ring-json-again/p50',
      'noise/64/ring-json-again/rate',
    ])
    for (const { ratio } of found.checks) expect(ratio).toBe(1)
  })

  test('is too noisy when an arm differs from itself by more than a quarter, in either direction', () => {
    expect(sampleReport(strayBy(1.2), [noise]).noise?.outcome).toBe('steady')
    expect(sampleReport(strayBy(1.3), [noise]).noise?.outcome).toBe('too noisy')
    expect(sampleReport(strayBy(0.75), [noise]).noise?.outcome).toBe('too noisy')
  })

  test('is too noisy when the interval of an arm to itself is wide, even if its middle is 1', () => {
    const scatter = (outcomes: Outcome[]): Outcome[] => {
      for (const cell of outcomes.flatMap(({ cells }) => cells)) {
        const factors = cell.arm.id === 'ring-json-again' ? [0.6, 1, 1.6] : [1, 1, 1]
        const [round] = cell.processes[0]!
        cell.processes = factors.map(factor => [{ ...round!, p50: round!['p50']! * factor }])
      }
      return outcomes
    }
    const [check] = sampleReport(scatter, [noise]).noise!.checks
    expect(check!.ratio).toBe(1)
    expect(sampleReport(scatter, [noise]).noise?.outcome).toBe('too noisy')
  })

  test('is too noisy when other programs took more than a tenth of the CPU time', () => {
    const taken = (others: number) => (outcomes: Outcome[]) =>
      outcomes.map(outcome => ({ ...outcome, cpu: { total: 1000, others } }))
    expect(sampleReport(taken(90), [noise]).noise).toMatchObject({ outcome: 'steady', othersCpu: 0.09 })
    expect(sampleReport(taken(300), [noise]).noise).toMatchObject({ outcome: 'too noisy', othersCpu: 0.3 })
    expect(sampleReport(undefined, [noise]).noise).toMatchObject({ othersCpu: null })
  })

  test('is null when nothing was measured twice', () => {
    expect(sampleReport(undefined, [oneThread]).noise).toBeNull()
  })
})

test('a figure whose rounds differ by more than half has a range', () => {
  const rounds = [4, 4.2, 18, 4.1, 19, 4].map(p50 => ({ p50 }))
  expect(getFigure([rounds], [rounds])).toMatchObject({ range: [4, 18.5], median: 4.15 })
  const alike = rounds.map(() => ({ p50: 4 }))
  expect(getFigure([alike], [alike])).not.toHaveProperty('range')
})
