import { WriteStream } from 'node:tty'
import { type Logger, pino } from 'pino'
import { afterEach, expect, test, vi } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { createPaint, createTerminalLog, escapeLines, escapeText, getLabelColor, type Paint } from './terminal-log.js'

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
})

function createLog(paint: Paint = (_, text) => text): { log: Logger; written: string[] } {
  vi.useFakeTimers({ now: new Date(2026, 0, 2, 3, 4, 5) })
  const written: string[] = []
  const write = createTerminalLog(text => written.push(text), paint)
  return { log: pino({ name: 'sallyport', level: 'debug' }, { write }), written }
}

test('writes an event on one line: time, level, label, message and fields', () => {
  const { log, written } = createLog()
  log.info('ready')
  log.warn({ worker: 'frontend', label: 'main', restarts: 2, delay: 93 }, 'restarting')
  log.error({ worker: 'gate', label: 'main' }, 'failed')
  log.debug({ worker: 'core', state: 'ready' }, 'state')
  expect(written).toEqual([
    '03:04:05 info  ready\n',
    '03:04:05 warn  [main] restarting in 93 ms (restart 2)\n',
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

/** Returns the line of an event, without its time and level. */
function describe(msg: string, fields: object): string {
  const { log, written } = createLog()
  log.warn(fields, msg)
  return written.join('').slice('03:04:05 warn  '.length, -1)
}

test('writes the events of the bus as sentences', () =>
  rows<[text: string, msg: string, fields: Record<string, unknown>]>([
    ['denied plugin:fs|read (4×): add "read"', 'denied', { command: 'plugin:fs|read', hint: 'add "read"', more: 3 }],
    ['rejected a: the hook timed out', 'rejected', { command: 'a', why: 'timeout' }],
    ['rejected a: the hook did not return a message (malformed: x)', 'rejected', { command: 'a', why: 'malformed: x' }],
    [
      'boom threw TypeError (core.mjs:2:114): no data',
      'command threw',
      { command: 'boom', error: 'TypeError', place: 'core.mjs:2:114', why: 'no data' },
    ],
    ['slow call of a: it has been running for 30 s', 'slow call', { command: 'a', ms: 30_004 }],
    ['crashed, restarting in 1.5 s (restart 1)', 'fault', { restarts: 1, delay: 1499 }],
    ['reloading main, the hooks (a.js changed)', 'reloading', { workers: ['main'], files: ['a.js'], hooks: true }],
    [
      'reloaded w0, w1, w2, w3, w4 and 3 more in 80 ms',
      'reloaded',
      { workers: Array.from({ length: 8 }, (_, i) => `w${i}`), ms: 80 },
    ],
    [
      'closing: waits for core, frontend "main"',
      'closing',
      { calls: [], workers: [{ worker: 'core' }, { worker: 'frontend', label: 'main' }] },
    ],
    [
      'closing: waits for export of reports (2×), "bus.call main never"',
      'closing',
      {
        calls: [
          { label: 'reports', command: 'export' },
          { label: 'host', command: 'bus.call main never' },
          { label: 'reports', command: 'export' },
        ],
        workers: ['core'],
      },
    ],
    ['denied a: b extra=1', 'denied', { command: 'a', hint: 'b', extra: 1 }],
    // A line of an application, with the message of an event.
    ['denied command=5', 'denied', { command: 5 }],
    ["saved file='a b' user={ name: 'Ada' }", 'saved', { file: 'a b', user: { name: 'Ada' } }],
  ])((text, msg, fields) => expect(describe(msg, fields)).toBe(text)))

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

test('escapes the control characters of terminals without changing the JSON', () => {
  const command = '\u009b2J\u007f\u0085\u2028\u2029é\u001b[2J\n\u202e\u200b\u{e0041}'
  const line = escapeLines(JSON.stringify({ command }))
  // oxlint-disable-next-line no-control-regex
  expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\p{Cf}]/u)
  expect(line).toContain('é')
  expect(JSON.parse(line)).toEqual({ command })
})

test('escapes characters that hide or reorder the text of a terminal, but not tabs and joiners', () => {
  expect(escapeText('a\u202eb\u200bc\u{e0041}d\te\u200df')).toBe(
    String.raw`a\u202eb\u200bc\udb40\udc41d` + '\te\u200df',
  )
})

/** A stream that says it is a terminal, or a pipe. */
const createStream = (isTTY: boolean): NodeJS.WriteStream =>
  Object.assign(Object.create(WriteStream.prototype) as NodeJS.WriteStream, { isTTY })

function paintRed(isTTY: boolean, variables: Record<string, string>): string {
  for (const name of ['NO_COLOR', 'FORCE_COLOR', 'NODE_DISABLE_COLORS', 'CI']) vi.stubEnv(name, undefined)
  for (const [name, value] of Object.entries({ TERM: 'xterm', ...variables })) vi.stubEnv(name, value)
  return createPaint(createStream(isTTY))('red', 'text')
}

const RED = '\u001b[31mtext\u001b[39m'

test('colors terminals, unless a variable says otherwise', () =>
  rows<[what: string, isTTY: boolean, variables: Record<string, string>, text: string]>([
    ['colors a terminal', true, {}, RED],
    ['does not color a pipe', false, {}, 'text'],
    ['NO_COLOR removes colors', true, { NO_COLOR: '1' }, 'text'],
    ['FORCE_COLOR=0 removes colors', true, { FORCE_COLOR: '0' }, 'text'],
    ['FORCE_COLOR adds colors', false, { FORCE_COLOR: '1' }, RED],
  ])((_what, isTTY, variables, text) => expect(paintRed(isTTY, variables)).toBe(text)))

test('a label has the same color each time, and never that of a level', () => {
  const labels = Array.from({ length: 50 }, (_, i) => `plugin-${i}`)
  const colors = new Set(labels.map(getLabelColor))
  expect(labels.map(getLabelColor)).toEqual(labels.map(getLabelColor))
  expect(colors.size).toBeGreaterThan(4)
  expect([...colors].filter(color => ['red', 'yellow'].includes(color))).toEqual([])
})
