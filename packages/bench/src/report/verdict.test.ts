import { expect, test } from 'vitest'
import { sampleReport, tooNoisy, withFailure, getScenario } from '../../test/sample-report.js'
import { allScenarios } from '../scenarios/index.js'
import type { Report } from './report.js'
import { getTables } from './tables.js'
import { getNotes, getVerdict } from './verdict.js'

const formats = getScenario('formats')

test('says only that the noise check failed, and by how much, when it did', () => {
  const report = tooNoisy(sampleReport(withFailure('formats', 'raw', 'gone'), [formats]))
  expect(getVerdict(report)).toEqual({
    outcome: 'too noisy',
    line: 'Noise check failed: two identical arms differed by 43 % (limit: 25 %); the interval of two identical arms reached 67 % (limit: 50 %); other processes took 50 % of the CPU (limit: 10 %). Treat these figures as approximate.',
  })
})

test('names the figure that moved farthest first', () => {
  const report = tooNoisy(sampleReport(undefined, [formats]))
  report.noise!.moved = [
    { figure: 'formats/call/isolation-ring-json/p50', factor: 2.8 },
    { figure: 'formats/call/ring-json/p50', factor: 1.6 },
  ]
  expect(getVerdict(report).line).toMatch(
    /^Noise check failed: ring JSON, hook, encrypted \(a call\) moved 2\.80× within the run; 1 more figure moved, too; /,
  )
})

test('shows what exceeds a limit as more than that limit', () => {
  const report = tooNoisy(sampleReport(undefined, [formats]))
  report.noise!.checks[0]!.ratio = 1.2504
  expect(getVerdict(report).line).toContain('differed by 26 % (limit: 25 %)')
})

test('names failures first, and says how quiet the machine was', () => {
  expect(getVerdict(sampleReport(withFailure('channel', 'raw', 'gone')))).toEqual({
    outcome: 'failed',
    line: '1 failure. 4 scenarios measured.',
  })
  expect(getVerdict(sampleReport(undefined, allScenarios()))).toEqual({
    outcome: 'fine',
    line: 'The machine was quiet: two identical arms differed by 0 %.',
  })
})

/** A quiet run in which the ring sleeps in half of the rounds, of the cases that have these ids. */
const bimodal = (...cases: string[]): Report =>
  sampleReport(
    outcomes => {
      for (const { inCase, arm, processes } of outcomes.flatMap(({ cells }) => cells)) {
        const sleeps = arm.id === 'ring-json' && cases.includes(inCase.id)
        const [round] = processes[0]!
        const asleep = Object.fromEntries(Object.entries(round!).map(([id, value]) => [id, 4 * value]))
        processes.splice(0, processes.length, [round!, sleeps ? asleep : round!, round!, sleeps ? asleep : round!])
      }
      return outcomes
    },
    [getScenario('noise'), getScenario('shapes')],
  )

test('names bimodal figures next to a machine that was quiet', () => {
  const quiet = 'The machine was quiet: two identical arms differed by 0 %'
  expect(getVerdict(bimodal()).line).toBe(`${quiet}.`)
  expect(getVerdict(bimodal('steady')).line).toBe(`${quiet}, but 1 figure is bimodal: ring JSON (one after the other).`)
  expect(getVerdict(bimodal('steady', 'burst')).line).toBe(
    `${quiet}, but 2 figures are bimodal: ring JSON (one after the other), ring JSON (40 after a silence).`,
  )
  // An open loop has a p99, which varies on any machine and does not count.
  expect(getVerdict(bimodal('steady', 'burst', 'sparse', 'open-20k', 'open-60k')).line).toBe(
    `${quiet}, but 5 figures are bimodal: ring JSON (one after the other), ring JSON (40 after a silence), ring JSON (one each 4 ms), ring JSON (20,000/s offered), 1 more.`,
  )
})

test('a bimodal figure is a grey range in every table', () => {
  const [row] = getTables(bimodal('steady'))[0]!.table.rows
  expect(row![4]).toMatchObject({ text: '20–80 µs', tone: 'unclear' })
  expect(row![3]).toMatchObject({ text: '50 µs', tone: 'worse' })
})

test('notes say that rounds were left out', () => {
  const report = sampleReport()
  expect(getNotes({ ...report, mode: 'full' })).toEqual([])
  report.scenarios.find(({ id }) => id === 'formats')!.measuredRounds = 1
  expect(getNotes(report).join(' ')).toContain('fewer rounds were measured: formats 1 of 2.')
})

test('notes of a quick run leave tails to --full', () => {
  const report = sampleReport(undefined, [getScenario('shapes')])
  expect(getNotes(report)).toEqual([expect.stringContaining('p99 is not judged')])
})
