import { expect, it } from 'vitest'
import { MAX_LAST_OUTPUT, MAX_WAITING_OUTPUT } from '../wire/limits.js'
import { createPrinted, MAX_OUTPUT_TEXT, Output, type OutputReport } from './output.js'

const MiB = 2 ** 20

function start(max?: number) {
  const reports: OutputReport[] = []
  const output = new Output(report => void reports.push(report), max)
  const getTexts = (): string[] => reports.map(({ text }) => text)
  const sum = (): { sent: number; lost: number } => ({
    sent: reports.reduce((all, { text }) => all + text.length, 0),
    lost: reports.reduce((all, { lost }) => all + lost, 0),
  })
  return { output, reports, getTexts, sum }
}

it('joins what waits for the host, in order', () => {
  const { output, getTexts } = start()
  for (const line of ['a\n', 'b\n', 'c\n']) output.print('stdout', line)
  expect(getTexts()).toEqual(['a\n'])
  output.read('stdout')
  expect(getTexts()).toEqual(['a\n', 'b\nc\n'])
  output.read('stdout')
  output.print('stdout', 'd\n')
  expect(getTexts()).toEqual(['a\n', 'b\nc\n', 'd\n'])
})

it('drops the oldest beyond its bound, and says how much before the next text', () => {
  const { output, reports, sum } = start()
  for (let n = 0; n < 40; n++) output.print('stdout', `${n}`.padEnd(MAX_OUTPUT_TEXT))
  output.print('stderr', 'the only line')
  output.flush()
  expect(reports.map(({ text }) => text.trim())).toEqual(['0', 'the only line', ...range(25, 40)])
  expect(sum().sent + sum().lost).toBe(40 * MAX_OUTPUT_TEXT + 'the only line'.length)
  expect(reports[2]!.lost).toBe(24 * MAX_OUTPUT_TEXT)
})

const range = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, n) => `${from + n}`)

it('keeps as much as its bound, of which each print takes 64 characters, and nothing more', () => {
  const COUNT = 17
  const size = MAX_WAITING_OUTPUT / 16 - 64
  for (const more of [0, 1]) {
    const { output, sum } = start()
    // The host gets the first print at once.
    for (let n = 0; n < COUNT; n++) output.print('stdout', 'x'.repeat(size + (n === COUNT - 1 ? more : 0)))
    output.flush()
    expect(sum()).toEqual({ sent: (COUNT - more) * size + more, lost: more * size })
  }
})

it('bounds the number of prints too', () => {
  const { output, sum } = start()
  for (let n = 0; n < 100_000; n++) output.print('stdout', '\n')
  output.flush()
  expect(sum().sent).toBeLessThan(MAX_WAITING_OUTPUT / 64)
  expect(sum().sent + sum().lost).toBe(100_000)
})

it('sends at once what follows the end, within its bound', () => {
  const { output, getTexts, sum } = start()
  output.print('stdout', 'a')
  output.flush()
  for (const line of ['b', 'c']) output.print('stdout', line)
  expect(getTexts()).toEqual(['a', 'b', 'c'])
  for (let n = 0; n < 100_000; n++) output.print('stdout', '\n')
  expect(sum().sent).toBeLessThan(MAX_WAITING_OUTPUT / 64)
})

it('keeps a single larger print, and sends it in parts that end with a character', () => {
  const { output, reports, sum } = start()
  output.print('stdout', '')
  output.print('stdout', '😀'.repeat(MiB))
  output.flush()
  expect(sum()).toEqual({ sent: 2 * MiB, lost: 0 })
  output.print('stderr', `x${'😀'.repeat(MAX_OUTPUT_TEXT)}`)
  output.flush()
  expect(reports.every(({ text }) => text.isWellFormed() && text.length <= MAX_OUTPUT_TEXT)).toBe(true)
  output.print('stdout', 'x'.repeat(MAX_LAST_OUTPUT + 1))
  output.flush()
  expect(sum().lost).toBe(1)
})

it('lets a source that can wait go on once the host has taken all, or at its end', () => {
  const { output } = start()
  let sent = 0
  const print = (): void => {
    output.print('stdout', 'x')
    output.awaitSent('stdout', () => void sent++)
  }
  print()
  expect(sent).toBe(1)
  print()
  expect(sent).toBe(1)
  output.read('stdout')
  expect(sent).toBe(2)
  print()
  output.end()
  expect(sent).toBe(3)
  print()
  expect(sent).toBe(4)
})

it('sends ahead what a thread prints, within a window, and counts all of it', () => {
  const printed = createPrinted()
  const reports: OutputReport[] = []
  const output = new Output(report => void reports.push(report), undefined, printed)
  for (let n = 0; n < 10_000; n++) output.print('stdout', `${n}`.padEnd(10))
  expect(reports).toHaveLength(Math.floor(2 ** 18 / 74))
  expect([...printed]).toEqual([100_000, 0])
  const ahead = reports.length
  for (let n = 0; n < ahead; n++) output.read('stdout')
  for (let n = 0; n < 30; n++) output.read('stdout')
  expect(reports.map(({ text }) => text).join('')).toHaveLength(100_000)
  // What waits is joined again: a flood costs the host few messages.
  expect(reports.length - ahead).toBeLessThan(20)
})
