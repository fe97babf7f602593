import { expect, test } from 'vitest'
import { getScenario, noisySample, sampleReport, tooNoisy } from '../../test/sample-report.js'
import { mebibyte, smallCall } from '../model/payloads.js'
import type { Outcome } from '../run/run.js'
import { toPayloadScenario } from '../scenarios/index.js'
import { type Cell, drawDifference, getAnswers, type Table } from './answers.js'
import type { Figure } from './report.js'

const CHOICE = 'What does a message cost, and which codec to take?'
const SPEED = 'How fast is each format?'
const RINGS = 'What do rings gain, and when do they lose?'
const SANDBOXES = 'What does a plugin cost in each sandbox?'
const FIRST_CALL = 'What does the first call of a program cost?'

const getAnswer = (title: string, answers: readonly Table[] = getAnswers(noisySample())): Table =>
  answers.find(answer => answer.title === title)!

const toFigure = (...rounds: number[]): Figure => ({
  ...{ id: 'p50', title: 'p50', unit: 'µs', better: 'lower', ratio: null, interval: null },
  ...{ median: rounds[0]!, processes: [rounds] },
})

test('the first answer has the cost of each size, the codecs, and what the hook and encryption add', () => {
  const [first] = getAnswers(sampleReport())
  expect(first!.title).toBe(CHOICE)
  const texts = first!.rows.map(row => row.map(({ text }) => text))
  expect(texts.map(([size]) => size)).toEqual(['100 B call', '23.7 KiB document', '692 KiB document', '1 MiB of bytes'])
  expect(first!.columns).toHaveLength(texts[0]!.length)
  for (const [, ...row] of texts)
    expect(row).toEqual(['0.500 µs', '50 % less', "codec: 'msgpack'", '0.200 µs', '+1.50 µs', '+0.500 µs'])
})

/** The first row and the sentence, where MessagePack takes this CPU time in each round of each size, and JSON-RPC 13.1 µs. */
const choose = (...times: number[]): { row: string[]; sentence: string } => {
  const costs: Record<string, number> = { 'hook-ring-json': 23, 'isolation-ring-json': 26 }
  const change = (outcomes: Outcome[]): Outcome[] => {
    for (const { inCase, arm, processes } of outcomes.flatMap(({ cells }) => cells))
      processes[0] = times.map(cpu => ({
        cpu: arm.id === 'ring-msgpack' ? 13.1 * (inCase.id === 'call' ? cpu : 1.55) : (costs[arm.id] ?? 13.1),
        rate: 76_300,
      }))
    return outcomes
  }
  const formats = getScenario('formats')
  const { rows, sentence } = getAnswer(
    CHOICE,
    getAnswers(sampleReport(change, [{ ...formats, cases: formats.cases.slice(0, 2) }])),
  )
  const row = rows[0]!.slice(2, 4).map(({ text, note }) => [text, note].filter(Boolean).join(' '))
  return { row, sentence: sentence! }
}

test('says what a call costs, how the codecs compare, and what the hook and encryption add', () => {
  expect(choose(0.82, 0.75, 0.77, 0.73, 0.82, 0.73)).toEqual({
    row: ['24 % less 18–27 %', "codec: 'msgpack'"],
    sentence:
      "A 100 B call costs 13 µs of CPU in all threads, 76,000 a second without a sandbox. Take codec 'msgpack' for a 100 B call: it costs 24 % less than 'json', the default. Keep codec 'json' for a 23.7 KiB document: 'msgpack' costs 55 % more. Isolation, which is off by default, adds to it 9.9 µs by its hook and 3 µs by its encryption.",
  })
  expect(choose(1.55, 1.45, 1.55, 1.45, 1.55, 1.45).row).toEqual(['50 % more 45–55 %', "codec: 'json'"])
})

test('takes no codec unless a difference was found', () => {
  for (const times of [Array<number>(6).fill(1), [3, 0.3, 3, 0.3, 3, 0.3]]) {
    const { row, sentence } = choose(...times)
    expect(row).toEqual(['no measurable difference 6 rounds', '–'])
    expect(sentence).toMatch(/The codec makes no measurable difference for a 100 B call \(6 rounds\)\./)
  }
  expect(choose(3, 3, 3, 3, 3).row).toEqual(['no measurable difference 5 rounds', '–'])
})

test('under the first answer are the sandboxes by start, memory and a call', () => {
  const [, second] = getAnswers(sampleReport())
  expect(second!.columns).toEqual(['sandbox', 'start', 'memory', 'a call after 20 ms'])
  expect(second!.rows.map(([name]) => name!.text)).toEqual(
    expect.arrayContaining(["'permission'", "'quickjs'", "'process' in a wall"]),
  )
})

