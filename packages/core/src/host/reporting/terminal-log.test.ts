import { type Logger, pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Paint } from './paint.js'
import { createTerminalLog, type TerminalLog } from './terminal-log.js'

beforeEach(() => void vi.useFakeTimers({ now: new Date(2026, 0, 2, 3, 4, 5) }))
afterEach(() => {
  for (const terminal of terminals.splice(0)) terminal.flush()
  vi.useRealTimers()
})

const terminals: TerminalLog[] = []

function createLog(
  paint: Paint = (_, text) => text,
  width?: number,
): { log: Logger; written: string[]; terminal: TerminalLog } {
  const written: string[] = []
  const terminal = createTerminalLog(
    text => written.push(text),
    paint,
    () => width,
  )
  terminals.push(terminal)
  return { log: pino({ name: 'sallyport', level: 'debug' }, { write: terminal.write }), written, terminal }
}

test('writes an event on one line: time, level, label, message and fields', () => {
  const { log, written } = createLog()
  log.info('ready')
  log.warn({ worker: 'frontend', label: 'main', restarts: 2, delay: 93 }, 'restarting')
  log.error({ worker: 'gate', label: 'main' }, 'failed')
  log.debug({ worker: 'core', state: 'ready' }, 'state')
  expect(written).toEqual([
    '03:04:05 info  ready\n',
    '03:04:05 warn  [main] restarting (2nd time, in 93 ms)\n',
    '03:04:05 error [main gate] failed\n',
    '03:04:05 debug [core] state state=ready\n',
  ])
})

const createError = (message: string, ...places: string[]): Error =>
  Object.assign(new Error(message), { stack: [`Error: ${message}`, ...places.map(at => `    at ${at}`)].join('\n') })

test("writes a stack below its event, without frames of Node's own code, once while it repeats", () => {
  const { log, written } = createLog()
  const own = ['node:internal/main/worker_thread:213:15', 'Module.evaluate (node:internal/modules/esm/module_job:1:2)']
  const err = createError('boom', 'main.mjs:1:2', own[0]!, 'main.mjs:3:4', own[1]!)
  log.error({ label: 'main', err }, 'saving failed')
  log.error({ label: 'main', err }, 'saving failed')
  log.error({ label: 'other', err: 'a text' }, 'fault')
  log.error({ label: 'other', err: createError('not found', ...own) }, 'fault')
  expect(written).toEqual([
    '03:04:05 error [main] saving failed: Error: boom\n      at main.mjs:1:2\n      at main.mjs:3:4\n',
    '03:04:05 error [main] saving failed: Error: boom\n',
    '03:04:05 error [other] fault: a text\n',
    '03:04:05 error [other] fault: Error: not found\n',
  ])
})

test('writes frames of this library only for an error that can be a bug in it', () => {
  const { log, written } = createLog()
  const ours = 'poll (file:///app/node_modules/@sallyport/core/dist/bundle/common.js:1:2)'
  const busError = Object.assign(createError('too slow', ours), { reason: 'Timeout' })
  log.error({ label: 'main', err: busError }, 'fault')
  log.error({ label: 'main', err: createError('boom', 'main.mjs:1:2', ours) }, 'fault')
  log.error({ label: 'other', err: createError('a bug', ours) }, 'fault')
  expect(written).toEqual([
    '03:04:05 error [main] fault: Error: too slow\n',
    '03:04:05 error [main] fault: Error: boom\n      at main.mjs:1:2\n',
    `03:04:05 error [other] fault: Error: a bug\n      at ${ours}\n`,
  ])
})

