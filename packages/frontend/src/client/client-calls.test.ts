// A client's calls against a peer that is controlled by the test.
import { refuseCalls } from '../internal.js'
import { Client } from './client.js'
import { askCredit, collect, credits, end, messages, sayAll, stream } from '../../test/streams.js'
import { BusError, type BusErrorReason, ERROR_CODES } from '@sallyport/protocol/internal/errors'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { crossed, failure, notify, result, setUp } from '../../test/peer.js'

describe('invoke', () => {
  it('sends a request and resolves with the result', async () => {
    const { client, peer } = setUp()
    const answer = client.invoke('greet', { name: 'World' })
    await crossed()
    expect(peer.received).toEqual([{ jsonrpc: '2.0', id: 1, method: 'greet', params: { name: 'World' } }])
    peer.send(result(1, 'Hello, World!'))
    expect(await answer).toBe('Hello, World!')
  })

  it('omits arguments and options that are not set', async () => {
    const { client, peer } = setUp()
    void client.invoke('a')
    void client.invoke('b', {}, {})
    void client.invoke('c', undefined, { headers: { x: '1' } })
    await crossed()
    expect(peer.received).toEqual([
      { jsonrpc: '2.0', id: 1, method: 'a' },
      { jsonrpc: '2.0', id: 2, method: 'b', params: {} },
      { jsonrpc: '2.0', id: 3, method: 'c', headers: { x: '1' } },
    ])
  })

  it('shares a frame with other messages of the tick, and ids count up regardless of failures', async () => {
    const { client, peer } = setUp()
    void client.invoke('a')
    void client.invoke('', {}).catch(() => {})
    void client.emit('e')
    void client.invoke('b')
    await crossed()
    void client.invoke('c')
    await crossed()
    expect(peer.received.map(({ id }) => id)).toEqual([1, undefined, 2, 3])
    expect(peer.kinds).toEqual([1, 1])
  })

  it('resolves with any result', () =>
    rows([null, false, 0, '', [[]], { a: [1] }])(async value => {
      const { client, peer } = setUp()
      const answer = client.invoke('x')
      peer.send(result(1, value))
      expect(await answer).toEqual(value)
    }))

  it('settles calls by their ids, in any order, from one frame', async () => {
    const { client, peer } = setUp()
    const answers = [1, 2, 3].map(n => client.invoke('x', { n }))
    const settled = Promise.allSettled(answers)
    peer.send(result(3, 'three'), failure(1, -32000, 'one'), result(2, 'two'), result(2, 'again'), result(9, 'unknown'))
    expect(await settled).toMatchObject([
      { status: 'rejected', reason: { message: 'one' } },
      { status: 'fulfilled', value: 'two' },
      { status: 'fulfilled', value: 'three' },
    ])
  })

  it('rejects with a BusError of each reason', () =>
    rows(Object.entries(ERROR_CODES))(async (reason, code) => {
      const { client, peer } = setUp()
      const answer = client.invoke('x')
      peer.send(failure(1, code, 'why', { more: 1 }))
      const error = (await answer.catch((thrown: unknown) => thrown)) as BusError
      expect(error).toBeInstanceOf(BusError)
      expect(error).toMatchObject({ reason: reason as BusErrorReason, code, message: 'why', data: { more: 1 } })
    }))

  it('handles messages, batches and both codecs in the order of their arrival', async () => {
    const { client, peer } = setUp()
    const order: number[] = []
    for (const n of [1, 2, 3, 4]) void client.invoke('x').then(() => order.push(n))
    peer.sendAs('msgpack', result(2, null))
    peer.send(result(1, null), result(4, null))
    peer.sendAs('msgpack', result(3, null))
    await crossed()
    expect(order).toEqual([2, 1, 4, 3])
  })
})

describe('a call with a deadline', () => {
  it('rejects with Timeout and notifies core', async () => {
    const { client, peer } = setUp()
    const answer = client.invoke('slow', {}, { timeout: 1 })
    await expect(answer).rejects.toMatchObject({ reason: 'Timeout', message: 'command "slow" took longer than 1 ms' })
    await crossed()
    expect(peer.last).toEqual({ jsonrpc: '2.0', method: '$/cancelRequest', params: { id: 1 } })
    peer.send(result(1, 'late'))
    await crossed()
    const next = client.invoke('x')
    peer.send(result(2, 'fine'))
    expect(await next).toBe('fine')
  })
})

