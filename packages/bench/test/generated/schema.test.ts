import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { readFileSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import { allScenarios } from '../../src/scenarios/index.js'
import { sampleReport, withFailure } from '../sample-report.js'

let validate: ValidateFunction

beforeAll(() => {
  const schema = JSON.parse(readFileSync(new URL('../../schema/report.schema.json', import.meta.url), 'utf8')) as object
  validate = new Ajv2020({ allErrors: true, strict: true, strictTypes: false, formats: { 'date-time': true } }).compile(
    schema,
  )
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
