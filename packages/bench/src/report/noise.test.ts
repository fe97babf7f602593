import { expect, test } from 'vitest'
import { getScenario, sampleReport, tooNoisy, withFailure } from '../../test/sample-report.js'
import { Cells, getAnswers } from './answers.js'
import type { CaseReport, Figure } from './report.js'
import { getLeftOut, getNotes, getVerdict, isRefused } from './noise.js'

const formats = getScenario('formats')

test('names failures first, then what was refused, and says what other programs took as a fact', () => {
  expect(getVerdict(sampleReport(withFailure('shapes', 'raw', 'gone')))).toEqual({
    outcome: 'failed',
    line: '1 failure. 6 scenarios measured.',
  })
  const report = tooNoisy(sampleReport(undefined, [formats]), 'devtools')
  report.othersCpu = 0.5
  expect(getVerdict(report)).toEqual({
    outcome: 'fine',
    line: '1 scenario measured. Refused: 692 KiB document: two identical arms differed by at least 30 %. Other programs took 50 % of the CPU.',
  })
})

test('is too noisy only if all is that was measured twice', () => {
  expect(getVerdict(tooNoisy(sampleReport(undefined, [formats]))).outcome).toBe('too noisy')
  expect(getVerdict(sampleReport(undefined, [formats])).outcome).toBe('fine')
})

test('notes say what ended the rounds', () => {
  const report = sampleReport(undefined, [formats])
  expect(getNotes(report)).toEqual([])
  report.scenarios[0]!.ended = 'time'
  expect(getNotes(report)).toEqual(['formats: 6 rounds, until the time was over.'])
  report.scenarios[0]!.ended = 'intervals'
  for (const { figures } of report.scenarios[0]!.cases[0]!.results) figures[0]!.processes[0]!.push(1)
  expect(getNotes(report)).toEqual(['formats: 6 to 7 rounds, until all were narrow.'])
})

const figure = (ratio: number | null, interval: [number, number] | null, more: Partial<Figure> = {}): Figure => ({
  ...{ id: 'p50', title: 'p50', unit: 'µs', better: 'lower', median: 10, processes: [[10]], ratio, interval, ...more },
})

/** Results with the interval of identical arms. */
const beside = (interval: [number, number]): Pick<CaseReport, 'results'> => ({
  results: [{ arm: 'raw-again', figures: [figure(1, interval)] }],
})

test('a figure is slower or faster if its whole interval is, by the direction of the figure', () => {
  const cells = new Cells({ results: [] })
  expect(cells.judge(figure(1.2, [1.01, 1.3]))).toBe('slower')
  expect(cells.judge(figure(0.8, [0.7, 0.9]))).toBe('faster')
  expect(cells.judge(figure(0.8, [0.7, 0.9], { better: 'higher' }))).toBe('slower')
  expect(cells.judge(figure(1.3, [0.9, 1.5]))).toBe('unclear')
  expect(cells.judge(figure(3, null))).toBe('unclear')
})

test('a case is refused if the interval of its identical arms leaves out 1 by more than a tenth, in either direction', () => {
  expect(
    (
      [
        [0.8, 1.3],
        [1.09, 1.2],
        [1.11, 1.2],
        [0.8, 0.92],
        [0.8, 0.9],
      ] as const
    ).map(([low, high]) => isRefused(beside([low, high]))),
  ).toEqual([false, false, true, false, true])
  expect(getLeftOut({ results: [] })).toBe(1)
})

test('a difference counts beyond what the interval of identical arms leaves out, and nothing does where that is much', () => {
  const judge = (interval: [number, number]): string => new Cells(beside(interval)).judge(figure(1.1, [1.05, 1.2]))
  expect([judge([0.8, 1.2]), judge([1.04, 1.2]), judge([1.07, 1.2]), judge([1.2, 1.3])]).toEqual([
    'slower',
    'slower',
    'unclear',
    'unclear',
  ])
})

test('refuses one case, and says so, and leaves the others as they are', () => {
  const [steady, noisy] = [
    sampleReport(undefined, [formats]),
    tooNoisy(sampleReport(undefined, [formats]), 'call'),
  ].map(report => getAnswers(report)[0]!)
  expect(noisy!.rows.slice(1)).toEqual(steady!.rows.slice(1))
  expect(noisy!.rows[0]!.map(({ text }) => text).slice(2, 4)).toEqual(['not told', '–'])
  expect(noisy!.sentence).toContain(
    'Nothing can be told of a 100 B call: two identical arms differed by at least 30 %.',
  )
})
