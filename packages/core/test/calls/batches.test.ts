// Batches of channel messages and events, as a frontend reads them: in order with other messages, and encoded once for many
// frontends.
import { describe, expect, test } from 'vitest'
import type { CodecName } from '@sallyport/protocol/internal/codec'
import type { Channel, CommandContext } from '../../src/index.js'
import { Peer, call, setUp } from '../support/peer.js'
import { choose } from '../../../../scripts/testing.js'

let encoded = 0
class Counted {
  toJSON(): unknown {
    return { times: ++encoded }
  }
}
const large = (): Uint8Array => new Uint8Array(2 ** 16).fill(7)

const commands = {
  say: async ({ to, channel }: { to: number; channel: Channel }) => {
    for (let i = 0; i < to; i++) await channel.send(i)
  },
  say_all: ({ messages, channel }: { messages: unknown[]; channel: Channel }) => {
    for (const message of messages) void channel.send(message === 'nothing' ? undefined : message)
    channel.end()
  },
  both: ({ first, second }: { first: Channel; second: Channel }, { app }: CommandContext) => {
    void first.send('a')
    void first.send('b')
    void second.send('c')
    app.emit('e', 'd')
    app.emit('e', 'e')
    void first.send('f')
    return 'g'
  },
  emit: ({ count }: { count: number }, { app }: CommandContext) => {
    for (let i = 0; i < count; i++) app.emit('e', i)
  },
  emit_counted: (_: unknown, { app }: CommandContext) => app.emit('e', new Counted()),
  emit_counted_bytes: (_: unknown, { app }: CommandContext) =>
    app.emit('e', { small: new Uint8Array([1]), large: large(), counted: [new Counted()] }),
}

const ready = async (codec?: CodecName): Promise<Peer> =>
  new Peer((await setUp('brownfield', commands)).core, 'main', undefined, codec)

const invocation = (id: number, name: string, args: unknown, channels: object = {}): string =>
  call(id, name, `,"params":${JSON.stringify(args)},"channels":${JSON.stringify(channels)}`)

/** Returns the params of messages before the answer to a call. */
async function readUntil(peer: Peer, id: number): Promise<any[]> {
  const params: unknown[] = []
  for (;;) {
    const message = await peer.next()
    if (message?.id === id) return params
    params.push(message.params)
  }
}

describe.each(choose<CodecName>(['msgpack', 'json']))('%s', codec => {
  test('up to 64 consecutive messages of a channel share one message, in order', async () => {
    const peer = (await ready(codec)).send(invocation(1, 'say', { to: 200, channel: '__CHANNEL__:5' }, { channel: 5 }))
    const batches = await readUntil(peer, 1)
    // Messages before the handler's first wait leave with the answers of the tick.
    expect(batches.map(({ index, messages }) => [index, messages?.length])).toEqual([
      [0, undefined],
      [1, 64],
      [65, 64],
      [129, 64],
      [193, 7],
    ])
    expect(batches.flatMap(({ message, messages }) => messages ?? [message])).toEqual(
      Array.from({ length: 200 }, (_, i) => i),
    )
  })

  test('another message ends a batch, and a single value is not an array', async () => {
    const peer = (await ready(codec)).send(invocation(1, 'plugin:event|listen', { event: 'e' }))
    const { result: id } = await peer.next()
    peer.send(invocation(2, 'both', { first: '__CHANNEL__:1', second: '__CHANNEL__:2' }, { first: 1, second: 2 }))
    expect(await readUntil(peer, 2)).toEqual([
      { channel: 1, index: 0, messages: ['a', 'b'] },
      { channel: 2, index: 0, message: 'c' },
      { event: 'e', ids: [id], payloads: ['d', 'e'] },
      { channel: 1, index: 2, message: 'f' },
    ])
  })

  test('a large message is sent alone, in order', async () => {
    const big = 'x'.repeat(20_000)
    const peer = (await ready(codec)).send(
      invocation(1, 'say_all', { messages: ['a', 'b', big, 'c'], channel: '__CHANNEL__:1' }, { channel: 1 }),
    )
    expect(await readUntil(peer, 1)).toEqual([
      { channel: 1, index: 0, messages: ['a', 'b'] },
      { channel: 1, index: 2, message: big },
      { channel: 1, index: 3, message: 'c' },
      { channel: 1, index: 4, end: true },
    ])
  })

  test('consecutive events share one message until listeners change', async () => {
    const peer = (await ready(codec)).send(invocation(1, 'plugin:event|listen', { event: 'e' }))
    await peer.next()
    peer.send(`[${invocation(2, 'emit', { count: 3 })},${invocation(3, 'plugin:event|listen', { event: 'e' })}]`)
    expect((await readUntil(peer, 2))[0]).toMatchObject({ payloads: [0, 1, 2] })
    const { result: second } = await peer.next()
    peer.send(invocation(4, 'emit', { count: 1 }))
    expect(await readUntil(peer, 4)).toMatchObject([{ ids: [second - 1, second], payload: 0 }])
    peer.send(
      `[${invocation(5, 'plugin:event|unlisten', { event: 'e', eventId: second - 1 })},${invocation(6, 'emit', { count: 1 })}]`,
    )
    await readUntil(peer, 5)
    expect(await readUntil(peer, 6)).toMatchObject([{ ids: [second], payload: 0 }])
  })
})

test('a message without JSON text is sent alone, without a value', async () => {
  const peer = (await ready()).send(
    invocation(1, 'say_all', { messages: [1, 'nothing', 2], channel: '__CHANNEL__:1' }, { channel: 1 }),
  )
  expect(await readUntil(peer, 1)).toEqual([
    { channel: 1, index: 0, message: 1 },
    { channel: 1, index: 1 },
    { channel: 1, index: 2, message: 2 },
    { channel: 1, index: 3, end: true },
  ])
})

describe('an event to many frontends', () => {
  async function listenWithAll(codecs: CodecName[]): Promise<Peer[]> {
    const { core } = await setUp('brownfield', commands)
    const peers = codecs.map((codec, at) => new Peer(core, `f${at}`, undefined, codec))
    for (const peer of peers) {
      await peer.send(invocation(1, 'plugin:event|listen', { event: 'e' })).next()
    }
    encoded = 0
    return peers
  }

  test('is encoded once per codec', async () => {
    const peers = await listenWithAll(['json', 'msgpack', 'json', 'msgpack', 'json'])
    peers[0]!.send(call(2, 'emit_counted'))
    const payloads = await Promise.all(peers.map(async peer => (await peer.next()).params.payload))
    expect(encoded).toBe(2)
    const [asJson, asMsgpack] = [payloads[0], payloads[1]]
    expect(payloads).toEqual([asJson, asMsgpack, asJson, asMsgpack, asJson])
  })

  test('with bytes is encoded once per codec, and has ids and bytes for each frontend', async () => {
    const peers = await listenWithAll(['json', 'msgpack', 'json', 'msgpack', 'json'])
    peers[0]!.send(call(2, 'emit_counted_bytes'))
    const received = await Promise.all(peers.map(async peer => (await peer.next()).params))
    expect(encoded).toBe(2)
    expect(new Set(received.map(({ ids }) => ids[0])).size).toBe(5)
    for (const { payload } of received) {
      expect(payload.large).toEqual(large())
      expect(payload.small).toEqual(new Uint8Array([1]))
    }
    expect(new Set(received.map(({ payload }) => payload.large.buffer)).size).toBe(5)
  })
})