test('says of an uncaught denial that nothing caught it, because its own line has said what to add', () => {
  const { log, written } = createLog()
  const denial = 'Command wipe_disk not allowed by ACL: add "wipe_disk" to the option "allow" of the frontend "talky"'
  const err = Object.assign(createError(denial, 'talky.js:5:20'), { reason: 'Denied' })
  log.error({ worker: 'frontend', label: 'talky', restarts: 1, delay: 80, err }, 'fault')
  expect(written).toEqual([
    '03:04:05 error [talky] crashed, restarting (1st time, in 80 ms): Error: Command wipe_disk not allowed by ACL, and nothing caught it\n      at talky.js:5:20\n',
  ])
})

test('writes the first crash of a loop whole, and then counts the crashes at the same place', () => {
  const { log, written } = createLog()
  const crash = (label: string, restarts: number, line = 35): void => {
    const err = createError(`boom ${restarts}`, `work (${process.cwd()}/crashy.js:2:${line})`)
    log.error({ worker: 'frontend', label, restarts, delay: 93, err }, 'fault')
  }
  crash('crashy', 1)
  const [first] = written.splice(0)
  expect(first).toContain('error [crashy] crashed, restarting (1st time, in 93 ms): Error: boom 1\n      at work (')
  for (let restarts = 2; restarts <= 9; restarts++) crash('crashy', restarts)
  crash('other', 1)
  crash('crashy', 10, 77)
  expect(written.splice(0).map(line => line.split('\n')[0])).toEqual([
    '03:04:05 error [other] crashed, restarting (1st time, in 93 ms): Error: boom 1',
    '03:04:05 error [crashy] crashed, restarting (10th time, in 93 ms): Error: boom 10',
  ])
  vi.advanceTimersByTime(10_000)
  for (let restarts = 11; restarts <= 28; restarts++) crash('crashy', restarts)
  vi.advanceTimersByTime(60_000)
  expect(written).toEqual([
    '03:04:15 error [crashy] crashed 9× in 10 s: boom (crashy.js:2:35)\n',
    '03:05:15 error [crashy] crashed 18× in 60 s: boom (crashy.js:2:35)\n',
  ])
})

test('writes how often a frontend has crashed before the line that it has failed', () => {
  const { log, written } = createLog()
  const err = createError('boom', '/app/dead.js:2:3')
  for (const restarts of [1, 2]) log.error({ worker: 'frontend', label: 'dead', restarts, delay: 9, err }, 'fault')
  log.error({ label: 'dead', err }, 'fault')
  log.error({ worker: 'frontend', label: 'dead' }, 'failed: frontend "dead" failed 3 times within 5000 ms')
  expect(written.slice(1)).toEqual([
    '03:04:05 error [dead] crashed 3× in 0 ms: boom (/app/dead.js:2:3)\n',
    '03:04:05 error [dead] failed 3 times within 5000 ms\n',
  ])
  vi.advanceTimersByTime(100_000)
  expect(written).toHaveLength(3)
})

test('adds up what it has counted of several frontends at the end, in one line', () => {
  const { log, written, terminal } = createLog()
  for (const [label, count] of [
    ['one', 100],
    ['two', 200],
    ['three', 50],
  ] as const) {
    for (let i = 0; i < count; i++) log.warn({ label, command: 'notify', hint: `for ${label}` }, 'denied')
  }
  for (let i = 0; i < 2; i++) log.warn({ label: 'one', command: 'a', why: 'null' }, 'rejected')
  vi.advanceTimersByTime(4000)
  written.splice(0)
  terminal.flush()
  expect(written).toEqual(['03:04:09 warn  denied 350× by 3 frontends, rejected a 2× by one, in 4 s\n'])
})

