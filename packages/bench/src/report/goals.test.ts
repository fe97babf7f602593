import { expect, test } from 'vitest'
import { sampleReport, withFailure } from '../../test/sample-report.js'
import { GOALS } from '../goals.js'
import { allScenarios, getScenario } from '../scenarios/index.js'
import { goalReports, goalsTable } from './goals.js'
import type { GoalReport, Report } from './report.js'

const isolation = getScenario('isolation')
const start = getScenario('start')

const ofAll = (change?: Parameters<typeof sampleReport>[0]): Report => sampleReport(change, allScenarios())
const goalOf = (report: Report, id: string): GoalReport | undefined => report.goals.find(goal => goal.id === id)

test('every goal compares figures that the scenarios measure', () => {
  const figures = allScenarios().flatMap(({ id, arms, cases }) =>
    cases.flatMap(one => arms.flatMap(arm => one.figures.map(figure => `${id}/${one.id}/${arm.id}/${figure.id}`))),
  )
  for (const { figure, against } of GOALS) {
    expect(figures).toContain(figure)
    expect(figures).toContain(against)
  }
  expect(new Set(GOALS.map(({ id }) => id)).size).toBe(GOALS.length)
})

test('met or missed, by a ratio or a difference', () => {
  const report = ofAll()
  expect(report.goals.map(({ id }) => id)).toEqual(GOALS.map(({ id }) => id))
  expect(goalOf(report, 'sequential-port')).toMatchObject({ measured: 1.225, outcome: 'missed' })
  expect(goalOf(report, 'pipelined-json')).toMatchObject({ measured: 2, outcome: 'met' })
  expect(goalOf(report, 'idle')).toMatchObject({ compare: 'difference', measured: -0.5, outcome: 'met' })
  expect(goalOf(report, 'isolation-sequential')).toMatchObject({ outcome: 'reported' })
})

test('a run has the goals of what it was asked for, and may have none', () => {
  expect(sampleReport(undefined, [start]).goals.map(({ id }) => id)).toEqual(['start-brownfield', 'start-isolation'])
  expect(sampleReport(undefined, [isolation]).goals).toEqual([])
  expect(goalsTable(sampleReport(undefined, [isolation]))).toBeUndefined()
})

test('a goal is asked for with its own arm, not with its reference alone', () => {
  const report = ofAll()
  const [quiet] = report.scenarios.filter(({ id }) => id === 'latency')
  const arms = quiet!.arms.filter(({ id }) => id !== 'ring-json')
  expect(goalReports({ scenarios: [{ ...quiet!, arms }], noise: null }).map(({ id }) => id)).not.toContain(
    'sequential-ring',
  )
})

test('an arm that failed has missed its goals', () => {
  const report = ofAll(withFailure('sparse', 'ring-json', 'gone'))
  expect(goalOf(report, 'sparse')).toMatchObject({ measured: null, outcome: 'missed' })
  expect(
    goalsTable(report)
      ?.rows.find(([work]) => work?.text.includes('4 ms'))
      ?.map(({ text }) => text),
  ).toEqual(['one call each 4 ms, p50', 'raw MessagePort', 'failed', '≤ 1.20×', 'missed'])
})

test('the table counts, and shows each goal with its sign', () => {
  const table = goalsTable(ofAll())!
  expect(table.title).toMatch(/^Goals: \d+ met, \d+ missed$/)
  expect(table.rows).toHaveLength(GOALS.length)
  const idle = table.rows.find(([work]) => work?.text.startsWith('idle'))
  expect(idle?.map(({ text }) => text).slice(2)).toEqual(['−0.500 %', '≤ +0.050 %', 'met'])
})
