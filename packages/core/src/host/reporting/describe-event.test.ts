import { join } from 'node:path'
import { expect, test } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { describeEvent, formatDuration, toOrdinal } from './describe-event.js'

const describeLine = (msg: unknown, fields: Record<string, unknown>): string => {
  const { title, detail, count } = describeEvent(msg, fields)
  return `${title}${detail}${count > 1 ? ` [${count}]` : ''}`
}

const THROWN = { command: 'boom', error: 'TypeError', why: 'Cannot read properties of undefined…' }

test('describes events in one line', () =>
  rows<[text: string, msg: string, fields: Record<string, unknown>]>([
    ['denied read: add "read" to it', 'denied', { command: 'read', hint: 'add "read" to it' }],
    ['denied plugin:fs|read: no [4]', 'denied', { command: 'plugin:fs|read', hint: 'no', more: 3 }],
    ['rejected a: the hook timed out', 'rejected', { command: 'a', why: 'timeout' }],
    ['rejected a: too many messages waited for the hook', 'rejected', { command: 'a', why: 'overloaded' }],
    ['rejected a: the hook did not return a message (malformed: x)', 'rejected', { command: 'a', why: 'malformed: x' }],
    [
      'boom threw TypeError (core.mjs:2:114): Cannot read properties of undefined… [4]',
      'command threw',
      { ...THROWN, place: 'core.mjs:2:114', more: 3 },
    ],
    ['boom threw TypeError: Cannot read properties of undefined…', 'command threw', { ...THROWN, place: '' }],
    [
      'lost a message of a channel (core.mjs:3:1): it cannot be serialized. Await send to get the reason [2]',
      'message lost',
      { place: 'core.mjs:3:1', more: 1 },
    ],
    ['slow call of a: it has been running for 30 s', 'slow call', { command: 'a', ms: 30_004 }],
    ['restarting (1st time, in 1.5 s)', 'restarting', { restarts: 1, delay: 1499 }],
    ['crashed, restarting (2nd time, in 93 ms)', 'fault', { restarts: 2, delay: 93 }],
    [
      'cut off export_report: it was still running when the bus closed',
      'a call was still running when the bus closed',
      { command: 'export_report', reason: 'Disconnected' },
    ],
    [
      'reloading core, main (lib/a.js changed)',
      'reloading',
      { workers: ['core', 'main'], files: [join('lib', 'a.js')] },
    ],
    ['reloading main, the hooks (a.js changed)', 'reloading', { workers: ['main'], files: ['a.js'], hooks: true }],
    ['reloading the hooks (a.js changed)', 'reloading', { workers: [], files: ['a.js'], hooks: true }],
    ['reloaded main in 80 ms', 'reloaded', { workers: ['main'], ms: 80 }],
  ])((text, msg, fields) => expect(describeLine(msg, fields)).toBe(text)))

test('counts the calls that a close waits for, or names the workers', () => {
  const call = { label: 'reports', command: 'export_report' }
  const calls = [call, call, { label: 'host', command: 'bus.call main never' }, call]
  expect(describeLine('closing', { calls, workers: ['core'] })).toBe(
    'closing: waits for export_report of reports (3×), "bus.call main never"',
  )
  expect(describeLine('closing', { calls: [], workers: ['core', 'frontend "main"'] })).toBe(
    'closing: waits for core, frontend "main"',
  )
})

test('lists five names, and counts the others', () => {
  const workers = Array.from({ length: 8 }, (_, i) => `w${i}`)
  expect(describeLine('reloaded', { workers, ms: 1 })).toBe('reloaded w0, w1, w2, w3, w4 and 3 more in 1 ms')
})

test('a line of an application is text and fields, also if it has the message of an event', () => {
  expect(describeLine('denied', { command: 5 })).toBe('denied command=5')
  expect(describeLine('saved', { file: 'a b', ms: 3, user: { name: 'Ada' } })).toBe(
    "saved file='a b' ms=3 user={ name: 'Ada' }",
  )
  expect(describeLine(undefined, { ms: 3 })).toBe(' ms=3')
  expect(describeLine('denied', { command: 'a', hint: 'b', extra: 1 })).toBe('denied a: b extra=1')
})

test('durations have one unit', () => {
  expect([0, 80.4, 999.7, 1500, 9960, 60_000, 119_600].map(formatDuration)).toEqual([
    '0 ms',
    '80 ms',
    '1 s',
    '1.5 s',
    '10 s',
    '60 s',
    '2 min',
  ])
})

test('ordinals', () => {
  expect([1, 2, 3, 4, 11, 12, 13, 21, 22, 111, 113].map(toOrdinal).join(' ')).toBe(
    '1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 111th 113th',
  )
})