test('a count keeps the cause of what it counts, and names no file of this library', () => {
  const { log, written } = createLog()
  const crash = (label: string, message: string, ...places: string[]): void =>
    log.error({ label, err: createError(message, ...places), restarts: 1, delay: 9 }, 'fault')
  const ours = 'poll (/app/node_modules/@sallyport/mcp/dist/bundle/index.js:1:2)'
  for (let i = 0; i < 2; i++) {
    crash('a', 'The frontend process used more memory than its limit of 100 MiB', ours)
    crash('b', 'frontend "b" ran out of memory')
    crash('c', `Cannot read ${'more '.repeat(20)}`, ours, 'c.js:3:4')
  }
  written.splice(0)
  vi.advanceTimersByTime(10_000)
  expect(written).toEqual([
    '03:04:15 error [a] crashed 2× in 10 s: used more memory than its limit of 100 MiB\n',
    '03:04:15 error [b] crashed 2× in 10 s: ran out of memory\n',
    '03:04:15 error [c] crashed 2× in 10 s: Cannot read more more more more more more more… (c.js:3:4)\n',
  ])
})

test('a sum of several frontends has the cause and the place that all of them have, and errors come first', () => {
  const { log, written, terminal } = createLog()
  const crash = (label: string, place: string): void =>
    log.error({ label, err: createError('boom', place), restarts: 1, delay: 9 }, 'fault')
  const count = (...labels: string[]): string => {
    for (const label of labels) for (let i = 0; i < 2; i++) crash(label, `${label[0]}.js:1:2`)
    written.splice(0)
    terminal.flush()
    return written.splice(0).join('')
  }
  log.warn({ label: 'x', file: 1 }, 'saved')
  log.warn({ label: 'x', file: 2 }, 'saved')
  log.warn({ label: 'x', file: 1 }, 'saved')
  log.warn({ label: 'x', file: 2 }, 'saved')
  expect(count('a1', 'a2')).toBe('03:04:05 warn  crashed 4× by 2 frontends: boom (a.js:1:2), saved 4× by x, in 0 ms\n')
  expect(count('a1', 'b1')).toBe('03:04:05 error crashed 4× by 2 frontends in 0 ms: boom\n')
})

test('counts the refused calls of a quota, however many each line stands for', () => {
  const { log, written, terminal } = createLog()
  const refuse = (label: string, more?: number): void =>
    log.warn({ worker: 'core', label, command: 'search', quota: '2/s', ...(more && { more }) }, 'refused')
  for (const more of [undefined, 6, 24]) refuse('talky', more)
  vi.advanceTimersByTime(10_000)
  refuse('talky', 8)
  refuse('other', 2)
  refuse('other')
  terminal.flush()
  expect(written).toEqual([
    '03:04:05 warn  [talky] refused search: its quota is 2/s. Let it call less often, or raise calls.quotas\n',
    '03:04:15 warn  [talky] refused search 33× in 10 s (quota: 2/s)\n',
    '03:04:15 warn  [other] refused search (3×): its quota is 2/s. Let it call less often, or raise calls.quotas\n',
    '03:04:15 warn  refused 13× by 2 frontends in 0 ms (quota: 2/s)\n',
  ])
})

test('breaks long lines between words, and indents the rest', () => {
  const { log, written } = createLog(undefined, 54)
  log.warn({ label: 'main', command: 'wipe_disk', hint: 'add "wipe_disk" to the option "allow" of it' }, 'denied')
  log.error({ label: 'main', err: createError('boom', `${'x'.repeat(60)}.mjs:1:2`) }, 'fault')
  expect(written).toEqual([
    [
      '03:04:05 warn  [main] denied wipe_disk: add',
      '                      "wipe_disk" to the option',
      '                      "allow" of it\n',
    ].join('\n'),
    `03:04:05 error [main] fault: Error: boom\n      at ${'x'.repeat(60)}.mjs:1:2\n`,
  ])
})

