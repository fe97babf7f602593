// Errors in handlers and values that cannot be serialized: the call gets an error, core keeps running, and other calls are not affected.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BusErrorReason, Client } from '../../../src/index.js'
import { fixture, isolation } from '../../support/start.js'
import { watch, type Watched } from './guarantee.js'

const capability = { identifier: 'all', windows: ['*'], permissions: ['allow-which', 'allow-fault', 'allow-wait'] }
const apps = { brownfield: {}, isolation: isolation('judge', {}, capability) }
const LARGE = 'x'.repeat(17 * 2 ** 20)

const failures: [how: string, reason: BusErrorReason, message: RegExp][] = [
  ['throws in a handler', 'CommandFailed', /^thrown$/],
  ['throws null in a handler', 'CommandFailed', /^command "fault" failed$/],
  ['rejects with nothing', 'CommandFailed', /^command "fault" failed$/],
  ['overflows its stack in a handler', 'CommandFailed', /^Maximum call stack/],
  ['allocates too much memory', 'CommandFailed', /^(Invalid typed array length|Array buffer allocation failed)/],
  ['returns a cycle', 'InternalError', /^The result of command "fault" cannot be serialized/],
  ['returns a value that throws when encoded', 'InternalError', /cannot be serialized: no$/],
  ['returns a value that throws null when encoded', 'InternalError', /cannot be serialized: null$/],
  [
    'returns a value that overflows the stack when encoded',
    'InternalError',
    /cannot be serialized: Maximum call stack/,
  ],
  ['returns more than a frame holds', 'InternalError', /^The result of command "fault" cannot be serialized/],
  ['returns a thenable that throws', 'CommandFailed', /^no$/],
  ['returns a value whose then getter throws', 'CommandFailed', /^command "fault" failed$/],
  ['throws a cycle', 'CommandFailed', /^The error of command "fault" cannot be serialized/],
  [
    'throws a value that throws when encoded',
    'CommandFailed',
    /^The error of command "fault" cannot be serialized: null$/,
  ],
  ['returns detached bytes', 'InternalError', /cannot be serialized: .* detached/],
  ['transfers detached bytes', 'InternalError', /cannot be serialized: .* detached/],
  ['sends detached bytes on a channel', 'InvalidParams', /^A message of channel .* cannot be serialized: .* detached/],
  ['calls a frontend with detached bytes', 'Disconnected', /^There is no frontend/],
  ['emits detached bytes', 'InvalidParams', /^The payload of event "detached" cannot be serialized/],
]

describe.each([
  ['brownfield', 'port', 'json'],
  ['brownfield', 'ring', 'msgpack'],
  ['isolation', 'port', 'msgpack'],
  ['isolation', 'ring', 'json'],
] as const)('core, %s, %s, %s:', (pattern, link, codec) => {
  let watched: Watched
  let client: Client
  let other: Client
  let core: unknown

  beforeAll(async () => {
    watched = await watch({ core: fixture('supervision/faulty-core.mjs'), app: apps[pattern] })
    client = await watched.bus.connect('tests', { link, codec })
    other = await watched.bus.connect('other', { link })
    await other.listen('detached', () => {})
    core = await client.invoke('which')
  })

  afterAll(() => watched.close())

  /** Expects that calls in the same frame and in flight get their own answers. */
  async function expectOthersUnaffected(fault: Promise<unknown>): Promise<void> {
    const calls = [
      client.invoke('which'),
      other.invoke('which'),
      fault.then(
        () => core,
        () => core,
      ),
    ]
    expect(await Promise.all(calls)).toEqual([core, core, core])
    expect(watched.events).toEqual([])
  }

  test.each(failures)('%s', async (kind, reason, message) => {
    const channel = kind.endsWith('a channel') ? { channel: new client.Channel() } : {}
    const fault = client.invoke('fault', { kind, n: 0, ...channel })
    await expectOthersUnaffected(fault)
    await expect(fault).rejects.toMatchObject({ reason, message: expect.stringMatching(message) as string })
  })

  test('a client passes detached bytes', async () => {
    const bytes = new Uint8Array(8)
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
    for (const options of [{}, { transfer: [bytes.buffer] }]) {
      const fault = client.invoke('fault', { kind: 'throws in a handler', n: 0, bytes }, options)
      await expectOthersUnaffected(fault)
      await expect(fault).rejects.toMatchObject({ reason: 'InvalidParams' })
    }
  })

  test('a client passes more than a frame holds', async () => {
    const fault = client.invoke('fault', { kind: 'throws in a handler', n: 0, text: LARGE })
    await expectOthersUnaffected(fault)
    await expect(fault).rejects.toMatchObject({ reason: 'InvalidParams' })
  })

  test('blocks its event loop for a second, and keeps running', async () => {
    const fault = client.invoke('fault', { kind: 'blocks for a second', n: 0 })
    await expectOthersUnaffected(fault)
    expect(await fault).toBe('awake')
  })
})
