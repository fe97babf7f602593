import { describe, expect, test } from 'vitest'
import { noisySample, sampleReport, tooNoisy, withFailure } from '../../test/sample-report.js'
import { allScenarios, getScenario } from '../scenarios/index.js'
import type { Report } from './report.js'
import { getNotes, smallestEffects, getVerdict } from './verdict.js'

const isolation = getScenario('isolation')

test('says only that the noise check failed, and by how much, when it did', () => {
  const report = tooNoisy(sampleReport(withFailure('isolation', 'raw', 'gone'), [isolation]))
  expect(getVerdict(report)).toEqual({
    outcome: 'too noisy',
    line: 'Noise check failed: two identical arms differed by 11 % (limit: 5 %); the interval of two identical arms reached 25 % (limit: 10 %); other processes took 50 % of the CPU (limit: 10 %). Treat these figures as approximate.',
  })
  expect(getNotes(report)[0]).toContain('Noise check failed')
})

test('names failures first, then missed goals, then what was measured', () => {
  const links = allScenarios()
  expect(getVerdict(sampleReport(withFailure('start', 'worker', 'gone')))).toEqual({
    outcome: 'failed',
    line: expect.stringMatching(/^1 failure; goals: \d+ met, \d+ missed; 7 scenarios measured\.$/),
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

test('knows the smallest effects of a run with more than one round', () => {
  const { half, most } = smallestEffects(noisySample())!
  expect(half).toBeGreaterThan(1)
  expect(most).toBeGreaterThan(half)
  expect(smallestEffects({ scenarios: [] })).toBeNull()
})

describe('notes', () => {
  const noted = (change: (report: Report) => void): string => {
    const report = sampleReport()
    change(report)
    return getNotes(report).join(' ')
  }

  test('say what the run could have shown, and how steady the reference was, when the machine is quiet', () => {
    const [effect, reference] = getNotes(sampleReport())
    expect(effect).toMatch(/^The smallest effect that half .* could have shown is \d+ %; of nine in ten, \d+ %\.$/)
    expect(reference).toBe("The reference's own p50 lay between 40.0 µs and 50.0 µs from round to round.")
  })

  test('say that the reference jumped or rounds were left out', () => {
    const jumped = noted(({ scenarios }) => (scenarios[1]!.cases[0]!.results[0]!.figures[0]!.high = 100))
    expect(jumped).toContain('trust the ratios')
    expect(noted(({ isolationCost }) => (isolationCost[3]!.pipelined = -1))).toContain(
      'A step of the isolation cost below',
    )
    const late = noted(({ scenarios }) => (scenarios[2]!.measuredRounds = 1))
    expect(late).toContain('fewer rounds were measured: documents 1 of 2.')
  })
})
