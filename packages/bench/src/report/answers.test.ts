import { expect, test } from 'vitest'
import { getScenario, noisySample, sampleReport, tooNoisy } from '../../test/sample-report.js'
import { mebibyte, smallCall } from '../model/payloads.js'
import type { Outcome } from '../run/run.js'
import { toPayloadScenario } from '../scenarios/index.js'
import { describeDifference, getAnswers, getDifference, type Table } from './answers.js'
import type { Figure } from './report.js'

const [FORMATS, HOOK, RINGS, SANDBOXES, FIRST_CALL] = [
  'JSON-RPC, MessagePack or bytes, with or without encryption?',
  'What does a hook cost?',
  'What do rings gain, and when do they lose?',
  'What does a plugin cost in each sandbox?',
  'What does the first call of a program cost?',
]

const getAnswer = (title: string, answers: readonly Table[] = getAnswers(noisySample())): Table =>
  answers.find(answer => answer.title === title)!

const getRow = ({ rows }: Table, name: string, from = 0): string[] =>
  rows
    .slice(from)
    .find(([title]) => title!.text.trim() === name)!
    .map(({ text }) => text)

const toFigure = (...rounds: number[]): Figure => ({
  ...{ id: 'p50', title: 'p50', unit: 'µs', better: 'lower', ratio: null, interval: null },
  ...{ median: rounds[0]!, processes: [rounds] },
})

test('the first answer is a table of formats with and without encryption, by size', () => {
  const [first] = getAnswers(sampleReport())
  expect(first!.title).toBe(FORMATS)
  expect(first!.columns).toEqual(['', '100 B call', '23.7 KiB document', '692 KiB document', '1 MiB bytes'])
  expect(first!.rows.map(([title]) => title!.text.trim())).toEqual(
    ['JSON-RPC', 'MessagePack', 'bytes'].flatMap(format => [format, 'with isolation', 'encryption']),
  )
  // The CPU time of many messages, then the latency of one alone.
  expect(first!.rows[0]![1]).toMatchObject({ text: '0.500 µs', note: '25.0 µs' })
  // The hook takes 2 µs, and 2.5 µs with encryption.
  expect(first!.rows[2]![1]).toMatchObject({ text: '+0.500 µs' })
})

test('the advice names options, sizes, and what encryption adds', () => {
  const { sentence } = getAnswer(FORMATS, getAnswers(sampleReport()))
  expect(sentence).toMatch(
    /^Take `codec: 'msgpack'` for every size \(0\.50×\); send what is bytes already as a `Uint8Array`: every size \(0\.40×\); /,
  )
  expect(sentence).toMatch(/; encryption \(`isolation`\) adds: 100 B call 0\.500 µs, 23\.7 KiB document /)
})

test('an answer names only what differs', () => {
  const alike = (outcomes: Outcome[]): Outcome[] => {
    for (const { processes } of outcomes.flatMap(({ cells }) => cells))
      for (const round of processes.flat()) Object.assign(round, { cpu: 1 })
    return outcomes
  }
  const { sentence } = getAnswer(FORMATS, getAnswers(sampleReport(alike)))
  expect(sentence).toMatch(
    /^No difference between JSON-RPC and MessagePack can be told of \d+ rounds; encryption .* adds: 100 B call not measurable \(below /,
  )
  expect(sentence).not.toMatch(/codec|Uint8Array/)
})

test('a run that failed its noise check has ranges of two digits, and no sentence', () => {
  for (const { sentence, rows } of getAnswers(tooNoisy(noisySample()))) {
    expect(sentence).toBeUndefined()
    for (const { text, note = '', tone } of rows.flatMap(([, ...row]) => row)) {
      expect(`${text} ${note}`).not.toMatch(/×|[1-9]\d*\.\d\d|\d{3}\.\d|[1-9]\d[1-9]/)
      expect(tone === 'better' || tone === 'worse').toBe(false)
    }
  }
})

test('the cost of a hook is the difference of two arms without encryption', () => {
  const answer = getAnswer(HOOK, getAnswers(sampleReport()))
  expect(getRow(answer, 'JSON-RPC')[1]).toBe('+1.50 µs')
  expect(answer.sentence).toMatch(/^Without its encryption, a hook in its gate adds: 100 B call 1\.50 µs, /)
})

test('rings are compared with ports, and named where they gain', () => {
  const { sentence, rows } = getAnswer(RINGS, getAnswers(sampleReport()))
  expect(sentence).toMatch(/^A ring is faster than a port for calls back to back, 40 calls after a silence, /)
  expect(rows.at(-1)!.map(({ text, note }) => note ?? text)).toEqual(['64 calls in flight', '1.28 M/s', '2.50×'])
})

test('the start of a plugin and that of a program are two answers, each sorted by a call', () => {
  const both = [getScenario('few-calls'), getScenario('plugin')]
  const answers = getAnswers(sampleReport(undefined, both))
  expect(answers.map(({ title }) => title)).toEqual([SANDBOXES, FIRST_CALL])
  expect(answers.map(({ columns }) => columns[1])).toEqual(['start to first call', 'import to first answer'])
  for (const { rows } of answers) expect(rows.length).toBeGreaterThan(3)
})

test('has no answer to what was not measured', () => {
  expect(getAnswers(sampleReport(undefined, [getScenario('one-thread')]))).toEqual([])
})

test('a payload of the user has the same table', () => {
  const scenario = toPayloadScenario({ ...mebibyte(), id: 'picture', title: 'picture.bin' })
  const [answer] = getAnswers(sampleReport(undefined, [scenario]))
  expect(answer!.title).toBe('How to send picture.bin, 1.00 MiB?')
  expect(answer!.rows).toHaveLength(9)
  expect(answer!.sentence).toMatch(/^Take `codec: 'msgpack'` for 1\.00 MiB \(0\.50×\)/)
  expect(toPayloadScenario(smallCall).title).toBe('{ name, n, tags[3], note }, 100 B')
})

const six = (low: number, high: number): Figure => toFigure(low, high, low, high, low, high)

test('a difference that cannot be told from zero, or is negative, is not measurable', () => {
  const describe = (figure: Figure, before: Figure): string => describeDifference(getDifference(figure, before)!)
  expect(describe(six(10, 20), six(15, 15))).toBe('not measurable (below 5.00 µs)')
  expect(describe(six(10, 12), six(15, 15))).toBe('not measurable (below 5.00 µs)')
  expect(describe(six(30, 32), six(15, 15))).toBe('16.0 µs')
})
