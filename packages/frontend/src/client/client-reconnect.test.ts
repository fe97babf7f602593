import { LocalLink } from '@sallyport/protocol/internal/link'
import type { BusEvent } from '@sallyport/protocol/internal/message'
import { describe, expect, it } from 'vitest'
import { crossed, notify, Peer, result } from '../../test/peer.js'
import { Channel } from './channel.js'
import { Client, type ClientOptions } from './client.js'
import { emit, emitTo, setCurrentClient } from './current-client.js'

function start(options: Partial<ClientOptions> = {}) {
  const [near, far] = LocalLink.createPair()
  const client = new Client(near, { label: 'main', reconnects: true, ...options })
  const reconnect = () => {
    const [nextNear, nextFar] = LocalLink.createPair()
    const nextPeer = new Peer(nextFar)
    return { peer: nextPeer, done: Client.reconnect(client, nextNear) }
  }
  return { client, peer: new Peer(far), reconnect }
}
const event = (ids: number[], payload: unknown): unknown => notify('$/event', { event: 'e', ids, payload })
const disconnected = (delivered: 'no' | 'unknown') => ({ reason: 'Disconnected', data: { delivered } })

describe('a link that closes', () => {
  it('settles calls in flight, rejects new calls, and leaves the client open', async () => {
    const { client, peer, reconnect } = start()
    const call = client.invoke('x')
    await crossed()
    peer.close()
    await expect(call).rejects.toMatchObject(disconnected('unknown'))
    await expect(client.invoke('x')).rejects.toMatchObject(disconnected('no'))
    await expect(client.emit('e')).rejects.toMatchObject(disconnected('no'))
    await expect(client.listen('e', () => {})).rejects.toMatchObject(disconnected('no'))
    const { peer: next } = reconnect()
    const again = client.invoke('y')
    await crossed()
    expect(next.received).toMatchObject([{ id: 1, method: 'y' }])
    next.send(result(1, 'z'))
    expect(await again).toBe('z')
  })

  it('ends channels and streams', async () => {
    const { client, peer } = start()
    const channel = new Channel()
    client.invoke('x', { channel }).catch(() => {})
    const stream = client.stream('y')
    const first = stream.next()
    await crossed()
    peer.close()
    expect(await channel[Symbol.asyncIterator]().next()).toMatchObject({ done: true })
    await expect(first).rejects.toMatchObject(disconnected('unknown'))
  })
})

it('an event that is not awaited is lost with the link, and does not end the thread', async () => {
  const { client, peer } = start()
  peer.close()
  await crossed()
  // An unhandled rejection fails the test run.
  void client.emit('e')
  await crossed()
  setCurrentClient(client)
  void emit('e')
  void emitTo('main', 'e')
  await crossed()
  Reflect.deleteProperty(globalThis, Symbol.for('@sallyport/frontend:client'))
})

