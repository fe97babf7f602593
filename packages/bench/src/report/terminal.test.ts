import pc from 'picocolors'
import { describe, expect, test } from 'vitest'
import { sampleReport, withFailure } from '../../test/sample-report.js'
import { allScenarios } from '../scenarios/index.js'
import type { Report, ScenarioReport } from './report.js'
import { costTable, digestTable, getFailures, goalsTable, scenarioTable } from './tables.js'
import { toTerminal, wrap, type Screen } from './terminal.js'

const screen = (columns: number): Screen => ({ columns, colors: pc.createColors(false) })
const byId = (report: Report, id: string): ScenarioReport => report.scenarios.find(scenario => scenario.id === id)!
const drawAll = (report: Report, columns: number): string =>
  [
    ...report.scenarios.map(scenario => scenarioTable(scenario)),
    digestTable(report),
    goalsTable(report),
    costTable(report),
  ]
    .filter(table => table !== undefined)
    .map(table => toTerminal(table, screen(columns)))
    .join('\n')

describe.each([80, 100, 120])('on %i columns', columns => {
  test('draws no line that is longer than the screen', () => {
    for (const report of [sampleReport(), sampleReport(undefined, allScenarios())]) {
      const longest = Math.max(
        ...drawAll(report, columns)
          .split('\n')
          .map(line => line.length),
      )
      expect(longest).toBeLessThanOrEqual(columns)
    }
  })

  test('draws every figure of a call with its ratio', () => {
    const drawn = toTerminal(scenarioTable(byId(sampleReport(), 'isolation')), screen(columns))
    for (const text of ['41–49 µs', '21–29 µs', '0.55×', '1.60 M/s', '2.00×']) expect(drawn).toContain(text)
  })
})

test('draws the digest', () => {
  const table = digestTable(sampleReport())!
  expect(`\n${toTerminal({ ...table, about: 'About.', rows: table.rows.slice(0, 3) }, screen(80))}`)
    .toMatchInlineSnapshot(`
      "
       In short
       About.
                            raw     birpc      ring      port   isolation
                    MessagePort
       steady, p50     41–49 µs  41–49 µs  21–29 µs  51–59 µs  101–109 µs
                                    1.00×     0.55×     1.23×       2.35×
       burst, p50       45.0 µs   45.0 µs   25.0 µs   55.0 µs      105 µs
                                    1.00×     0.55×     1.23×       2.35×
       sparse, p50      45.0 µs   45.0 µs   25.0 µs   55.0 µs      105 µs
                                    1.00×     0.55×     1.23×       2.35×"
    `)
})

test('draws the cost of isolation', () => {
  expect(`\n${toTerminal({ ...costTable(sampleReport())!, about: 'About.' }, screen(80))}`).toMatchInlineSnapshot(`
    "
     Cost of isolation
     About.
                           one call  one of 64  derived from
     brownfield            21–29 µs   0.313 µs  ring-json
     + through the gate     50.0 µs   0.781 µs  pass-ring-json − ring-json
     + hook                 10.0 µs   0.156 µs  hook-ring-json − pass-ring-json
     + cipher               20.0 µs   0.313 µs  isolation-ring-json − hook-ring-json
     isolation           101–109 µs    1.56 µs  isolation-ring-json"
  `)
})

test('shows failures, and a dash for figures that were not measured', () => {
  const report = sampleReport(withFailure('events', 'isolation-ring-json', 'the gate is shut'))
  expect(toTerminal(scenarioTable(byId(report, 'events')), screen(80))).toContain('failed')
  expect(getFailures(report)).toEqual(['events/*/isolation-ring-json: the gate is shut'])
  const events = digestTable(report)!.rows.find(([name]) => name?.text.startsWith('events'))
  expect(events?.at(-1)?.text).toBe('–')
})

test('wraps a text between its words', () => {
  expect(wrap('one two three', 8)).toEqual(['one two', 'three'])
})
