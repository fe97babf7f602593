import { describe, expect, test } from 'vitest'
import { type Arm, type Case, latency, type Measurement, type Scenario } from '../model/scenario.js'
import { usualCall } from '../payloads/payloads.js'
import type { Plan } from '../run/plan.js'
import type { Cell, Outcome } from '../run/run.js'
import { allScenarios } from '../scenarios/index.js'
import { sampleReport, withFailure, getScenario } from '../../test/sample-report.js'
import { select } from '../scenarios/select.js'
import { judgeGoals, scenarioReport } from './build.js'
import { GOALS } from './goals.js'
import type { GoalReport, Report } from './report.js'
import { costTable, goalsTable } from './tables.js'

const isolation = getScenario('isolation')
const noise = getScenario('noise')
const channel = getScenario('channel')
const shapes = getScenario('shapes')

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

function getFigure(raw: Measurement[][], ring: Measurement[][]) {
  const cells: Cell[] = [
    { inCase, arm: arms[0], processes: raw },
    { inCase, arm: arms[1], processes: ring },
  ]
  return scenarioReport({ scenario, cells }, plan).cases[0]!.results[1]!.figures[0]!
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

describe('goals', () => {
  const createReport = (change?: Parameters<typeof sampleReport>[0]): Report => sampleReport(change, allScenarios())
  const getGoal = (report: Report, id: string): GoalReport | undefined => report.goals.find(goal => goal.id === id)

  test('compare figures that the scenarios measure', () => {
    const figures = allScenarios().flatMap(({ id, arms, cases }) =>
      cases.flatMap(inCase =>
        arms.flatMap(arm => inCase.figures.map(figure => `${id}/${inCase.id}/${arm.id}/${figure.id}`)),
      ),
    )
    for (const { figure, against } of GOALS) {
      expect(figures).toContain(figure)
      expect(figures).toContain(against)
    }
    expect(new Set(GOALS.map(({ id }) => id)).size).toBe(GOALS.length)
  })

  test('are met or missed by a ratio or a difference', () => {
    const report = createReport()
    expect(report.goals.map(({ id }) => id)).toEqual(GOALS.map(({ id }) => id))
    expect(getGoal(report, 'port-steady')).toMatchObject({ measured: 1.225, outcome: 'missed' })
    expect(getGoal(report, 'ring-64')).toMatchObject({ measured: 2, outcome: 'met' })
    expect(getGoal(report, 'idle')).toMatchObject({ compare: 'difference', measured: -0.5, outcome: 'met' })
  })

  test('are those of the measured scenarios, and none when these have no goals', () => {
    expect(sampleReport(undefined, [channel]).goals.map(({ id }) => id)).toEqual(['channel'])
    expect(sampleReport(undefined, [isolation]).goals).toEqual([])
    expect(goalsTable(sampleReport(undefined, [isolation]))).toBeUndefined()
  })

  test('are left out when only their reference was measured', () => {
    const [quiet] = sampleReport(undefined, [shapes]).scenarios
    const arms = quiet!.arms.filter(({ id }) => id !== 'ring-json')
    expect(judgeGoals({ scenarios: [{ ...quiet!, arms }], noise: null }).map(({ id }) => id)).not.toContain(
      'ring-steady',
    )
  })

  test('are missed when their arm failed', () => {
    const report = sampleReport(withFailure('shapes', 'ring-json', 'gone'), [shapes])
    expect(getGoal(report, 'ring-sparse')).toMatchObject({ measured: null, outcome: 'missed' })
    expect(
      goalsTable(report)
        ?.rows.find(([work]) => work?.text.includes('sparse'))
        ?.map(({ text }) => text),
    ).toEqual(['sparse, p50, ring', 'raw MessagePort', 'failed', '≤ 1.50×', 'missed, ADR 6'])
  })

  test('are unclear when they lie within the interval', () => {
    const spread = (outcomes: Outcome[]): Outcome[] => {
      for (const cell of outcomes.flatMap(({ cells }) => cells)) {
        if (cell.arm.id === 'port-json') cell.processes = [0.9, 1.2, 1.9].map(p50 => [{ p50: 40 * p50 }])
        else cell.processes = [1, 1, 1].map(() => [{ p50: 40 }])
      }
      return outcomes
    }
    const [steady] = select([shapes], path => path.startsWith('shapes/steady/'), true)
    expect(getGoal(sampleReport(spread, [steady!]), 'port-steady')).toMatchObject({ measured: 1.2, outcome: 'unclear' })
  })

  test('are counted in the table, each with its sign', () => {
    const table = goalsTable(createReport())!
    expect(table.title).toMatch(/^Goals: \d+ met, \d+ missed, \d+ unclear$/)
    expect(table.rows).toHaveLength(GOALS.length)
    const idle = table.rows.find(([work]) => work?.text.startsWith('idle'))
    expect(idle?.map(({ text }) => text).slice(2)).toEqual(['−0.500 %', '≤ +0.050 %', 'met'])
  })
})

describe('the isolation cost', () => {
  test('has steps that are the differences of arms that differ in one thing, and add up to the whole', () => {
    const rows = costTable(sampleReport())!.rows.map(cells => cells.slice(0, 3).map(({ text }) => text))
    expect(rows).toEqual([
      ['brownfield', '21–29 µs', '0.313 µs'],
      ['+ through the gate', '50.0 µs', '0.781 µs'],
      ['+ hook', '10.0 µs', '0.156 µs'],
      ['+ cipher', '20.0 µs', '0.313 µs'],
      ['isolation', '101–109 µs', '1.56 µs'],
    ])
  })

  test('does not call a step a cost if its interval holds zero', () => {
    const scatter = (outcomes: Outcome[]): Outcome[] => {
      for (const { inCase, arm, processes } of outcomes.flatMap(({ cells }) => cells)) {
        if (inCase.id === '1' && arm.id === 'isolation-ring-json')
          processes.splice(0, processes.length, [-35, -30, 20, -25].map(by => ({ p50: 80 + by }))) // prettier-ignore
        else
          processes.splice(
            0,
            processes.length,
            Array.from({ length: 4 }, () => processes[0]![0]!),
          )
      }
      return outcomes
    }
    const table = costTable(sampleReport(scatter, [getScenario('isolation')]))!
    expect(table.rows[3]?.map(({ text }) => text).slice(0, 3)).toEqual(['+ cipher', 'within noise', '0.313 µs'])
    expect(table.rows.flat().filter(({ text }) => text.includes('−') && text.includes('µs'))).toEqual([])
  })

  test('is left out without one of the four arms', () => {
    expect(costTable(sampleReport(withFailure('isolation', 'hook-ring-json', 'gone')))).toBeUndefined()
  })
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

  test('counts the warm-ups and measurements that were not stationary', () => {
    const moving = (outcomes: Outcome[]): Outcome[] => {
      const [cell] = outcomes[0]!.cells
      cell!.coldStarts = 2
      cell!.processes[0]![0]!['stationary'] = 0
      return outcomes
    }
    expect(sampleReport(moving, [noise]).scenarios[0]!.notStationary).toBe(3)
    expect(sampleReport(undefined, [noise]).scenarios[0]!.notStationary).toBe(0)
  })

  test('judges no goal when it is too noisy', () => {
    const scenarios = [noise, channel, shapes]
    const steady = sampleReport(undefined, scenarios).goals.map(({ outcome }) => outcome)
    expect(steady).toEqual(expect.arrayContaining(['met']))
    const noisy = sampleReport(strayBy(2), scenarios).goals.map(({ outcome }) => outcome)
    expect(noisy).toHaveLength(steady.length)
    expect(new Set(noisy)).toEqual(new Set(['too noisy']))
  })

  test('is null when nothing was measured twice', () => {
    expect(sampleReport(undefined, [channel]).noise).toBeNull()
  })
})
