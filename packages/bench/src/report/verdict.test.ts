import { expect, test } from 'vitest'
import { noisySample, sampleReport, tooNoisy, withFailure } from '../../test/sample-report.js'
import { allScenarios } from '../scenarios/index.js'
import { notes } from './notes.js'
import { smallestEffects, verdictOf } from './verdict.js'

test('too noisy: nothing else is judged, and it says how far it strayed', () => {
  const report = tooNoisy(sampleReport(withFailure('isolation', 'raw', 'gone'), allScenarios()))
  expect(verdictOf(report)).toEqual({
    outcome: 'too noisy',
    line: 'Too noisy to judge: what was measured twice differed from itself by 11 %, where 5 % is allowed.',
  })
  expect(notes(report)[0]).toContain('Too noisy to judge')
})

test('what failed comes before what was missed, and both before what was measured', () => {
  const links = allScenarios()
  expect(verdictOf(sampleReport(withFailure('start', 'worker', 'gone')))).toEqual({
    outcome: 'failed',
    line: '1 failure; goals: 1 met, 2 missed; 6 scenarios measured.',
  })
  expect(verdictOf(sampleReport(undefined, links)).outcome).toBe('missed')
  expect(verdictOf(sampleReport(undefined, links)).line).toMatch(
    /^Goals: \d+ met, \d+ missed; \d+ scenarios measured, and what was measured against itself agreed\.$/,
  )
  expect(verdictOf(sampleReport())).toEqual({ outcome: 'fine', line: 'Goals: 3 met, 0 missed; 6 scenarios measured.' })
})

test('the smallest effects of a run, where it has more than one round', () => {
  const { half, most } = smallestEffects(noisySample())!
  expect(half).toBeGreaterThan(1)
  expect(most).toBeGreaterThan(half)
  expect(smallestEffects({ scenarios: [] })).toBeNull()
})
