import { wrap } from '@sallyport/protocol/internal/command-line'
import { type Screen } from '#measure/screen'
import pc from 'picocolors'
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { getScenario, sampleReport, withFailure } from '../../test/sample-report.js'
import { allScenarios } from '../scenarios/index.js'
import { getAnswers, scenarioTable, type Table } from './answers.js'
import { getFailures, type Report, type ScenarioReport } from './report.js'
import { toFirst, toTerminal } from './terminal.js'

const screen = (columns: number): Screen => ({ columns, colors: pc.createColors(false) })
const byId = (report: Report, id: string): ScenarioReport => report.scenarios.find(scenario => scenario.id === id)!
const draw = (report: Report, id: string): Table => scenarioTable(byId(report, id))
const drawAll = (report: Report, columns: number): string =>
  [...report.scenarios.map(({ id }) => draw(report, id)), ...getAnswers(report)]
    .map(table => toTerminal(table, screen(columns)))
    .join('\n')

const COLUMNS = [80, 100, 120]

test('draws no line that is longer than the screen', () =>
  rows(COLUMNS)(columns => {
    for (const report of [sampleReport(), sampleReport(undefined, allScenarios())]) {
      const longest = Math.max(
        ...drawAll(report, columns)
          .split('\n')
          .map(line => line.length),
      )
      expect(longest).toBeLessThanOrEqual(columns)
    }
  }))

test('draws every figure of a call with its ratio', () =>
  rows(COLUMNS)(columns => {
    const drawn = toTerminal(draw(sampleReport(), 'formats'), screen(columns))
    for (const text of ['0.500 µs', '2.00 µs', '4.00×']) expect(drawn).toContain(text)
  }))

test('draws ratios below their figures if the screen is narrow', () => {
  const table = draw(sampleReport(), 'few-calls')
  expect(`\n${toTerminal({ ...table, about: 'About.', rows: table.rows.slice(0, 2) }, screen(80))}`)
    .toMatchInlineSnapshot(`
      "
       Few calls
                        import to  first 99  next 900,      a call   its CPU
                            first    calls,       each  each 20 ms      time
                           answer      each
       raw MessagePort    40.0 ms   80.0 µs    40.0 µs     45.0 µs   1.00 µs
       codec: 'json'      20.0 ms   40.0 µs    20.0 µs     25.0 µs  0.500 µs
                            0.50×     0.50×      0.50×       0.55×     0.50×
       About."
    `)
})

test('draws a table that is too wide in two parts, each with the names of its rows', () => {
  const lines = toTerminal(draw(sampleReport(undefined, allScenarios()), 'plugin'), screen(80)).split('\n')
  expect(lines.filter(line => line.startsWith(' raw Worker'))).toHaveLength(2)
  expect(lines.slice(lines.indexOf('') + 1)[0]).toMatch(/64 in +1\sMiB of +end of a/)
})

test('shows failures, and a dash for figures that were not measured', () => {
  const report = sampleReport(withFailure('throughput', 'isolation-ring-json', 'the gate is shut'), allScenarios())
  expect(toTerminal(draw(report, 'throughput'), screen(80))).toContain('failed')
  expect(getFailures(report)).toEqual(['throughput/*/isolation-ring-json: the gate is shut'])
  const [result] = report.scenarios.find(({ id }) => id === 'throughput')!.cases[0]!.results
  result!.figures = []
  expect(toTerminal(draw(report, 'throughput'), screen(80))).toMatch(/raw MessagePort +–/)
})

test('the last screen has one line a row, and at most 80 columns', () => {
  const tables = getAnswers(sampleReport()).filter(({ first }) => first)
  expect(tables).toHaveLength(2)
  const lines = tables.map(table => toFirst(table, screen(80)).split('\n'))
  expect(lines.map(({ length }) => length)).toEqual([5, 6])
  expect(Math.max(...lines.flat().map(({ length }) => length))).toBeLessThanOrEqual(80)
  expect(lines[0]![1]).toBe(' 100 B call         0.500 µs  50 % less (50–50 %)   +1.50 µs   +0.500 µs')
})

test('the last screen leaves out columns that nothing was measured for', () => {
  const [sizes] = getAnswers(sampleReport(undefined, [getScenario('sizes')]))
  expect(toFirst(sizes!, screen(80)).split('\n')[0]).toMatch(/^ what you send +CPU time +'msgpack' costs$/)
})

test('wraps a text between its words', () => {
  expect(wrap('one two three', 8)).toEqual(['one two', 'three'])
})