describe('a call with a signal', () => {
  it('rejects with Cancelled and notifies core when the signal aborts', async () => {
    const { client, peer } = setUp()
    const controller = new AbortController()
    const answer = client.invoke('slow', {}, { signal: controller.signal })
    await crossed()
    controller.abort('enough')
    await expect(answer).rejects.toMatchObject({
      reason: 'Cancelled',
      message: 'command "slow" was cancelled',
      cause: 'enough',
    })
    await crossed()
    expect(peer.methods).toEqual(['slow', '$/cancelRequest'])
    peer.send(result(1, 'late'))
    controller.abort()
    await crossed()
    expect(peer.methods).toEqual(['slow', '$/cancelRequest'])
  })

  it('sends nothing when the signal was aborted before', async () => {
    const { client, peer } = setUp()
    await expect(client.invoke('slow', {}, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      reason: 'Cancelled',
    })
    await crossed()
    expect(peer.received).toEqual([])
  })

  it('is sent before its cancel when the signal aborts in the same tick', async () => {
    const { client, peer } = setUp()
    const controller = new AbortController()
    const answer = client.invoke('slow', {}, { signal: controller.signal })
    controller.abort()
    await expect(answer).rejects.toMatchObject({ reason: 'Cancelled' })
    await crossed()
    expect(peer.methods).toEqual(['slow', '$/cancelRequest'])
  })

  it('is not affected when the signal aborts after the response', async () => {
    const { client, peer } = setUp()
    const controller = new AbortController()
    const answer = client.invoke('x', {}, { signal: controller.signal, timeout: 60_000 })
    peer.send(result(1, 'fine'))
    expect(await answer).toBe('fine')
    controller.abort()
    await crossed()
    expect(peer.methods).toEqual(['x'])
  })
})

describe('the end of the link', () => {
  const lost = {
    reason: 'Disconnected',
    message: 'The link to core is closed',
    data: { code: 'CLOSED', delivered: 'unknown' },
  }
  const refused = {
    reason: 'Disconnected',
    message: 'The link to core is closed',
    data: { code: 'CLOSED', delivered: 'no' },
  }

  it('by either side settles every call, and rejects the next', () =>
    rows(['peer', 'client'] as const)(async side => {
      const { client, peer } = setUp()
      const { signal } = new AbortController()
      const calls = [
        client.invoke('a'),
        client.invoke('b', {}, { timeout: 60_000, signal }),
        client.listen('e', () => {}),
      ]
      const settled = Promise.allSettled(calls)
      await crossed()
      if (side === 'peer') peer.close()
      else await client.close()
      for (const call of await settled) expect(call).toMatchObject({ status: 'rejected', reason: lost })
      await client.closed
      await expect(client.invoke('c')).rejects.toMatchObject(refused)
      await expect(client.listen('e', () => {})).rejects.toMatchObject(refused)
      await expect(client.emit('e')).rejects.toMatchObject(refused)
      await expect(client.emitTo('a', 'e')).rejects.toMatchObject(refused)
      await crossed()
      expect(peer.methods).toEqual(['a', 'b', 'plugin:event|listen'])
    }))

  it('is told by the first reason for which calls are refused', async () => {
    const { client } = setUp()
    for (const text of ['first', 'second']) refuseCalls(client, () => new BusError('Disconnected', text))
    await expect(client.invoke('c')).rejects.toThrow('first')
  })

  it('rejects each call with its own error', async () => {
    const { client, peer } = setUp()
    const calls = [client.invoke('a'), client.invoke('b')]
    const settled = Promise.allSettled(calls)
    peer.close()
    const [first, second] = (await settled) as PromiseRejectedResult[]
    expect(first!.reason).not.toBe(second!.reason)
  })

  it('comes after messages that were sent before', async () => {
    const { client, peer } = setUp()
    void client.emit('last')
    await client.close()
    await crossed()
    expect([peer.methods, peer.closed]).toEqual([['plugin:event|emit'], true])
    await client.close()
    await client[Symbol.asyncDispose]()
  })

  it('rejects calls with the reason that core has sent', async () => {
    const { client, peer } = setUp()
    const answer = client.invoke('a')
    peer.send(failure(null, -32700, 'Parse error: nested deeper than 64'))
    peer.close()
    await expect(answer).rejects.toMatchObject({
      message: 'The link to core has failed: Parse error: nested deeper than 64',
      cause: { reason: 'InvalidRequest' },
    })
  })

  it('drops later messages', async () => {
    const { client, peer } = setUp()
    const seen: unknown[] = []
    void client.listen('e', event => void seen.push(event)).catch(() => {})
    peer.send(result(1, 7))
    await crossed()
    peer.send(notify('$/event', { event: 'e', ids: [7], payload: 1 }))
    await client.close()
    await crossed()
    expect(seen).toEqual([])
  })

  it('cancels a call whose signal is aborted during the encoding of its arguments', async () => {
    const { client, peer } = setUp()
    const controller = new AbortController()
    const aborts = {
      toJSON() {
        controller.abort('enough')
        return 1
      },
    }
    const call = client.invoke('x', { aborts }, { signal: controller.signal })
    await expect(call).rejects.toMatchObject({ reason: 'Cancelled', cause: 'enough' })
    await crossed()
    expect(peer.methods).toEqual(['x', '$/cancelRequest'])
  })
})

