import { expect, test } from 'vitest'
import type { Arm } from '../model/scenario.js'
import { usualCall } from '../payloads/payloads.js'
import type { Plan } from '../run/plan.js'
import type { Cell } from '../run/run.js'
import { latency, type Case, type Scenario } from '../model/scenario.js'
import type { Measurement } from '../model/scenario.js'
import { scenarioReport } from './build.js'

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
const plan: Plan = { mode: 'quick', processes: 2, warmUpMs: 2, rounds: 3, slotMs: 1, budgetMs: 60_000 }

function figureOf(raw: Measurement[][], ring: Measurement[][]) {
  const cells: Cell[] = [
    { inCase, arm: arms[0], processes: raw },
    { inCase, arm: arms[1], processes: ring },
  ]
  return scenarioReport({ scenario, cells }, plan).cases[0]!.results[1]!.figures[0]!
}

test('a round in which one measured nothing takes no other’s reference', () => {
  const raw = [{ p50: 100 }, { p50: 10 }, { p50: 1 }]
  const figure = figureOf(
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

test('nor does a process in which it measured nothing at all', () => {
  const processes = [
    [{ p50: 1 }, { p50: 1 }],
    [{ p50: 10 }, { p50: 10 }],
  ]
  expect(
    figureOf(processes, [
      [{}, {}],
      [{ p50: 30 }, { p50: 30 }],
    ]),
  ).toMatchObject({ ratio: 3, processes: [[30, 30]] })
})