test('few rounds give ranges of two digits, without a ratio or a tone', () => {
  const few = (outcomes: Outcome[]): Outcome[] => {
    for (const { processes } of outcomes.flatMap(({ cells }) => cells)) processes[0]!.splice(5)
    return outcomes
  }
  const scenarios = ['formats', 'plugin', 'few-calls'].map(getScenario)
  for (const { rows } of getAnswers(sampleReport(few, scenarios))) {
    for (const { text, note, tone } of rows.flatMap(([, ...row]) => row)) {
      expect(text).not.toMatch(/×|[1-9]\d*\.\d\d|\d{3}\.\d|[1-9]\d[1-9]/)
      expect(note ?? '').not.toContain('×')
      expect(tone === 'better' || tone === 'worse').toBe(false)
    }
  }
})

test('each format has its latency and its rates of messages and of bytes', () => {
  const { columns, rows } = getAnswer(SPEED, getAnswers(sampleReport(undefined, [getScenario('speed')])))
  expect(columns.slice(1)).toEqual(['latency alone', 'messages a second', 'bytes a second'])
  expect(rows.find(([title]) => title!.text === "100 B call, codec: 'json'")!.map(({ text }) => text)).toEqual([
    ...["100 B call, codec: 'json'", '25.0 µs', '3.20 M/s', '320 MB/s'],
  ])
})

test('what was measured beside identical arms that differ has ranges of two digits, and no ratio', () => {
  const [answer] = getAnswers(tooNoisy(noisySample([getScenario('formats')])))
  for (const { text, note = '', tone } of answer!.rows.flatMap(([, ...row]) => row)) {
    expect(`${text} ${note}`).not.toMatch(/×|[1-9]\d*\.\d\d|\d{3}\.\d|[1-9]\d[1-9]/)
    expect(tone === 'better' || tone === 'worse').toBe(false)
  }
})

test('rings are compared with ports by each shape of traffic', () => {
  const { rows } = getAnswer(RINGS, getAnswers(sampleReport()))
  expect(rows.at(-1)!.map(({ text, note }) => note ?? text).slice(0, 4)).toEqual(['64 calls in flight', '1.28 M/s', '1.00×', '2.50×']) // prettier-ignore
})

test('the start of a plugin and that of a program are two answers', () => {
  const both = [getScenario('few-calls'), getScenario('plugin')]
  const answers = getAnswers(sampleReport(undefined, both))
  expect(answers.map(({ title }) => title)).toEqual([SANDBOXES, FIRST_CALL])
  expect(answers.map(({ columns }) => columns[1])).toEqual(['start', 'import to first answer'])
  for (const { rows } of answers) expect(rows.length).toBeGreaterThan(3)
})

test('has no answer to what was not measured', () => {
  expect(getAnswers(sampleReport(undefined, [getScenario('one-thread')]))).toEqual([])
})

test('a payload of the user has the same tables, with its name', () => {
  const scenario = toPayloadScenario({ ...mebibyte(), id: 'picture', title: 'picture.bin' })
  const [answer, speed] = getAnswers(sampleReport(undefined, [scenario]))
  expect(answer!.title).toBe('How to send picture.bin, 1.00 MiB?')
  expect(answer!.sentence).toMatch(/^Payload picture\.bin \(1\.00 MiB\) costs 0\.5 µs of CPU in all threads, /)
  expect(speed!.title).toBe('How fast is picture.bin, 1.00 MiB, in each format?')
  expect(answer!.rows.map(row => row[0]!.text)).toEqual(['1.00 MiB'])
  expect(toPayloadScenario(smallCall).title).toBe('{ name, n, tags[3], note }, 100 B')
})

const NONE: Cell = { text: 'not measurable', note: 'below 5.00 µs' }

const six = (low: number, high: number): Figure => toFigure(low, high, low, high, low, high)

test('a difference that cannot be told from zero, or is negative, is not measurable', () => {
  const draw = (figure: Figure, before: Figure): Cell => drawDifference(figure, before, { isRefused: false })
  expect(draw(six(10, 20), six(15, 15))).toEqual(NONE)
  expect(draw(six(10, 12), six(15, 15))).toEqual(NONE)
  expect(draw(six(30, 32), six(15, 15))).toEqual({ text: '+16.0 µs', note: '15–17 µs' })
  expect(draw(toFigure(30, 32), toFigure(15, 15))).toEqual({ text: '15–17 µs' })
})
