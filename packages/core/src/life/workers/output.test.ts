// The lines of code in the log: each has at most so many characters, whichever way it arrives.
import { MAX_OUTPUT_LINE } from '@sallyport/protocol/internal/wire'
import type { Logger } from 'pino'
import { expect, test, vi } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { createPrinted, MAX_OUTPUT_TEXT } from '@sallyport/protocol/internal/contract'
import { createOutputSink, type OutputSink, takeReport } from './output.js'

const LONGEST = 'x'.repeat(MAX_OUTPUT_LINE)

test('a line of output has at most 8192 characters in the log, of each stream, and the rest is not logged', () =>
  rows([
    ['a line', [`${LONGEST}\n`], [LONGEST]],
    ['one character more', [`${LONGEST}y\nnext\n`], [LONGEST, 'next']],
    ['in parts', [LONGEST, 'y\nnext\n'], [LONGEST, 'next']],
    ['without an end', [LONGEST, 'y'], [LONGEST]],
  ])((_what, texts, lines) => {
    const info: string[] = []
    const warn: string[] = []
    const add = (logged: string[]) => (_fields: object, text: string) => logged.push(text)
    const log = { info: add(info), warn: add(warn) } as unknown as Logger
    const sink = createOutputSink({ worker: 'frontend', label: 'main' }, log, log, undefined)
    for (const text of texts) for (const stream of ['stdout', 'stderr'] as const) sink.take(stream, text)
    sink.end()
    expect([info, warn]).toEqual([lines, lines])
  }))

test('a text of a thread has at most 16384 characters, and each that is taken is asked for again', () =>
  rows<[string, object, number]>([
    ['the longest', { stream: 'stdout', text: 'x'.repeat(MAX_OUTPUT_TEXT), lost: 0 }, 1],
    ['of the other stream', { stream: 'stderr', text: '', lost: -0.5 }, 1],
    ['one character more', { stream: 'stdout', text: 'x'.repeat(MAX_OUTPUT_TEXT + 1) }, 0],
    ['no text', { stream: 'stdout', text: 1 }, 0],
    ['no stream', { stream: 'stdin', text: '' }, 0],
  ])((_what, fields, count) => {
    const take = vi.fn<OutputSink['take']>()
    const postMessage = vi.fn<(message: unknown) => void>()
    takeReport({ type: 'output', ...fields }, { take, end() {} }, { postMessage })
    const { stream, text } = fields as { stream: 'stdout'; text: string }
    expect(take.mock.calls).toEqual(Array(count).fill([stream, text, 0]))
    expect(postMessage.mock.calls).toEqual(Array(count).fill([{ type: 'read', stream }]))
  }))

test('the log counts what was printed too fast, at once and in a summary of the second', () => {
  const warnings: object[] = []
  const log = { info() {}, warn: (fields: object) => warnings.push(fields) } as unknown as Logger
  const sink = createOutputSink({ worker: 'frontend', label: 'main' }, log, log)
  vi.useFakeTimers()
  for (const lost of [5, 2, 3]) sink.take('stdout', '', lost)
  vi.advanceTimersByTime(1000)
  vi.useRealTimers()
  expect(warnings).toEqual([5, 5].map(characters => ({ label: 'main', characters })))
})

test('what a thread has printed, and its host has not, is told with its end', () =>
  rows([
    ['nothing', 0, []],
    ['some', 5, ['\nOutput lost: 5 characters were printed just before the end.\n']],
  ])((_what, lost, marks) => {
    const warnings: object[] = []
    const texts: string[] = []
    const log = { warn: (fields: object) => warnings.push(fields) } as unknown as Logger
    const printed = createPrinted()
    // More than the memory counts.
    printed[0] = 2 ** 32 - 1
    const sink = createOutputSink(
      { worker: 'frontend', label: 'main' },
      log,
      log,
      text => void texts.push(text),
      printed,
    )
    sink.take('stdout', 'a', 2 ** 32 - 2)
    Atomics.add(printed, 0, 1 + lost)
    sink.take('stdout', 'b')
    texts.length = warnings.length = 0
    sink.end()
    expect(texts).toEqual(marks)
    expect(warnings).toEqual(marks.map(() => ({ label: 'main', characters: lost })))
  }))
