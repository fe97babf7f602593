import { describe, expect, test } from 'vitest'
import { getScenario, sampleReport, tooNoisy, withFailure } from '../../test/sample-report.js'
import type { Outcome } from '../run/run.js'
import { allScenarios } from '../scenarios/index.js'
import { select } from '../scenarios/select.js'
import { goalsTable, judgeGoals } from './goals.js'

const channel = getScenario('channel')
const shapes = getScenario('shapes')
const all = sampleReport(undefined, allScenarios())

describe('goals', () => {
  test('compare figures that the scenarios measure', () => {
    const figures = allScenarios().flatMap(({ id, arms, cases }) =>
      cases.flatMap(inCase =>
        arms.flatMap(arm => inCase.figures.map(figure => `${id}/${inCase.id}/${arm.id}/${figure.id}`)),
      ),
    )
    const goals = judgeGoals(all)
    expect(goals.length).toBeGreaterThan(40)
    for (const { figure, against } of goals) {
      expect(figures).toContain(figure)
      expect(figures).toContain(against)
    }
    expect(new Set(goals.map(({ id }) => id)).size).toBe(goals.length)
  })

  test('are met or missed by a ratio', () => {
    const goals = judgeGoals(all)
    expect(goals.find(({ id }) => id === 'port-steady')).toMatchObject({
      measured: expect.closeTo(1.225),
      outcome: 'missed',
    })
    expect(goals.find(({ id }) => id === 'ring-64')).toMatchObject({ measured: expect.closeTo(2), outcome: 'met' })
  })

  test('are those of the measured scenarios, and none when these have no goals', () => {
    expect(judgeGoals(sampleReport(undefined, [channel])).map(({ id }) => id)).toEqual(['channel'])
    const without = sampleReport(undefined, [getScenario('scripts')])
    expect(judgeGoals(without)).toEqual([])
    expect(goalsTable(without)).toBeUndefined()
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
    expect(judgeGoals(report).find(({ id }) => id === 'ring-sparse')).toMatchObject({
      measured: null,
      outcome: 'missed',
    })
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
    expect(judgeGoals(sampleReport(spread, [steady!])).find(({ id }) => id === 'port-steady')).toMatchObject({
      measured: expect.closeTo(1.2),
      outcome: 'unclear',
    })
  })

  test('are counted in the table', () => {
    const table = goalsTable(all)!
    expect(table.title).toMatch(/^Goals: \d+ met, \d+ missed, \d+ unclear$/)
    expect(table.rows).toHaveLength(judgeGoals(all).length)
  })

  test('are not judged when the run is too noisy', () => {
    const noisy = tooNoisy(all)
    expect(new Set(judgeGoals(noisy).map(({ outcome }) => outcome))).toEqual(new Set(['too noisy']))
    expect(goalsTable(noisy)!.title).toBe('Goals: not judged')
  })
})
