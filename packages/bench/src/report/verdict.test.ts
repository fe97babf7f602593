import { expect, test } from 'vitest'
import { sampleReport, tooNoisy, withFailure, getScenario } from '../../test/sample-report.js'
import { allScenarios } from '../scenarios/index.js'
import { getNotes, getVerdict } from './verdict.js'

const isolation = getScenario('isolation')

test('says only that the noise check failed, and by how much, when it did', () => {
  const report = tooNoisy(sampleReport(withFailure('isolation', 'raw', 'gone'), [isolation]))
  expect(getVerdict(report)).toEqual({
    outcome: 'too noisy',
    line: 'Noise check failed: two identical arms differed by 11 % (limit: 5 %); the interval of two identical arms reached 25 % (limit: 10 %); other processes took 50 % of the CPU (limit: 10 %). Treat these figures as approximate.',
  })
})

test('names failures first, then missed goals, then what was measured', () => {
  const links = allScenarios()
  expect(getVerdict(sampleReport(withFailure('start', 'worker', 'gone')))).toEqual({
    outcome: 'failed',
    line: expect.stringMatching(/^1 failure; goals: \d+ met, \d+ missed; 8 scenarios measured\.$/),
  })
  expect(getVerdict(sampleReport(undefined, links)).outcome).toBe('missed')
  expect(getVerdict(sampleReport(undefined, links)).line).toMatch(
    /^Goals: \d+ met, \d+ missed; \d+ scenarios measured, and the noise check passed\.$/,
  )
  expect(getVerdict(sampleReport(undefined, [getScenario('start')]))).toEqual({
    outcome: 'fine',
    line: 'Goals: 2 met, 0 missed; 1 scenario measured.',
  })
})

test('notes say that rounds were left out', () => {
  const report = sampleReport()
  expect(getNotes(report)).toEqual([])
  report.scenarios.find(({ id }) => id === 'documents')!.measuredRounds = 1
  expect(getNotes(report).join(' ')).toContain('fewer rounds were measured: documents 1 of 2.')
})
