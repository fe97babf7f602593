import pc from 'picocolors'
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { sampleReport, withFailure } from '../../test/sample-report.js'
import { allScenarios } from '../scenarios/index.js'
import type { Report, ScenarioReport } from './report.js'
import { getFailures, scenarioTable } from './tables.js'
import { toTerminal, wrap, type Screen } from './terminal.js'

const screen = (columns: number): Screen => ({ columns, colors: pc.createColors(false) })
const byId = (report: Report, id: string): ScenarioReport => report.scenarios.find(scenario => scenario.id === id)!
const drawAll = (report: Report, columns: number): string =>
  report.scenarios.map(scenario => toTerminal(scenarioTable(scenario), screen(columns))).join('\n')

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
    const drawn = toTerminal(scenarioTable(byId(sampleReport(), 'formats')), screen(columns))
    for (const text of ['41–49 µs', '21–29 µs', '0.55×']) expect(drawn).toContain(text)
  }))

test('draws ratios below their figures if the screen is narrow', () => {
  const table = scenarioTable(byId(sampleReport(), 'formats'))
  expect(`\n${toTerminal({ ...table, about: 'About.', rows: table.rows.slice(0, 3) }, screen(80))}`)
    .toMatchInlineSnapshot(`
    "
     Formats, the hook and encryption
     About.
                              a      one     23.7      692     1.00
                           call       of      KiB      KiB      MiB
                                      64                      bytes
     structured clone  41–49 µs  2.00 µs  45.0 µs  45.0 µs  45.0 µs
     JSON-RPC text     41–49 µs  2.00 µs  45.0 µs  45.0 µs  45.0 µs
                          1.00×    1.00×    1.00×    1.00×    1.00×
     ring JSON         21–29 µs  1.00 µs  25.0 µs  25.0 µs  25.0 µs
                          0.55×    0.50×    0.55×    0.55×    0.55×"
  `)
})

test('draws a table that is too wide in two parts, each with the names of its rows', () => {
  const lines = toTerminal(scenarioTable(byId(sampleReport(undefined, allScenarios()), 'plugin')), screen(80)).split(
    '\n',
  )
  expect(lines.filter(line => line.startsWith(' raw Worker'))).toHaveLength(2)
  expect(lines.slice(lines.indexOf('') + 1)[0]).toMatch(/each 20 ms +64 in flight +1 MiB +end of a loop/)
})

test('shows failures, and a dash for figures that were not measured', () => {
  const report = sampleReport(withFailure('channel', 'isolation-ring-json', 'the gate is shut'))
  expect(toTerminal(scenarioTable(byId(report, 'channel')), screen(80))).toContain('failed')
  expect(getFailures(report)).toEqual(['channel/*/isolation-ring-json: the gate is shut'])
  const [result] = report.scenarios.find(({ id }) => id === 'channel')!.cases[0]!.results
  result!.figures = []
  expect(toTerminal(scenarioTable(byId(report, 'channel')), screen(80))).toMatch(/raw MessagePort +–/)
})

test('wraps a text between its words', () => {
  expect(wrap('one two three', 8)).toEqual(['one two', 'three'])
})
