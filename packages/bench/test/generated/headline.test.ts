// The first tables of README, home page and results: the first answers of the report, by its rule.
import { expect, test } from 'vitest'
import { toHeadline } from '../../../../scripts/results.mjs'
import { getAnswers } from '../../src/report/answers.js'
import type { Outcome } from '../../src/run/run.js'
import { getScenario, sampleReport } from '../sample-report.js'

const scenarios = ['plugin', 'formats'].map(getScenario)

test('has the cells of the first two answers of the report, and says where they were measured', () => {
  const report = sampleReport(undefined, scenarios)
  const lines: string[] = toHeadline(report).split('\n')
  const tables = getAnswers(report).slice(0, 2)
  const cells = tables.flatMap(({ columns, rows }) => [columns, ...rows.map(row => row.map(({ text }) => text))])
  const drawn = lines.filter(line => /^\|(?!-)/.test(line)).map(line => line.slice(1, -1).split('|'))
  expect(drawn.map(row => row.map(text => text.replace(/ \(.*/, '')))).toEqual(cells)
  expect(lines.at(-1)).toBe('2026-01-02, 4 × Sample CPU 3.0 GHz, Node 20.20.2')
})

test('judges no codec whose interval holds no difference', () => {
  const alike = (outcomes: Outcome[]): Outcome[] => {
    for (const { processes } of outcomes.flatMap(({ cells }) => cells))
      for (const round of processes.flat()) Object.assign(round, { cpu: 1 })
    return outcomes
  }
  expect(toHeadline(sampleReport(alike, scenarios))).toContain(
    '|100 B call|1.00 µs|no measurable difference (6 rounds)|–|',
  )
})

test('needs the scenario of a plugin', () => {
  expect(() => toHeadline(sampleReport(undefined, [getScenario('shapes')]))).toThrow('no scenario "plugin"')
})
