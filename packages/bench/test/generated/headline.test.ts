// The first lines of README, home page and results.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { readFileSync } from 'node:fs'
import { allScenarios } from '../../src/scenarios/index.js'
import { expect, test, beforeAll, describe } from 'vitest'
import { toHeadline } from '../../../../scripts/results.mjs'
import { getAnswers } from '../../src/report/answers.js'
import type { Outcome } from '../../src/run/run.js'
import { getScenario, sampleReport, withFailure } from '../sample-report.js'

const scenarios = ['plugin', 'formats'].map(getScenario)

test('says what a message costs, what a plugin costs in five sandboxes, and where they were measured', () => {
  const report = sampleReport(undefined, scenarios)
  const [sentence, table, _about, place] = toHeadline(report).split('\n\n') as [string, string, string, string]
  const answers = getAnswers(report)
  expect(sentence).toBe(answers.find(({ of }) => of === 'formats')!.sentence)
  const drawn = table.split('\n').map(line => line.slice(1, -1).split('|'))
  expect(drawn[0]).toEqual([
    'sandbox',
    'start',
    'a call back to back',
    'calls a second',
    'memory of each further plugin',
  ])
  expect(drawn.slice(2).map(([name]) => name)).toContain("'process' in a wall, **for code of others**")
  expect(drawn).toHaveLength(2 + 5)
  const rows = answers.find(({ of }) => of === 'plugin')!.rows.map(row => row.slice(1).map(({ text }) => text))
  for (const [, ...figures] of drawn.slice(2)) expect(rows).toContainEqual(figures)
  expect(place).toBe('2026-01-02, 4 × Sample CPU 3.0 GHz, Node 20.20.2')
})

test('judges no codec whose interval holds no difference', () => {
  const alike = (outcomes: Outcome[]): Outcome[] => {
    for (const { processes } of outcomes.flatMap(({ cells }) => cells))
      for (const round of processes.flat()) Object.assign(round, { cpu: 1 })
    return outcomes
  }
  expect(toHeadline(sampleReport(alike, scenarios))).toContain('makes no measurable difference for a 100 B call')
})

test('needs the scenario of a plugin', () => {
  expect(() => toHeadline(sampleReport(undefined, [getScenario('shapes')]))).toThrow('no scenario "plugin"')
})

describe('the schema of results', () => {
  let validate: ValidateFunction

  beforeAll(() => {
    const schema = JSON.parse(
      readFileSync(new URL('../../schema/report.schema.json', import.meta.url), 'utf8'),
    ) as object
    validate = new Ajv2020({
      allErrors: true,
      strict: true,
      strictTypes: false,
      formats: { 'date-time': true },
    }).compile(schema)
  })

  const getErrors = (report: unknown): unknown => {
    validate(report)
    return validate.errors ?? []
  }

  test('the schema accepts a report', () => {
    expect(getErrors(JSON.parse(JSON.stringify(sampleReport())))).toEqual([])
  })

  test('the schema accepts a report of every scenario', () => {
    expect(getErrors(JSON.parse(JSON.stringify(sampleReport(undefined, allScenarios()))))).toEqual([])
  })

  test('the schema accepts a report with an arm that failed', () => {
    const failed = sampleReport(withFailure('formats', 'isolation-ring-json', 'no such thing'))
    expect(getErrors(JSON.parse(JSON.stringify(failed)))).toEqual([])
  })

  test('the schema refuses an invalid report', () => {
    const report = sampleReport()
    expect(getErrors({ ...report, schemaVersion: 1 })).not.toEqual([])
    expect(getErrors({ ...report, more: 1 })).not.toEqual([])
    expect(getErrors({ ...report, scenarios: [] })).not.toEqual([])
  })
})
