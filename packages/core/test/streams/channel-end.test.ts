// The end of channels from either side, and that nothing remains: the frontend closes a channel, or core drops it.
import { describe, expect, test } from 'vitest'
import { MAX_CHANNELS } from '@sallyport/protocol/internal/wire'
import type { Channel } from '../../src/rpc/channels.js'
import { call, Peer, setUp } from '../support/peer.js'
import { fixture, routesTo } from '../support/start.js'
import { choose, rows } from '../../../../scripts/testing.js'

const { commands } = (await import('../fixtures/streams/streams.mjs' as string)) as { commands: string[] }
const routes = routesTo(fixture('streams/streams.mjs'), commands)

describe.each(routes)('a channel: %s', (_name, connect) => {
  test('rejects sends and aborts its signal when the frontend closes it', async () => {
    const { client } = await connect()
    const channel = new client.Channel<number>()
    const answer = client.invoke('endless', { channel })
    await channel[Symbol.asyncIterator]().next()
    channel.close()
    expect(await answer).toBe(`The reader closed channel ${channel.id}`)
    expect(await client.invoke('seen')).toEqual(['aborted: Disconnected', 'Disconnected'])
  })

  test('closes when a loop over it ends early, and can be passed to another call then', async () => {
    const { client } = await connect('shared')
    const channel = new client.Channel<number>()
    for (let round = 0; round < 3; round++) {
      const answer = client.invoke('endless', { channel })
      let next = 0
      for await (const message of channel) {
        expect(message).toBe(next++)
        if (next === 300) break
      }
      expect(await answer).toMatch('closed channel')
    }
  })

  test('answers a call whose handler awaits no send once all that was accepted can leave', async () => {
    const { client } = await connect('shared')
    const channel = new client.Channel<number>()
    let isAnswered = false
    const answer = client.invoke('fill', { channel, count: 10_000 }).then(() => (isAnswered = true))
    const messages = channel[Symbol.asyncIterator]()
    for (const expected of Array(10_000).keys()) {
      // Those that are read, and about 4 MiB in flight.
      if (expected === 5000) expect(isAnswered).toBe(false)
      expect((await messages.next()).value).toBe(expected)
    }
    await answer
    channel.close()
  })

  test('fails a call whose handler sends more than can wait, although it awaits no send', async () => {
    const { client } = await connect('shared')
    const call = client.invoke('fill', { channel: new client.Channel(), count: 70_000 })
    await expect(call).rejects.toMatchObject({ reason: 'Overloaded' })
  })

  test('ends after all sent messages when no handler holds it any more', async () => {
    const { client } = await connect('shared')
    const channel = new client.Channel<number>()
    await client.invoke('fill', { channel, count: 400 })
    const got: number[] = []
    const reading = (async () => {
      for await (const message of channel) got.push(message)
    })()
    await client.invoke('collect')
    await reading
    expect(got).toHaveLength(400)
    expect(await client.invoke('send_once', { channel, message: 1 })).toBe(null)
    expect((await channel[Symbol.asyncIterator]().next()).value).toBe(1)
  })

  test('stays open while one of two calls holds it', async () => {
    const { client } = await connect('shared')
    const channel = new client.Channel<number>()
    await client.invoke('keep', { channel })
    await client.invoke('send_once', { channel, message: 1 })
    const messages = channel[Symbol.asyncIterator]()
    expect((await messages.next()).value).toBe(1)
    await client.invoke('send_once', { channel, message: 2 })
    expect(await client.invoke('send_kept', { message: 3 })).toEqual([false])
    expect([(await messages.next()).value, (await messages.next()).value]).toEqual([2, 3])
    await client.invoke('collect')
    expect(await messages.next()).toMatchObject({ done: true })
  })
})