describe('credit', () => {
  describe('the credit of a channel', () => {
    it('is sent when core asks for it, if onmessage has received the messages before', async () => {
      const { peer, channel } = stream(() => {})
      peer.send(...messages(channel, 0, 300))
      await crossed()
      expect(credits(peer)).toEqual([])
      peer.send(askCredit(channel, 5000), ...messages(channel, 300, 310), askCredit(channel, 7))
      await crossed()
      await crossed()
      expect(credits(peer)).toEqual([5000, 7].map(bytes => ({ channel: channel.id, bytes })))
    })

    it('is sent for messages that were read, not for those that arrived', async () => {
      const { peer, channel } = stream()
      peer.send(...messages(channel, 0, 10), askCredit(channel, 1), askCredit(channel, 2))
      peer.send(
        sayAll(channel, 10, [10, 11]),
        askCredit(channel, 3),
        ...messages(channel, 12, 20),
        askCredit(channel, 4),
      )
      await crossed()
      expect(credits(peer)).toEqual([])
      const iterator = channel[Symbol.asyncIterator]()
      for (let i = 0; i < 9; i++) await iterator.next()
      await crossed()
      expect(credits(peer)).toEqual([])
      for (let i = 9; i < 12; i++) expect(await iterator.next()).toEqual({ done: false, value: i })
      await crossed()
      expect(credits(peer)).toEqual([1, 2, 3].map(bytes => ({ channel: channel.id, bytes })))
      channel.onmessage = () => {}
      await crossed()
      expect(credits(peer)).toHaveLength(4)
    })

    it('waits for the rest of a batch whose handler has stopped', async () => {
      const seen: unknown[] = []
      const { peer, channel } = stream(message => {
        seen.push(message)
        channel.onmessage = undefined
      })
      peer.send(sayAll(channel, 0, [0, 1, 2]), askCredit(channel, 9))
      await crossed()
      expect([seen, credits(peer)]).toEqual([[0], []])
      channel.onmessage = message => seen.push(message)
      await crossed()
      expect([seen, credits(peer)]).toEqual([[0, 1, 2], [{ channel: channel.id, bytes: 9 }]])
    })

    it('is not sent after the end, or over a closed link', async () => {
      const { peer, channel } = stream()
      peer.send(...messages(channel, 0, 100), askCredit(channel, 1), end(channel, 100))
      expect(await collect(channel)).toHaveLength(100)
      const second = stream()
      second.peer.send(...messages(second.channel, 0, 100), askCredit(second.channel, 1))
      await crossed()
      await second.client.close()
      expect(await collect(second.channel)).toHaveLength(100)
      await crossed()
      expect([credits(peer), credits(second.peer)]).toEqual([[], []])
    })
  })
})

// What users find on a client: the bus's own controls are not among it.
it('a client has only its public members at run time', () => {
  const { client } = setUp()
  const methods = ['invoke', 'stream', 'emit', 'emitTo', 'listen', 'once', 'expose', 'close']
  expect(Object.getOwnPropertyNames(Client.prototype).toSorted()).toEqual(['constructor', ...methods].toSorted())
  expect(Object.keys(client).toSorted()).toEqual(['Channel', 'closed', 'data', 'label'])
})
