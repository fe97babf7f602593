import { expect, test } from 'vitest'
import { getScenario, noisySample, sampleReport, tooNoisy } from '../../test/sample-report.js'
import { mebibyte, smallCall } from '../model/payloads.js'
import type { Scenario } from '../model/scenario.js'
import type { Outcome } from '../run/run.js'
import { toPayloadScenario } from '../scenarios/index.js'
import { type Cell, drawDifference, getAnswers, type Table } from './answers.js'
import type { Figure } from './report.js'

const CHOICE = 'Which codec to take, and what does encryption add?'
const SPEED = 'How fast is each format?'
const HOOK = 'What does a hook cost?'
const RINGS = 'What do rings gain, and when do they lose?'
const SANDBOXES = 'What does a plugin cost in each sandbox?'
const FIRST_CALL = 'What does the first call of a program cost?'

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

test('the first answer says what to take instead of what for each size, by which factor, and what encryption adds', () => {
  const [first] = getAnswers(sampleReport())
  expect(first!.title).toBe(CHOICE)
  expect(first!.columns).toEqual(['what you send', 'take', 'instead of', 'CPU time', 'encryption adds'])
  const texts = first!.rows.map(row => row.map(({ text }) => text))
  expect(texts.map(([size]) => size)).toEqual(['100 B call', '23.7 KiB document', '692 KiB document', '1 MiB bytes'])
  for (const [, ...row] of texts)
    expect(row).toEqual(["codec: 'msgpack'", 'JSON-RPC, the default', '0.50×', '+0.500 µs'])
})

/** The CPU time of MessagePack in each round of each size, where JSON-RPC takes 1 µs. */
const choose = (times: number[]): string[] => {
  const change = (outcomes: Outcome[]): Outcome[] => {
    for (const { arm, processes } of outcomes.flatMap(({ cells }) => cells))
      processes.splice(
        0,
        processes.length,
        times.map(cpu => ({ cpu: arm.id === 'ring-msgpack' ? cpu : 1, p50: 1 })),
      )
    return outcomes
  }
  const { rows } = getAnswer(CHOICE, getAnswers(sampleReport(change, [getScenario('formats')])))
  return rows[0]!.slice(1, 4).map(({ text, note }) => [text, note].filter(Boolean).join(' '))
}

test('the factor is that of the codec to take', () => {
  expect(choose([1.55, 1.45, 1.55, 1.45, 1.55, 1.45])).toEqual([
    'JSON-RPC, the default',
    "codec: 'msgpack'",
    '0.67× 0.65–0.69×',
  ])
})

test('no codec is named when the interval holds no difference, or of fewer than six rounds', () => {
  expect(choose([1, 1, 1, 1, 1, 1])).toEqual(['either codec', '–', 'no difference can be told of 6 rounds'])
  expect(choose([3, 0.3, 3, 0.3, 3, 0.3])).toEqual(['either codec', '–', 'no difference can be told of 6 rounds'])
  expect(choose([3, 3, 3, 3, 3])).toEqual(['either codec', '–', 'no difference can be told of 5 rounds'])
})

test('under the first answer are the sandboxes by start, memory and a call, and sentences name no yardstick', () => {
  const [, second] = getAnswers(sampleReport())
  expect(second!.columns).toEqual(['sandbox', 'start to first call', 'memory', 'a call each 20 ms'])
  expect(second!.rows.map(([name]) => name!.text)).toEqual(
    expect.arrayContaining(["'permission'", "'quickjs'", "'process' in a wall"]),
  )
  const slower = (outcomes: Outcome[]): Outcome[] => {
    for (const { arm, processes } of outcomes.flatMap(({ cells }) => cells))
      for (const round of processes.flat()) if (arm.id !== 'worker') round['ready'] = round['ready']! * 2
    return outcomes
  }
  const { sentence } = getAnswer(SANDBOXES, getAnswers(sampleReport(slower, [getScenario('plugin')])))
  expect(sentence).toMatch(/^To its first call, '\w+'.* takes \d\.00× \(\d\.00×\) and .* the time of a raw Worker\.$/)
  expect(sentence).not.toContain('fork')
})

