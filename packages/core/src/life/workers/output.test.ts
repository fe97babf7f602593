// The lines of code in the log: each has at most so many characters, whichever way it arrives.
import { MAX_OUTPUT_LINE } from '@sallyport/protocol/internal/wire'
import type { Logger } from 'pino'
import { expect, test } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { createOutputSink } from './output.js'

const LONGEST = 'x'.repeat(MAX_OUTPUT_LINE)

test('a line of output has at most 8192 characters in the log, and the rest is not logged', () =>
  rows([
    ['a line', [`${LONGEST}\n`], [LONGEST]],
    ['one character more', [`${LONGEST}y\nnext\n`], [LONGEST, 'next']],
    ['in parts', [LONGEST, 'y\nnext\n'], [LONGEST, 'next']],
    ['without an end', [LONGEST, 'y'], [LONGEST]],
  ])((_what, texts, lines) => {
    const logged: string[] = []
    const log = { info: (_fields: object, text: string) => logged.push(text) } as unknown as Logger
    const sink = createOutputSink({ worker: 'frontend', label: 'main' }, log, log, undefined)
    for (const text of texts) sink.take('stdout', text)
    sink.end()
    expect(logged).toEqual(lines)
  }))
