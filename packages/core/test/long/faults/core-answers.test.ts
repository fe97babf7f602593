// Errors in handlers and values that cannot be serialized: the call gets an error, core keeps running, and other calls are not affected.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { choose, rows } from '../../../../../scripts/testing.js'
import type { BusErrorReason, Client, InvokeOptions } from '../../../src/index.js'
import { fixture, isolation } from '../../support/start.js'
import { watch, type Watched } from './guarantee.js'

const capability = { identifier: 'all', windows: ['*'], permissions: ['allow-which', 'allow-fault', 'allow-wait'] }
const apps = { brownfield: {}, isolation: isolation('judge', {}, capability) }

const failures: [how: string, reason: BusErrorReason, message: RegExp][] = [
  ['throws in a handler', 'CommandFailed', /^thrown$/],
  ['throws null in a handler', 'CommandFailed', /^command "fault" failed: it threw null$/],
  ['rejects with nothing', 'CommandFailed', /^command "fault" failed: it threw undefined$/],
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
  ['returns a value whose then getter throws', 'CommandFailed', /^command "fault" failed: it threw null$/],
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

const ways = choose([
  ['brownfield', 'json'],
  ['brownfield', 'msgpack'],
  ['isolation', 'msgpack'],
  ['isolation', 'json'],
] as const)

describe.each(ways)('core, %s, %s:', (pattern, codec) => {
  let watched: Watched
  let client: Client
  let other: Client
  let core: unknown

  beforeAll(async () => {
    watched = await watch({ core: fixture('supervision/faulty-core.mjs'), ...apps[pattern], codec })
    client = await watched.bus.connect('tests')
    other = await watched.bus.connect('other')
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

  test('an error of a handler, or a value that cannot be serialized, is that of its own call', () =>
    rows(failures)(async (kind, reason, message) => {
      const channel = kind.endsWith('a channel') ? { channel: new client.Channel() } : {}
      const fault = client.invoke('fault', { kind, n: 0, ...channel })
      await expectOthersUnaffected(fault)
      await expect(fault).rejects.toMatchObject({ reason, message: expect.stringMatching(message) as string })
    }))

  test('a client cannot pass detached bytes or more than a frame holds, and core that blocks keeps running', async () => {
    const bytes = new Uint8Array(8)
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
    const text = 'x'.repeat(17 * 2 ** 20)
    const calls: [args: object, options?: InvokeOptions][] = [
      [{ bytes }],
      [{ bytes }, { transfer: [bytes.buffer] }],
      [{ text }],
    ]
    await rows(calls)(async (args, options) => {
      const fault = client.invoke('fault', { kind: 'throws in a handler', n: 0, ...args }, options)
      await expectOthersUnaffected(fault)
      await expect(fault).rejects.toMatchObject({ reason: 'InvalidParams' })
    })
    const blocks = client.invoke('fault', { kind: 'blocks for a second', n: 0 })
    await expectOthersUnaffected(blocks)
    expect(await blocks).toBe('awake')
  })
})
