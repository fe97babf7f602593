import { describe, expect, it } from 'vitest'
import { crossed, failure, type Received, result } from '../../test/peer.js'
import { collect, end, messages, say, sayAll, stream } from '../../test/streams.js'
import { Channel } from './channel.js'

const closes = (received: readonly Received[]): unknown[] =>
  received.filter(({ method }) => method === '$/closeChannel').map(({ params }) => params)

describe('a channel that is closed', () => {
  it('notifies core once, drops unread messages, and calls onend', async () => {
    const { peer, channel } = stream()
    let ends = 0
    channel.onend = () => ends++
    peer.send(...messages(channel, 0, 10))
    await crossed()
    channel.close()
    channel.close()
    peer.send(say(channel, 10, 10), end(channel, 11))
    await crossed()
    expect(closes(peer.received)).toEqual([{ channel: channel.id }])
    expect(await collect(channel)).toEqual([])
    expect(ends).toBe(1)
  })

  it('ends a waiting iterator, and leaving a loop closes a channel', async () => {
    const { peer, channel } = stream()
    const waiting = channel[Symbol.asyncIterator]().next()
    const left = channel[Symbol.asyncIterator]()
    peer.send(say(channel, 0, 'a'))
    expect(await waiting).toEqual({ done: false, value: 'a' })
    const [first, second] = [left.next(), channel[Symbol.asyncIterator]().next()]
    await left.return!()
    expect([await first, await second]).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ])
    await crossed()
    expect(closes(peer.received)).toEqual([{ channel: channel.id }])
  })

  it('receives no further messages of the same frame', async () => {
    const got: unknown[] = []
    const { peer, channel } = stream(message => {
      got.push(message)
      if (message === 1) channel.close()
    })
    peer.send(sayAll(channel, 0, [0, 1, 2, 3]), say(channel, 4, 4))
    await crossed()
    expect(got).toEqual([0, 1])
  })

  it('receives nothing of the old call when its handler passes it to a new call', async () => {
    const got: unknown[] = []
    const set = stream(message => {
      got.push(message)
      if (message !== 1) return
      set.channel.close()
      void set.client.invoke('again', { channel: set.channel })
    })
    set.peer.send(sayAll(set.channel, 0, [0, 1, 2]))
    await crossed()
    await crossed()
    set.peer.send(say(set.channel, 0, 'new'))
    await crossed()
    expect(got).toEqual([0, 1, 'new'])
  })

  it('sends no notification if it has ended or was never passed to a call', async () => {
    const { client, peer, channel } = stream()
    peer.send(say(channel, 0, 0), end(channel, 1), result(1, null))
    await crossed()
    let ends = 0
    channel.onend = () => ends++
    channel.close()
    expect(ends).toBe(1)
    const fresh = new Channel()
    fresh.close()
    const call = client.invoke('x', { fresh })
    await crossed()
    peer.send(say(fresh, 0, 'a'), failure(2, -32000, 'no'))
    await expect(call).rejects.toThrow('no')
    expect(await collect(fresh)).toEqual(['a'])
    await client.close()
    stream().channel.close()
    expect(closes(peer.received)).toEqual([])
  })

  it('is closed in core when core uses it after its end', async () => {
    const { peer, channel } = stream()
    peer.send(end(channel, 0), sayAll(channel, 0, [1, 2]), say(channel, 2, 3), end(channel, 3))
    await crossed()
    await crossed()
    expect(closes(peer.received)).toEqual([{ channel: channel.id }])
  })

  it('can be closed after its link', async () => {
    const { client, channel } = stream()
    await client.close()
    channel.close()
    expect(await collect(channel)).toEqual([])
  })
})