describe('the listeners of a client', () => {
  const startListening = async (options?: Partial<ClientOptions>) => {
    const parts = start(options)
    const events: BusEvent[] = []
    const listening = parts.client.listen('e', event => void events.push(event), { target: 'other' })
    await crossed()
    parts.peer.send(result(1, 7))
    return { ...parts, events, unlisten: await listening }
  }

  it('are registered before anything else is sent, and keep their ids', async () => {
    const { client, peer, reconnect, events, unlisten } = await startListening()
    peer.close()
    await crossed()
    const { peer: next, done } = reconnect()
    client.invoke('x').catch(() => {})
    await crossed()
    const target = { kind: 'AnyLabel', label: 'other' }
    expect(next.received).toMatchObject([
      { method: 'plugin:event|listen', params: { event: 'e', target } },
      { method: 'x' },
    ])
    // The new core counts its ids from the beginning: a later listener can get the id that the first had.
    const second = client.listen('e', event => void events.push(event))
    await crossed()
    next.send(event([3], 'too early'), result(1, 3), result(3, 7), event([3], 'a'), event([7], 'b'))
    await done
    await second
    expect(events.map(({ payload }) => payload)).toEqual(['a', 'b'])
    expect(events[0]!.id).toBe(7)
    expect(events[1]!.id).not.toBe(7)
    unlisten()
    await crossed()
    expect(next.last).toMatchObject({ method: 'plugin:event|unlisten', params: { event: 'e', eventId: 3 } })
  })

  it('are registered and removed even if calls of the user must not wait', async () => {
    const { client, peer, reconnect, events } = await startListening({ maxInFlight: 1, overflow: 'reject' })
    const second = client.once('e', event => void events.push(event))
    await crossed()
    peer.send(result(2, 8))
    await second
    peer.close()
    const { peer: next, done } = reconnect()
    await crossed()
    next.send(result(1, 3))
    await crossed()
    expect(next.methods).toEqual(['plugin:event|listen', 'plugin:event|listen'])
    next.send(result(2, 4))
    await done
    const call = client.invoke('x')
    await crossed()
    next.send(event([3, 4], 'a'), event([3, 4], 'b'))
    await crossed()
    expect(events.map(({ payload }) => payload)).toEqual(['a', 'a', 'b'])
    next.send(result(3, 'done'))
    expect(await call).toBe('done')
    await crossed()
    expect(next.last).toMatchObject({ method: 'plugin:event|unlisten', params: { eventId: 4 } })
  })

  it('receive nothing when they were removed without a link, or before core has answered', async () => {
    const { client, peer, reconnect, events, unlisten } = await startListening()
    const more = client.listen('e', event => void events.push(event))
    await crossed()
    peer.send(result(2, 8))
    const unlistenMore = await more
    peer.close()
    await crossed()
    unlisten()
    const { peer: next, done } = reconnect()
    unlistenMore()
    await crossed()
    expect(next.methods).toEqual(['plugin:event|listen'])
    next.send(result(1, 0), event([0], 'late'))
    await done
    await crossed()
    expect(next.last).toMatchObject({ method: 'plugin:event|unlisten', params: { eventId: 0 } })
    expect(events).toEqual([])
  })

  it('remain when a link closes before core has answered', async () => {
    const { peer, reconnect, events } = await startListening()
    peer.close()
    const { peer: second } = reconnect()
    await crossed()
    second.close()
    await crossed()
    const { peer: third } = reconnect()
    await crossed()
    third.send(result(1, 5), event([5], 'here'))
    await crossed()
    expect(events).toMatchObject([{ payload: 'here', id: 7 }])
  })

  it('receive one event of all links together with once', async () => {
    const { client, peer, reconnect } = start()
    const events: unknown[] = []
    const listening = client.once('e', ({ payload }) => void events.push(payload))
    await crossed()
    peer.send(result(1, 0))
    await listening
    peer.close()
    await crossed()
    const { peer: next } = reconnect()
    await crossed()
    next.send(result(1, 0), event([0], 1), event([0], 2))
    await crossed()
    peer.close()
    expect(events).toEqual([1])
    const { peer: last } = reconnect()
    await crossed()
    expect(last.received).toEqual([])
  })
})

it('exposed functions can be called over the next link, and running calls are aborted', async () => {
  const { client, peer, reconnect } = start()
  let finish!: (value: string) => void
  const signals: AbortSignal[] = []
  client.expose({
    wait: (_args: unknown, { signal }) => {
      signals.push(signal)
      return new Promise(resolve => (finish = resolve))
    },
    now: () => 'here',
  })
  peer.send({ jsonrpc: '2.0', id: 1, method: 'wait' })
  await crossed()
  peer.close()
  await crossed()
  expect(signals[0]!.aborted).toBe(true)
  const { peer: next } = reconnect()
  finish('late')
  next.send({ jsonrpc: '2.0', id: 1, method: 'now' })
  await crossed()
  expect(next.received).toEqual([{ jsonrpc: '2.0', id: 1, result: 'here' }])
})

it('a client that was closed or ended closes another link', async () => {
  for (const close of [(client: Client) => void client.close(), (client: Client) => Client.end(client, undefined)]) {
    const { client, reconnect } = start()
    close(client)
    await client.closed
    const { peer: next, done } = reconnect()
    await done
    await crossed()
    expect(next.closed).toBe(true)
    await expect(client.invoke('x')).rejects.toMatchObject(disconnected('no'))
  }
})
