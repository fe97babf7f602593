import pc from 'picocolors'
import { describe, expect, test } from 'vitest'
import { sampleReport, withFailure } from '../../test/sample-report.js'
import { allScenarios } from '../scenarios/index.js'
import { digestTable } from './digest.js'
import { goalsTable } from './goals.js'
import type { Report, ScenarioReport } from './report.js'
import { failures, scenarioTable } from './table.js'
import { drawCost, drawTable, wrap, type Screen } from './terminal.js'

const screen = (columns: number): Screen => ({ columns, colors: pc.createColors(false) })
const byId = (report: Report, id: string): ScenarioReport => report.scenarios.find(one => one.id === id)!
const drawAll = (report: Report, columns: number): string =>
  [...report.scenarios.map(scenarioTable), digestTable(report), goalsTable(report)]
    .filter(table => table !== undefined)
    .map(table => drawTable(table, screen(columns)))
    .concat(drawCost(report.isolationCost, screen(columns)))
    .join('\n')

describe.each([80, 100, 120])('on %i columns', columns => {
  test('no line is longer than the screen', () => {
    for (const report of [sampleReport(), sampleReport(undefined, allScenarios())]) {
      const longest = Math.max(
        ...drawAll(report, columns)
          .split('\n')
          .map(line => line.length),
      )
      expect(longest).toBeLessThanOrEqual(columns)
    }
  })

  test('every figure of a call is there, with its ratio', () => {
    const drawn = drawTable(scenarioTable(byId(sampleReport(), 'isolation')), screen(columns))
    for (const text of ['45.0 µs', '25.0 µs', '0.55×', '1.60 M/s', '2.00×']) expect(drawn).toContain(text)
  })
})

test('the digest', () => {
  const table = digestTable(sampleReport())!
  expect(`\n${drawTable({ ...table, rows: table.rows.slice(0, 3) }, screen(80))}`).toMatchInlineSnapshot(`
    "
     In short
     × is the ratio to the reference, round by round: of a time less is better, of
     a rate (/s) more. * The reference of a start is one empty Worker.
                                raw MessagePort       brownfield       isolation
     a call (median), JSON              45.0 µs   25.0 µs  0.55×   105 µs  2.35×
     calls, 64 in flight, JSON         1.60 M/s  3.20 M/s  2.00×  640 k/s  0.40×
     GitHub pull request event          45.0 µs   25.0 µs  0.55×   105 µs  2.35×"
  `)
})

test('what isolation costs', () => {
  expect(`\n${drawCost(sampleReport().isolationCost, screen(80))}`).toMatchInlineSnapshot(`
    "
     What isolation costs, JSON
                         a call alone  each of 64
     brownfield               25.0 µs    0.313 µs  █████
     + through the gate       50.0 µs    0.781 µs  ██████████
         codec                2.00 µs           –
         hop                  48.0 µs           –  █████████
     + hook                   10.0 µs    0.156 µs  ██
     + cipher                 20.0 µs    0.313 µs  ████
     isolation                 105 µs     1.56 µs  ████████████████████"
  `)
})

test('what failed says so, and what was not measured is a dash', () => {
  const report = sampleReport(withFailure('events', 'isolation-ring-json', 'the gate is shut'))
  expect(drawTable(scenarioTable(byId(report, 'events')), screen(80))).toContain('failed')
  expect(failures(report)).toEqual(['events/*/isolation-ring-json: the gate is shut'])
  const events = digestTable(report)!.rows.find(([name]) => name?.text.startsWith('events'))
  expect(events?.at(-1)?.text).toBe('–')
})

test('wrap breaks between words', () => {
  expect(wrap('one two three', 8)).toEqual(['one two', 'three'])
})
