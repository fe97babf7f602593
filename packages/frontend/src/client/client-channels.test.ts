import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { IN_BROWSER, crossed, failure, result, setUp, type Received } from '../../test/peer.js'
import { askCredit, collect, credits, end, messages, say, sayAll, stream } from '../../test/streams.js'
import { uncaught } from '../../test/uncaught.js'
import { Channel } from './channel.js'

describe('a channel', () => {
  it('is sent as a reference of its own', async () => {
    const { client, peer, channel } = stream()
    const other = new Channel()
    void client.invoke('x', { a: other, b: channel })
    await crossed()
    expect(peer.received[0]!.params).toEqual({ url: 'x', channel: `__CHANNEL__:${channel.id}` })
    expect(other.id).not.toBe(channel.id)
    const reference = `__CHANNEL__:${channel.id}`
    expect(peer.last.params).toEqual({ a: `__CHANNEL__:${other.id}`, b: reference })
    expect(peer.last.channels).toEqual({ a: other.id, b: channel.id })
    expect(JSON.stringify({ channel })).toBe(`{"channel":"${reference}"}`)
  })

  it('is refused below the top level, also while a getter makes another call', async () => {
    const { client, peer, channel } = stream()
    const sent = peer.received.length
    const deep = {
      get before() {
        void client.invoke('y', { channel })
        return 1
      },
      channel,
    }
    const what = IN_BROWSER ? 'it has a Channel' : 'deep.channel is a Channel'
    await expect(client.invoke('x', { deep })).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: expect.stringContaining(`${what}: pass it as an argument of its own`) as string,
    })
    await crossed()
    expect(peer.received.slice(sent).map(({ method }) => method)).not.toContain('x')
    expect(peer.last.channels, 'the call of the getter').toEqual({ channel: channel.id })
  })

  it('passes messages to onmessage in order, before and after the response', async () => {
    const seen: unknown[] = []
    const { peer, channel, call } = stream(message => seen.push(message))
    peer.send(...messages(channel, 0, 3), result(1, 'done'), ...messages(channel, 3, 5))
    expect(await call).toBe('done')
    await crossed()
    expect(seen).toEqual([0, 1, 2, 3, 4])
  })

  it('handles a batch like individual messages', async () => {
    const seen: unknown[] = []
    const { peer, channel } = stream(message => {
      seen.push(message)
      if (message === 2) channel.onmessage = undefined
    })
    peer.send(say(channel, 0, 0), sayAll(channel, 1, [1, 2, 3, [4]]), end(channel, 5))
    await crossed()
    expect(seen).toEqual([0, 1, 2])
    expect(await collect(channel)).toEqual([3, [4]])
  })

  it.skipIf(IN_BROWSER)('can receive null, undefined and bytes', async () => {
    const seen: unknown[] = []
    const { peer, channel } = stream(message => seen.push(message))
    peer.send(say(channel, 0, null))
    peer.sendAs(
      'msgpack',
      say(channel, 1, undefined),
      say(channel, 2, new Uint8Array([1])),
      say(channel, 3, { end: true }),
    )
    await crossed()
    expect(seen).toStrictEqual([null, undefined, new Uint8Array([1]), { end: true }])
  })

  it('receives no messages of another or an unknown channel', async () => {
    const { client, peer, channel } = stream()
    const other = new client.Channel()
    void client.invoke('x', { other })
    const [first, second] = [collect(channel), collect(other)]
    const stranger = new Channel()
    peer.send(say(channel, 0, 'a'), say(stranger, 0, '?'), say(other, 0, 'b'), say(channel, 1, 'c'))
    peer.send(end(channel, 2), end(stranger, 1), end(other, 1))
    expect(await Promise.all([first, second])).toEqual([['a', 'c'], ['b']])
    expect(credits(peer)).toEqual([])
  })

  it('receives the rest of a frame when onmessage throws', async () => {
    const seen: unknown[] = []
    const { client, peer, channel } = stream(message => {
      seen.push(message)
      if (message === 0) throw new Error('mine')
    })
    const answer = client.invoke('x')
    const errors = await uncaught(async () => {
      peer.send(...messages(channel, 0, 2), result(2, 'fine'))
      expect(await answer).toBe('fine')
    })
    expect([seen, errors]).toEqual([[0, 1], [new Error('mine')]])
  })
})

