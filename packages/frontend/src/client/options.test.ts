import type { TransferOptions } from '@sallyport/protocol/internal/message'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { IN_BROWSER, setUp } from '../../test/peer.js'
import type { Client } from './client.js'
import { checkCallOptions, checkEmitOptions, type InvokeOptions } from './arguments.js'

describe('call options', () => {
  it('take valid values', () =>
    rows([
      ...([{}, { timeout: false }, { timeout: 1 }, { timeout: 0x7fff_ffff }] as const),
      { signal: new AbortController().signal },
    ])(options => expect(() => checkCallOptions('greet', options, {})).not.toThrow()))

  it('reject invalid values with their name', () =>
    rows([
      [{ timeout: -1 }, 'must be milliseconds, more than 0 and at most 2147483647, or false for none'],
      [{ timeout: 0 }, 'must be milliseconds, more than 0 and at most 2147483647, or false for none'],
      [{ timeout: Infinity }, '`timeout` of command "greet"'],
      [{ timeout: Number.NaN }, '`timeout` of command "greet"'],
      [{ timeout: 2 ** 31 }, '`timeout` of command "greet"'],
      [{ timeout: '5' }, '`timeout` of command "greet"'],
      [{ timeout: null }, '`timeout` of command "greet" must be milliseconds'],
      [{ timeout: { idle: 0 } }, IN_BROWSER ? 'must be milliseconds' : 'must be { idle: milliseconds }, more than 0'],
      [{ timeout: { idle: 1, total: 2 } }, IN_BROWSER ? 'must be milliseconds' : 'must be { idle: milliseconds }'],
      [{ signal: {} }, '`signal` of command "greet" must be an AbortSignal'],
      [{ signal: null }, '`signal` of command "greet" must be an AbortSignal'],
      [{ signal: new AbortController() }, '`signal` of command "greet" must be an AbortSignal'],
    ])((options, text) => {
      const refused = expect.objectContaining({ reason: 'InvalidParams', message: expect.stringContaining(text) })
      expect(() => checkCallOptions('greet', options as InvokeOptions, {})).toThrow(refused)
    }))

  it('reject with Cancelled, and the reason as the cause, when the signal is aborted', () => {
    const reason = new Error('mine')
    const cancelled = expect.objectContaining({ reason: 'Cancelled', cause: reason })
    expect(() => checkCallOptions('greet', { signal: AbortSignal.abort(reason) }, {})).toThrow(cancelled)
  })

  const buffer = new ArrayBuffer(8)
  it('can transfer buffers of the payload', () =>
    rows([
      [{ transfer: [] }, { a: 1 }],
      [{ transfer: [buffer] }, buffer],
      [{ transfer: [buffer] }, new Uint8Array(buffer, 2)],
      [{ transfer: [buffer] }, { a: 1, data: new Uint8Array(buffer) }],
    ])((options, params) => expect(() => checkCallOptions('greet', options, params)).not.toThrow()))

  it.skipIf(IN_BROWSER)('cannot transfer what is not whole in the payload', () =>
    rows([
      ['another buffer', [new ArrayBuffer(8)], 'neither the whole payload nor'],
      ['a buffer below the top level', [buffer], 'neither the whole payload nor'],
      ['a Uint8Array', [new Uint8Array(buffer)], 'for a Uint8Array, pass its `buffer`'],
      ['shared memory', [new SharedArrayBuffer(8)], '`transfer` takes ArrayBuffers'],
      ['a value that is not an array', buffer, 'must be an array'],
    ])((_name, transfer, text) => {
      const params = { deep: { data: new Uint8Array(buffer) } }
      const refused = expect.objectContaining({ reason: 'InvalidParams', message: expect.stringContaining(text) })
      expect(() => checkCallOptions('greet', { transfer } as InvokeOptions, params)).toThrow(refused)
      expect(() => checkEmitOptions('emit', { transfer } as TransferOptions, params)).toThrow(refused)
    }),
  )

  it('can only be `transfer` for an event', () => {
    expect(() => checkEmitOptions('plugin:event|emit', { timeout: 60_000 } as TransferOptions, 1)).toThrow(
      'unknown option "timeout"',
    )
    expect(() => checkEmitOptions('plugin:event|emit', null as never, 1)).toThrow(
      expect.objectContaining({ reason: 'InvalidParams' }),
    )
  })
})

describe('options of another kind of call', () => {
  const calls: [name: string, (client: Client, options: object) => Promise<unknown>][] = [
    ['invoke', (client, options) => client.invoke('greet', {}, options)],
    ['stream', (client, options) => client.stream('greet', {}, options).next()],
    ['listen', async (client, options) => client.listen('e', () => {}, options)],
    ['once', async (client, options) => client.once('e', () => {}, options)],
    ['once without a handler', async (client, options) => client.once('e', options)],
    ['emit', (client, options) => client.emit('e', 1, options)],
    ['emitTo', (client, options) => client.emitTo('main', 'e', 1, options)],
  ]
  const all = { signal: new AbortController().signal, timeout: 60_000, headers: {}, transfer: [], target: 'x' }
  const taken: Record<string, (keyof typeof all)[]> = {
    invoke: ['signal', 'timeout', 'headers', 'transfer'],
    stream: ['signal', 'timeout', 'headers', 'transfer'],
    listen: ['signal', 'timeout', 'target'],
    once: ['signal', 'timeout', 'target'],
    'once without a handler': ['signal', 'timeout', 'target'],
    emit: ['transfer'],
    emitTo: ['transfer'],
  }

  it('are rejected by each call with their name, or if they are not an object', () =>
    rows(calls)(async (name, run) => {
      const { client, peer } = setUp()
      for (const option of [...Object.keys(all), 'timout'].filter(other => !taken[name]!.includes(other as 'signal'))) {
        await expect(run(client, { [option]: all[option as 'signal'] })).rejects.toMatchObject({
          reason: 'InvalidParams',
          message: expect.stringContaining(`unknown option "${option}"`) as string,
        })
      }
      await expect(run(client, null as never)).rejects.toMatchObject({ reason: 'InvalidParams' })
      await expect(run(client, 5 as never)).rejects.toMatchObject({ reason: 'InvalidParams' })
      expect(peer.received).toEqual([])
    }))

  it('do not include those that another call takes', () =>
    rows(calls)(async (name, run) => {
      const { client, peer } = setUp()
      const accepted = Object.fromEntries(taken[name]!.map(option => [option, all[option]]))
      void run(client, accepted).catch(() => {})
      await expect.poll(() => peer.received.length).toBe(1)
      await client.close()
    }))
})
