// The log of a bus at its lowest level: the same fields everywhere, no payloads, and the redactions of the host's logger.
import { FRAME_KIND } from '@sallyport/protocol/internal/wire'
import { inspect } from 'node:util'
import { pino, type LoggerOptions } from 'pino'
import { describe, expect, test } from 'vitest'
import { type Bus, type BusOptions, type Capability } from '../../src/index.js'
import { Peer, setUp } from '../support/peer.js'
import { fixture, isolation, next, start } from '../support/start.js'
import { choose, rows } from '../../../../scripts/testing.js'

const names = [
  'echo',
  'gives',
  'throws-value',
  'throws-text',
  'later',
  'unserializable',
  'numbers',
  'sends',
  'calls',
  'logs',
]
const permissions = [...names.map(name => `allow-${name}`), 'audit:allow-logs']
const capability: Capability = { identifier: 'all', windows: ['*'], permissions }
const apps: [name: string, app: Partial<BusOptions>][] = [
  ['brownfield', { capabilities: [capability] }],
  ['isolation', isolation('judge', {}, capability)],
]
const core = fixture('observability/canary-core.mjs')

type Line = Record<string, unknown>

function logWith(options: LoggerOptions): { log: pino.Logger; lines: Line[]; text: () => string } {
  const written: string[] = []
  return {
    log: pino({ level: 'trace', ...options }, { write: line => void written.push(line) }),
    get lines() {
      return written.map(line => JSON.parse(line) as Line)
    },
    text: () => written.join(''),
  }
}

const CANARY = 'canary-of-tests'
const secret = { secret: CANARY }

describe.each(choose(apps))('%s', (_name, app) => {
  test.each(choose(['msgpack', 'json'] as const))('contains no payloads at any level: %s', async codec => {
    const { log, text } = logWith({})
    const main = { module: fixture('observability/canary-frontend.mjs'), data: { secret: 'canary-of-data' } }
    // oxlint-disable-next-line sallyport/no-real-time -- the least that there is, and a slow machine is slower
    const bus: Bus = await start({ core, ...app, codec, frontends: { main }, log, calls: { slowAfter: 10 } })
    await next(bus, 'canary-ready')
    const slow = new Promise(resolve => bus.on('slow', resolve))
    const client = await bus.connect('tests', { data: secret })
    const outcomes: unknown[] = []
    const record = (call: Promise<unknown>): Promise<void> =>
      call.then(
        () => {},
        error => void outcomes.push(error),
      )
    for (const command of ['echo', 'gives', 'throws_value', 'throws_text', 'unserializable', 'refused', 'unknown']) {
      await record(client.invoke(command, secret, { headers: { secret: CANARY, traceparent: CANARY } }))
    }
    await record(client.invoke('later', secret, { timeout: 1 }))
    await record(client.invoke('later', secret))
    await record(client.invoke('echo', { bytes: Buffer.from(CANARY) }))
    await record(client.invoke('echo', { [CANARY]: () => {}, n: 1n }))
    for await (const value of client.stream('numbers', secret))
      expect(value).toMatchObject({ secret: 'canary-of-core' })
    const channel = new client.Channel()
    await client.invoke('sends', { channel })
    for (const name of ['echo', 'throws', 'unknown']) {
      await record(client.invoke('calls', { name, ...secret }))
      await record(bus.call('main', name, secret))
    }
    const controller = new AbortController()
    const waiting = record(bus.call('main', 'waits', secret, { signal: controller.signal }))
    await slow
    controller.abort()
    await waiting
    const received = next(client as unknown as Bus, 'from-core')
    await client.emit('to-core', secret)
    await received
    await bus.emit('from-host', secret)
    expect(outcomes.length).toBeGreaterThan(8)
    // The payloads reach the callers, so they would be found.
    expect(inspect(outcomes, { depth: 9 })).toContain('canary')
    await bus.close()
    expect(text()).toContain('"command":"refused"')
    expect(text()).toContain('slow call')
    expect(text()).not.toMatch(/canary-of|Y2FuYXJ5/)
  })

  test('has the same fields in lines of all sources', async () => {
    const logged = logWith({})
    const bus = await start({ core, ...app, log: logged.log })
    const client = await bus.connect('tests')
    await client.invoke('logs')
    await client.invoke('plugin:audit|logs')
    await client.invoke('refused').catch(() => {})
    await bus.close()
    const of = (msg: string): Line => logged.lines.find(line => line['msg'] === msg)!
    expect(of('a line')).toMatchObject({ worker: 'core', label: 'tests', command: 'logs' })
    expect(of('of a command')).toMatchObject({ worker: 'core', label: 'tests', plugin: 'audit' })
    expect(of('of a command')['command']).toBe('plugin:audit|logs')
    expect(of('of a setup')).toMatchObject({ worker: 'core', plugin: 'audit' })
    expect(of('of a teardown')).toMatchObject({ worker: 'core', plugin: 'audit' })
    expect(of('an error')).not.toHaveProperty('plugin')
    expect(of('denied')).toMatchObject({ label: 'tests', command: 'refused' })
    // Lines of core have these fields once, with the values of the host.
    for (const { pid, hostname, time } of logged.lines) {
      expect([pid, typeof hostname, typeof time]).toEqual([process.pid, 'string', 'number'])
    }
  })
})

test('applies the redactions of the host to lines of core', async () => {
  const { log, text } = logWith({ redact: ['password', 'user.token', 'err.password'] })
  const bus = await start({ core, log })
  const client = await bus.connect('tests')
  await client.invoke('logs')
  await bus.close()
  expect(text()).toContain('"msg":"a line"')
  expect(text()).not.toContain('hidden')
})

describe('a malformed frame', () => {
  const frames: [name: string, kind: keyof typeof FRAME_KIND, body: string | Uint8Array][] = [
    ['invalid JSON', 'json', `[{"jsonrpc":"2.0","id":1,"method":"ok","params":{"n":${CANARY}}}]`],
    ['JSON with a suffix', 'json', `[{"jsonrpc":"2.0"}] "${CANARY}"`],
    ['truncated JSON', 'json', `[{"jsonrpc":"2.0","params":{"n":"${CANARY}`],
    ['a control character', 'json', `["${CANARY}\n"]`],
    ['truncated msgpack', 'msgpack', Uint8Array.from([0x92, 0xb4, ...Buffer.from(CANARY)])],
  ]
  test('is reported without its content', () =>
    rows(frames)(async (_name, kind, body) => {
      const { core: session, reports } = await setUp()
      new Peer(session, 'main').send(body, FRAME_KIND[kind])
      await expect.poll(() => reports.some(({ type }) => type === 'fault')).toBe(true)
      expect(inspect(reports, { depth: 9 })).not.toContain('canary')
    }))
})