describe('onmessage', () => {
  it('receives the waiting messages first when it is set late', async () => {
    const { peer, channel } = stream()
    const seen: unknown[] = []
    peer.send(...messages(channel, 0, 3))
    await crossed()
    channel.onmessage = message => seen.push(message)
    expect(seen).toEqual([0, 1, 2])
    peer.send(...messages(channel, 3, 5))
    await crossed()
    expect(seen).toEqual([0, 1, 2, 3, 4])
  })

  it('receives waiting messages when it is set again', async () => {
    const { peer, channel } = stream()
    const seen: unknown[] = []
    channel.onmessage = message => {
      seen.push(message)
      channel.onmessage = undefined
    }
    peer.send(...messages(channel, 0, 2), end(channel, 2))
    await crossed()
    expect(seen).toEqual([0])
    expect(await collect(channel)).toEqual([1])
  })
})

describe('an iterator of a channel', () => {
  it('returns all messages in order, and ends with the channel', async () => {
    const { peer, channel } = stream()
    const all = collect(channel)
    peer.send(...messages(channel, 0, 2))
    await crossed()
    peer.send(...messages(channel, 2, 4), end(channel, 4))
    expect(await all).toEqual([0, 1, 2, 3])
    expect(await collect(channel), 'a second one').toEqual([])
  })

  it('returns the messages that arrived before', async () => {
    const { peer, channel } = stream()
    peer.send(...messages(channel, 0, 3), end(channel, 3))
    await crossed()
    expect(await collect(channel)).toEqual([0, 1, 2])
  })

  it('closes the channel and drops unread messages when it is left early', async () => {
    const { peer, channel } = stream()
    peer.send(...messages(channel, 0, 3), end(channel, 3))
    for await (const message of channel) {
      expect(message).toBe(0)
      break
    }
    expect(await collect(channel)).toEqual([])
  })

  it('shares the messages with other iterators, and all end', async () => {
    const { peer, channel } = stream()
    const all = Promise.all([collect(channel), collect(channel), collect(channel)])
    await crossed()
    peer.send(...messages(channel, 0, 10))
    await crossed()
    peer.send(end(channel, 10))
    expect(new Set((await all).flat())).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]))
  })
})

describe('the end of a channel', () => {
  it('comes with a failed call, after the messages before', async () => {
    const { peer, channel, call } = stream()
    const all = collect(channel)
    peer.send(...messages(channel, 0, 2), failure(1, -32000, 'broken'))
    await expect(call).rejects.toThrow('broken')
    expect(await all).toEqual([0, 1])
    peer.send(say(channel, 2, 'late'))
    await crossed()
    expect(await collect(channel)).toEqual([])
  })

  it('comes with a deadline, a signal, and a link that closes', () =>
    rows(['a deadline', 'a signal', 'a link that closes'])(async how => {
      const { client, peer } = setUp()
      const channel = new client.Channel()
      const controller = new AbortController()
      const call = client.invoke(
        'x',
        { channel },
        { signal: controller.signal, ...(how === 'a deadline' && { timeout: 1 }) },
      )
      const settled = Promise.allSettled([call])
      if (how === 'a signal') controller.abort()
      if (how === 'a link that closes') peer.close()
      expect(await collect(channel)).toEqual([])
      expect(await settled).toMatchObject([{ status: 'rejected' }])
    }))

  it('comes with the link even if the call was answered', async () => {
    const { peer, channel, call } = stream()
    peer.send(...messages(channel, 0, 1), result(1, 'done'))
    await call
    peer.close()
    expect(await collect(channel)).toEqual([0])
  })

  it('does not come with a call that could not be sent, and the channel can be passed again', async () => {
    const { client, peer } = setUp()
    const channel = new client.Channel()
    await expect(client.invoke('x', { channel, wrong: 1n })).rejects.toMatchObject({ reason: 'InvalidParams' })
    void client.invoke('x', { channel })
    peer.send(...messages(channel, 0, 1), end(channel, 1))
    expect(await collect(channel)).toEqual([0])
  })

  it('is not final: a channel that is passed again receives messages and sends credit again', async () => {
    const { client, peer, channel } = stream()
    peer.send(...messages(channel, 0, 1), end(channel, 1))
    expect(await collect(channel)).toEqual([0])
    void client.invoke('download', { channel })
    const again = collect(channel)
    peer.send(...messages(channel, 0, 64), askCredit(channel, 5))
    await crossed()
    await crossed()
    expect(credits(peer)).toEqual([{ channel: channel.id, bytes: 5 }])
    peer.send(end(channel, 64))
    expect(await again).toHaveLength(64)
  })
})

describe('the close of a channel', () => {
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
})
