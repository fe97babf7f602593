import { type Logger, pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createTerminalLog } from './log.js'

beforeEach(() => void vi.useFakeTimers({ now: new Date(2026, 0, 2, 3, 4, 5) }))
afterEach(() => void vi.useRealTimers())

function createLog(): { log: Logger; written: string[] } {
  const written: string[] = []
  return {
    log: pino({ name: 'sallyport', level: 'debug' }, { write: createTerminalLog(text => written.push(text)) }),
    written,
  }
}

test('writes an event on one line: time, level, label, message and fields', () => {
  const { log, written } = createLog()
  log.info('ready')
  log.warn({ worker: 'frontend', label: 'main', restarts: 1 }, 'restarting')
  log.error({ worker: 'gate', label: 'main' }, 'failed')
  log.debug({ worker: 'core', state: 'ready' }, 'state')
  expect(written).toEqual([
    '03:04:05 info  ready\n',
    '03:04:05 warn  [main] restarting restarts=1\n',
    '03:04:05 error [main gate] failed\n',
    '03:04:05 debug [core] state state="ready"\n',
  ])
})

test('writes a stack below its event, once while it repeats', () => {
  const { log, written } = createLog()
  const err = Object.assign(new Error('boom'), { stack: 'Error: boom\n    at main.mjs:1:2\n    at main.mjs:3:4' })
  log.error({ label: 'main', err }, 'fault')
  log.error({ label: 'main', err }, 'fault')
  log.error({ label: 'other', err: 'a text' }, 'fault')
  expect(written).toEqual([
    '03:04:05 error [main] fault: Error: boom\n      at main.mjs:1:2\n      at main.mjs:3:4\n',
    '03:04:05 error [main] fault: Error: boom\n',
    '03:04:05 error [other] fault: a text\n',
  ])
})

test('counts a warning that repeats within a second', () => {
  const { log, written } = createLog()
  const listeners = process.listenerCount('exit')
  const deny = (command: string): void => log.warn({ label: 'main', command }, 'denied')
  for (let i = 0; i < 5; i++) deny('a')
  deny('b')
  expect(written).toEqual(['a', 'b'].map(name => `03:04:05 warn  [main] denied command="${name}"\n`))
  vi.advanceTimersByTime(1000)
  expect(written.slice(2)).toEqual(['03:04:06 warn  [main] denied command="a" (4 more)\n'])
  deny('a')
  vi.advanceTimersByTime(1000)
  expect(written.slice(3)).toEqual(['03:04:06 warn  [main] denied command="a"\n'])
  expect(process.listenerCount('exit')).toBe(listeners)
})

test('escapes control characters of terminals, and a text cannot look like another event', () => {
  const { log, written } = createLog()
  const evil = '\u001b[2J\u009b\r\n03:04:05 error [core] fault'
  log.warn({ label: 'main', command: evil }, 'denied')
  log.warn({ label: 'main' }, evil)
  log.error({ label: 'main', err: Object.assign(new Error(evil), { stack: `Error: ${evil}` }) }, 'fault')
  const text = written.join('')
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  expect(text.match(/^03:04:05/gm)).toHaveLength(3)
})
