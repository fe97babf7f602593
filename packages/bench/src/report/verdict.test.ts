import { expect, test } from 'vitest'
import { sampleReport, tooNoisy, withFailure, getScenario } from '../../test/sample-report.js'
import { allScenarios } from '../scenarios/index.js'
import { getNotes, getVerdict } from './verdict.js'

const isolation = getScenario('isolation')

test('says only that the noise check failed, and by how much, when it did', () => {
  const report = tooNoisy(sampleReport(withFailure('isolation', 'raw', 'gone'), [isolation]))
  expect(getVerdict(report)).toEqual({
    outcome: 'too noisy',
    line: 'Noise check failed: two identical arms differed by 11.2 % (limit: 5 %); the interval of two identical arms reached 25 % (limit: 10 %); other processes took 50 % of the CPU (limit: 10 %). Treat these figures as approximate.',
  })
})

test('names the figure that moved farthest first', () => {
  const report = tooNoisy(sampleReport(undefined, [isolation]))
  report.noise!.moved = [
    { figure: 'isolation/1/isolation-ring-json/p50', factor: 2.8 },
    { figure: 'isolation/1/ring-json/p50', factor: 1.6 },
  ]
  expect(getVerdict(report).line).toMatch(
    /^Noise check failed: isolation, ring JSON \(one at a time\) moved 2\.80× within the run; 1 more figure moved, too; /,
  )
})

test('shows what exceeds a limit as more than that limit', () => {
  const report = tooNoisy(sampleReport(undefined, [isolation]))
  report.noise!.checks[0]!.ratio = 1.0504
  expect(getVerdict(report).line).toContain('differed by 5.1 % (limit: 5 %)')
})

test('names failures first, and says how quiet the machine was', () => {
  expect(getVerdict(sampleReport(withFailure('start', 'worker', 'gone')))).toEqual({
    outcome: 'failed',
    line: '1 failure. 8 scenarios measured.',
  })
  expect(getVerdict(sampleReport(undefined, allScenarios()))).toEqual({
    outcome: 'fine',
    line: 'The machine was quiet: two identical arms differed by 0 %.',
  })
})

test('notes say that rounds were left out', () => {
  const report = sampleReport()
  expect(getNotes({ ...report, mode: 'full' })).toEqual([])
  report.scenarios.find(({ id }) => id === 'documents')!.measuredRounds = 1
  expect(getNotes(report).join(' ')).toContain('fewer rounds were measured: documents 1 of 2.')
})

test('notes name the scenarios with more rounds, because a figure moved', () => {
  const report = sampleReport()
  report.scenarios.find(({ id }) => id === 'documents')!.measuredRounds = 4
  expect(getNotes(report)).toContain('A figure moved, so twice the rounds were measured: documents.')
})

test('notes of a quick run leave tails, and arms that were not warm, to --full', () => {
  const report = sampleReport(undefined, [getScenario('shapes')])
  report.scenarios[0]!.notStationary = 59
  const notes = getNotes(report).join(' ')
  expect(notes).toContain('Not warmed up in 59 slots: use --full.')
  expect(notes).toContain('p99 is not judged')
})