test('counts a warning that repeats after 10 s, then each minute, and writes it again after a minute without one', () => {
  const { log, written } = createLog()
  const deny = (command: string): void => log.warn({ label: 'main', command, hint: 'add it' }, 'denied')
  for (let i = 0; i < 5; i++) deny('a')
  deny('b')
  expect(written.splice(0)).toEqual(['a', 'b'].map(name => `03:04:05 warn  [main] denied ${name}: add it\n`))
  vi.advanceTimersByTime(10_000)
  expect(written.splice(0)).toEqual(['03:04:15 warn  [main] denied a 5× in 10 s\n'])
  deny('a')
  deny('b')
  expect(written.splice(0)).toEqual(['03:04:15 warn  [main] denied b: add it\n'])
  vi.advanceTimersByTime(60_000)
  expect(written.splice(0)).toEqual(['03:05:15 warn  [main] denied a 1× in 60 s\n'])
  vi.advanceTimersByTime(60_000)
  deny('a')
  expect(written).toEqual(['03:06:15 warn  [main] denied a: add it\n'])
})

test('adds up the events that one line stands for', () => {
  const { log, written } = createLog()
  log.warn({ label: 'main', dropped: 3 }, 'events dropped')
  log.warn({ label: 'main', dropped: 7 }, 'events dropped')
  log.warn({ label: 'main', command: 'a', why: 'null' }, 'rejected')
  log.warn({ label: 'main', command: 'a', why: 'null', more: 9 }, 'rejected')
  vi.advanceTimersByTime(10_000)
  expect(written).toEqual([
    '03:04:05 warn  [main] events dropped (3×): the frontend is too slow for them\n',
    '03:04:05 warn  [main] rejected a: the hook returned null\n',
    '03:04:15 warn  [main] events dropped 10× in 10 s\n',
    '03:04:15 warn  [main] rejected a 11× in 10 s\n',
  ])
})

test('writes what it has counted at the end of the process, and then listens to it no longer', () => {
  const listeners = process.listenerCount('exit')
  const { log, written, terminal } = createLog()
  for (let i = 0; i < 3; i++) log.warn('twice')
  expect(process.listenerCount('exit')).toBe(listeners + 1)
  vi.advanceTimersByTime(4000)
  terminal.flush()
  expect(written).toEqual(['03:04:05 warn  twice\n', '03:04:09 warn  twice 3× in 4 s\n'])
  expect(process.listenerCount('exit')).toBe(listeners)
  expect(vi.getTimerCount()).toBe(0)
})

test('a flood of different lines loses no count', () => {
  const { log, written } = createLog()
  for (let i = 0; i < 1500; i++) {
    log.warn(`line ${i}`)
    log.warn(`line ${i}`)
  }
  expect(vi.getTimerCount()).toBe(1000)
  vi.advanceTimersByTime(10_000)
  expect(written.filter(line => line.includes(' 2× in '))).toHaveLength(1500)
})

test('escapes control characters of terminals, and a text cannot look like another event', () => {
  const { log, written } = createLog()
  const evil = '\u001b[2J\u009b\r\n03:04:05 error [core] fault'
  log.warn({ label: 'main', command: evil, hint: 'a' }, 'denied')
  log.warn({ label: 'main', command: 'read: add "all"', hint: 'a' }, 'denied')
  log.warn({ label: 'main', [evil]: evil }, evil)
  log.error({ label: 'main', err: Object.assign(new Error(evil), { stack: `Error: ${evil}` }) }, 'fault')
  const text = written.join('')
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  expect(text.match(/^03:04:05/gm)).toHaveLength(4)
  expect(text).toContain(String.raw`denied "read: add \"all\"": a`)
})

test('colors the level, the label, the time and frames', () => {
  const { log, written } = createLog((color, text) => `<${color}>${text}</>`)
  const err = Object.assign(new Error('boom'), { stack: 'Error: boom\n    at main.mjs:1:2' })
  log.error({ label: 'main', err }, 'fault')
  log.warn({ worker: 'core' }, 'careful')
  expect(written[0]).toMatch(
    /^<dim>03:04:05<\/> <bold><red>error<\/><\/> <\w+>\[main\]<\/> fault: Error: boom\n<dim> {6}at main\.mjs:1:2<\/>\n$/,
  )
  expect(written[1]).toBe('<dim>03:04:05</> <yellow>warn </> [core] careful\n')
})
