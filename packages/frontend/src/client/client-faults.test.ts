// Invalid frames and messages from core. The client closes with a clear error, or ignores them. It never throws in its thread, which can
// be the host's. Core is trusted, so its frames are not scanned first.
import { codecs } from '@sallyport/protocol/internal/codec'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { crossed, notify, result, setUp } from '../../test/peer.js'
import { uncaught } from '../../test/uncaught.js'

describe('a frame that cannot be read', () => {
  it('closes the link and settles every call with the reason', () =>
    rows<[string, 1 | 2 | 3, string | Uint8Array, string]>([
      ['invalid JSON', 1, '{"jsonrpc"', 'Parse error: '],
      ['invalid UTF-8', 1, Uint8Array.from([0x22, 0xff, 0x22]), 'Parse error: the text is not UTF-8'],
      ['an empty body', 1, '', 'Parse error: '],
      [
        'truncated msgpack',
        2,
        (codecs.msgpack.encode({ jsonrpc: '2.0', id: 1, result: 1 }) as Uint8Array).slice(0, -1),
        'Parse error: ',
      ],
      ['a record', 3, new Uint8Array(80), 'A frame of kind 3 is not accepted here'],
    ])(async (_name, kind, body, why) => {
      const { client, peer } = setUp()
      const answered = client.invoke('before')
      const pending = Promise.allSettled([client.invoke('a'), client.listen('e', () => {})])
      const errors = await uncaught(async () => {
        peer.send(result(1, 'fine'))
        peer.sendRaw(kind, body)
        peer.send(result(2, 'too late'))
        expect(await answered).toBe('fine')
        for (const call of await pending) {
          expect(call).toMatchObject({
            status: 'rejected',
            reason: {
              reason: 'Disconnected',
              message: expect.stringContaining(`The link to core has failed: ${why}`),
              data: { delivered: 'unknown' },
            },
          })
        }
        await client.closed
      })
      expect(errors).toEqual([])
      expect(peer.closed).toBe(true)
      await expect(client.invoke('b')).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'no' } })
    }))
})

describe('an invalid message', () => {
  const nonsense: unknown[] = [
    null,
    1,
    'text',
    true,
    [[]],
    {},
    { jsonrpc: '2.0' },
    { jsonrpc: '1.0', id: 1, result: 'wrong' },
    { jsonrpc: '2.0', id: '1', result: 'wrong' },
    { jsonrpc: '2.0', id: 1.5, result: 'wrong' },
    { jsonrpc: '2.0', id: [1], result: 'wrong' },
    { jsonrpc: '2.0', id: 99, result: 'unknown' },
    { jsonrpc: '2.0', id: 1, error: 'wrong' },
    { jsonrpc: '2.0', id: 1, error: { code: 'x', message: 5 } },
    { jsonrpc: '2.0', id: null, error: { code: -32600, message: 'not about a call' } },
    notify('$/unknown', {}),
    notify('greet', { name: 'World' }),
    { jsonrpc: '2.0', id: 1, method: 'greet', params: {} },
    { jsonrpc: '2.0', method: '$/event' },
    notify('$/event', null),
    notify('$/event', 5),
    notify('$/event', {}),
    notify('$/event', { event: 'e', ids: 7 }),
    notify('$/event', { event: 'e', ids: [7], payloads: 7 }),
    notify('$/event', { event: 'e', ids: { length: 1e9 } }),
    notify('$/event', { event: 'e', ids: [null, {}, '7', -1] }),
    { jsonrpc: '2.0', method: '$/channel' },
    notify('$/channel', null),
    notify('$/channel', {}),
    notify('$/channel', { channel: '1', message: 1 }),
    notify('$/channel', { channel: 1, messages: 1 }),
    notify('$/channel', { channel: { id: 1 }, end: true }),
  ]

  it('is ignored, alone and in a batch, and the call is still answered', async () => {
    const { client, peer } = setUp()
    const heard: unknown[] = []
    const channel = new client.Channel(message => heard.push(message))
    const answer = client.invoke('x', { channel })
    void client.listen('e', event => void heard.push(event))
    peer.send(result(2, 7))
    const errors = await uncaught(async () => {
      for (const message of nonsense) peer.sendRaw(1, JSON.stringify(message))
      peer.sendRaw(1, JSON.stringify(nonsense))
      await crossed()
    })
    expect([errors, heard, peer.closed]).toEqual([[], [], false])
    peer.send(result(1, 'fine'))
    expect(await answer).toBe('fine')
  })
})

it('an error without an id settles no call, but is the reason of the close that follows it', async () => {
  const { client, peer } = setUp()
  const answer = client.invoke('x')
  peer.sendRaw(
    1,
    '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid Request: a message must be an object"}}',
  )
  peer.send(result(1, 'fine'))
  expect(await answer).toBe('fine')
  const [last, other] = [client.invoke('y'), setUp()]
  peer.close()
  await expect(last).rejects.toThrow('The link to core is closed')
  const lost = other.client.invoke('z')
  other.peer.sendRaw(1, '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no record"}}')
  other.peer.close()
  await expect(lost).rejects.toThrow('has failed: no record')
})

describe('arguments that throw on every access', () => {
  it('are refused and leave nothing behind', async () => {
    const { client, peer } = setUp()
    const mine = new RangeError('mine')
    const no = (): never => {
      throw mine
    }
    const { proxy: revoked, revoke } = Proxy.revocable({}, {})
    revoke()
    const refusing = [
      new Proxy({}, { ownKeys: no }),
      new Proxy({}, { has: no }),
      {
        get then() {
          return no()
        },
      },
      revoked,
    ]
    for (const args of refusing) {
      await expect(client.invoke('x', args)).rejects.toMatchObject({
        reason: 'InvalidParams',
        message: expect.stringMatching(/^Arguments of .*x.* cannot be read: /),
      })
    }
    expect(peer.received).toEqual([])
  })
})

it('refuses what is sent after its close, though the link has not ended yet', async () => {
  const { client, peer } = setUp()
  const pending = client.invoke('before')
  const closing = client.close()
  await expect(client.emit('late', 1)).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'no' } })
  await expect(client.invoke('late')).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'no' } })
  await expect(pending).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'unknown' } })
  await closing
  expect(peer.methods).toEqual(['before'])
})
