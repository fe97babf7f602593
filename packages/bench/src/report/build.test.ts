import { expect, test } from 'vitest'
import { getScenario, sampleReport } from '../../test/sample-report.js'
import { usualCall } from '../model/payloads.js'
import { type Arm, type Case, latency, type Measurement, type Scenario } from '../model/scenario.js'
import type { Cell, Outcome } from '../run/run.js'
import { scenarioReport } from './build.js'

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

test('says what other programs took while threads were measured, as far as it is known', () => {
  const taken = (outcomes: Outcome[]): Outcome[] =>
    outcomes.map(outcome => ({ ...outcome, cpu: { total: 1000, others: 90 } }))
  expect(sampleReport(taken, [oneThread]).othersCpu).toBe(0.09)
  expect(sampleReport(undefined, [oneThread]).othersCpu).toBeNull()
})

test('a figure whose rounds differ by more than half has a range', () => {
  const rounds = [4, 4.2, 18, 4.1, 19, 4].map(p50 => ({ p50 }))
  expect(getFigure([rounds], [rounds])).toMatchObject({ range: [4, 18.5], median: 4.15 })
  const alike = rounds.map(() => ({ p50: 4 }))
  expect(getFigure([alike], [alike])).not.toHaveProperty('range')
})