test('few rounds give ranges of two digits, without a ratio, a tone or a sentence', () => {
  const few = (outcomes: Outcome[]): Outcome[] => {
    for (const { processes } of outcomes.flatMap(({ cells }) => cells)) processes[0]!.splice(5)
    return outcomes
  }
  const scenarios = ['formats', 'plugin', 'few-calls'].map(getScenario)
  for (const { sentence, rows } of getAnswers(sampleReport(few, scenarios))) {
    expect(sentence).toBeUndefined()
    for (const { text, note, tone } of rows.flatMap(([, ...row]) => row)) {
      expect(text).not.toMatch(/×|[1-9]\d*\.\d\d|\d{3}\.\d|[1-9]\d[1-9]/)
      expect(note ?? '').not.toContain('×')
      expect(tone === 'better' || tone === 'worse').toBe(false)
    }
  }
})

test('each format has its rates of messages and of bytes, and what it bears if that was measured', () => {
  const [formats, load] = ['formats', 'load'].map(getScenario) as [Scenario, Scenario]
  const { columns, rows } = getAnswer(SPEED, getAnswers(sampleReport(undefined, [formats])))
  expect(columns.slice(1)).toEqual(['CPU time', 'latency alone', 'messages a second', 'bytes a second'])
  expect(rows.find(([title]) => title!.text === '100 B call as JSON-RPC')!.map(({ text }) => text)).toEqual([
    ...['100 B call as JSON-RPC', '0.500 µs', '25.0 µs', '3.20 M/s', '320 MB/s'],
  ])
  const withLoad = getAnswer(SPEED, getAnswers(sampleReport(undefined, [formats, load])))
  expect(withLoad.columns.slice(5)).toEqual(['p99 at half load', 'p99 below 5 ms up to'])
  expect(withLoad.rows[1]!.slice(5).map(({ tone }) => tone)).not.toContain('missing')
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
})

test('rings are compared with ports, and named where they gain', () => {
  const { sentence, rows } = getAnswer(RINGS, getAnswers(sampleReport()))
  expect(sentence).toMatch(/^A ring is faster than a port for calls back to back, 40 calls after a silence, /)
  expect(rows.at(-1)!.map(({ text, note }) => note ?? text)).toEqual(['64 calls in flight', '1.28 M/s', '2.50×'])
})

test('the start of a plugin and that of a program are two answers', () => {
  const both = [getScenario('few-calls'), getScenario('plugin')]
  const answers = getAnswers(sampleReport(undefined, both))
  expect(answers.map(({ title }) => title)).toEqual([SANDBOXES, FIRST_CALL])
  expect(answers.map(({ columns }) => columns[1])).toEqual(['start to first call', 'import to first answer'])
  for (const { rows } of answers) expect(rows.length).toBeGreaterThan(3)
})

test('has no answer to what was not measured', () => {
  expect(getAnswers(sampleReport(undefined, [getScenario('one-thread')]))).toEqual([])
})

test('a payload of the user has the same tables, with its name', () => {
  const scenario = toPayloadScenario({ ...mebibyte(), id: 'picture', title: 'picture.bin' })
  const [answer, speed] = getAnswers(sampleReport(undefined, [scenario]))
  expect(answer!.title).toBe('How to send picture.bin, 1.00 MiB?')
  expect(speed!.title).toBe('How fast is picture.bin, 1.00 MiB, in each format?')
  expect(answer!.rows.map(row => row.slice(0, 2).map(({ text }) => text))).toEqual([['1.00 MiB', "codec: 'msgpack'"]])
  expect(toPayloadScenario(smallCall).title).toBe('{ name, n, tags[3], note }, 100 B')
})

const six = (low: number, high: number): Figure => toFigure(low, high, low, high, low, high)

test('a difference that cannot be told from zero, or is negative, is not measurable', () => {
  const draw = (figure: Figure, before: Figure): Cell => drawDifference(figure, before, { isNoisy: false })
  expect(draw(six(10, 20), six(15, 15))).toEqual({ text: 'not measurable', note: 'below 5.00 µs' })
  expect(draw(six(10, 12), six(15, 15))).toEqual({ text: 'not measurable', note: 'below 5.00 µs' })
  expect(draw(six(30, 32), six(15, 15))).toEqual({ text: '+16.0 µs', note: '15–17 µs' })
  expect(draw(toFigure(30, 32), toFigure(15, 15))).toEqual({ text: '15–17 µs' })
})