describe.each(choose(['msgpack', 'json'] as const))('on the wire, %s', codec => {
  test('messages that a toJSON sends precede its own message, each with its own index', () =>
    rows([
      ['short', 10, false],
      ['large', 50_000, false],
      ['with bytes', 10, true],
      ['large, with bytes', 50_000, true],
    ])(async (_what, size, bytes) => {
      const { core } = await setUp('brownfield', {
        nested: async ({ channel }: { channel: Channel }) => {
          class Nest {
            toJSON(): string {
              void channel.send('inner')
              return 'x'.repeat(size)
            }
          }
          await channel.send(bytes ? { data: new Uint8Array(4), nest: new Nest() } : { nest: new Nest() })
          channel.end()
        },
      })
      const peer = new Peer(core, 'main', undefined, codec)
      peer.send(call(1, 'nested', ',"params":{"channel":"__CHANNEL__:9"},"channels":{"channel":9}'))
      const delivered: [number, unknown][] = []
      for (let last: any = {}; last.id === undefined;) {
        last = await peer.next()
        const { index, message, messages, end } = last.params ?? {}
        if (end) expect(index).toBe(delivered.length)
        else if (last.id === undefined)
          for (const [at, value] of (messages ?? [message]).entries())
            delivered.push([index + at, value?.nest?.length ?? value])
      }
      expect(delivered.map(([index]) => index)).toEqual(delivered.map((_value, index) => index))
      expect(delivered.slice(0, -1).every(([, value]) => value === 'inner')).toBe(true)
      expect([delivered.length > 1, delivered.at(-1)![1]]).toEqual([true, size])
    }))

  test('ignores a close of an unknown channel, and rejects a malformed one', async () => {
    const { core } = await setUp()
    const peer = new Peer(core, 'main', undefined, codec)
    peer.send('{"jsonrpc":"2.0","method":"$/closeChannel","params":{"channel":77}}')
    for (const params of ['{}', '{"channel":-1}', '{"channel":"1"}', '{"channel":1.5}']) {
      peer.send(`{"jsonrpc":"2.0","method":"$/closeChannel","params":${params}}`)
      peer.send(call(2, 'ok'))
      expect(await peer.next()).toMatchObject({ id: 2, result: 'fine' })
    }
    peer.send(call(3, '$/closeChannel', ',"params":{"channel":1}'))
    expect(await peer.next()).toMatchObject({ id: 3, error: { code: -32600 } })
  })

  test('a stream on what is open already, or not a channel, is rejected', () =>
    rows(['', 'x', '__CHANNEL__:', '__CHANNEL__:99999999999', '__CHANNEL__:5'])(async reference => {
      const { core } = await setUp()
      const peer = new Peer(core, 'main', undefined, codec)
      peer.send(call(1, 'forever', ',"params":{"channel":"__CHANNEL__:5"},"channels":{"channel":5}'))
      peer.send(
        call(
          2,
          'count',
          `,"params":{"c":"__CHANNEL__:6"},"channels":{"c":6},"headers":{"sallyport-stream":${JSON.stringify(reference)}}`,
        ),
      )
      expect(await peer.next()).toMatchObject({ params: { channel: 6, end: true } })
      expect(await peer.next()).toMatchObject({ id: 2, error: { code: -32600 } })
    }))
})

test('streams that end or are cancelled leave no channel open', async () => {
  const { core } = await setUp('brownfield', {
    forever: () => new Promise(() => {}),
    two: async function* () {
      yield 1
      yield 2
    },
    waits: async function* (_args: object, { signal }: { signal: AbortSignal }) {
      await new Promise(resolve => signal.addEventListener('abort', resolve))
      yield 1
    },
  })
  const peer = new Peer(core, 'main')
  // With these, ten more channels can be open.
  const held = Array.from({ length: MAX_CHANNELS - 10 }, (_, id) => id)
  const params = JSON.stringify(Object.fromEntries(held.map(id => [`c${id}`, `__CHANNEL__:${id}`])))
  const channels = JSON.stringify(Object.fromEntries(held.map(id => [`c${id}`, id])))
  peer.send(call('holds', 'forever', `,"params":${params},"channels":${channels}`))
  const open = (id: number, name: string): string =>
    call(id, name, `,"headers":{"sallyport-stream":"__CHANNEL__:${id}"}`)
  for (let id = MAX_CHANNELS; id < MAX_CHANNELS + 60; id += 2) {
    peer.send(`[${open(id, 'two')},${open(id + 1, 'waits')}]`)
    peer.send(`{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":${id + 1}}}`)
    let answer: any
    do answer = await peer.next()
    while (answer.id === undefined)
    // A cancelled call has no answer, and a refused one an error.
    expect(answer).toEqual({ jsonrpc: '2.0', id, result: null })
  }
})
