// A client that goes on over another link: what belonged to the one before has ended, what is the client's own goes on.
import type { BusEvent } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import { createMemoryLinkPair } from '../../../protocol/test/memory-link.js'
import { crossed, notify, Peer, result } from '../../test/peer.js'
import { Channel } from './channel.js'
import { Client, type ClientOptions } from './client.js'
import { emit, emitTo, setCurrentClient } from './current-client.js'

function start(options: Partial<ClientOptions> = {}) {
  const [near, far] = createMemoryLinkPair()
  const client = new Client(near, { label: 'main', reconnects: true, ...options })
  const relink = () => {
    const [next, there] = createMemoryLinkPair()
    const again = new Peer(there)
    return { peer: again, done: client.reconnect(next) }
  }
  return { client, peer: new Peer(far), relink }
}
const event = (ids: number[], payload: unknown): unknown => notify('$/event', { event: 'e', ids, payload })
const gone = (delivered: 'no' | 'unknown') => ({ reason: 'Disconnected', data: { delivered } })

describe('a link that closes', () => {
  it('settles what is in flight, refuses what comes meanwhile, and leaves the client open', async () => {
    const { client, peer, relink } = start()
    const call = client.invoke('x')
    await crossed()
    peer.close()
    await expect(call).rejects.toMatchObject(gone('unknown'))
    await expect(client.invoke('x')).rejects.toMatchObject(gone('no'))
    await expect(client.emit('e')).rejects.toMatchObject(gone('no'))
    await expect(client.listen('e', () => {})).rejects.toMatchObject(gone('no'))
    const { peer: next } = relink()
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
    await expect(first).rejects.toMatchObject(gone('unknown'))
  })
})

it('an event that nobody awaits is lost with the link, and ends no thread', async () => {
  const { client, peer } = start()
  peer.close()
  await crossed()
  // A rejection that nobody has caught fails the run.
  void client.emit('e')
  await crossed()
  setCurrentClient(client)
  void emit('e')
  void emitTo('main', 'e')
  await crossed()
})

describe('listeners', () => {
  const hearing = async (options?: Partial<ClientOptions>) => {
    const parts = start(options)
    const heard: BusEvent[] = []
    const listening = parts.client.listen('e', received => void heard.push(received), { target: 'other' })
    await crossed()
    parts.peer.send(result(1, 7))
    return { ...parts, heard, unlisten: await listening }
  }

  it('are made known before anything else is sent, and keep their ids', async () => {
    const { client, peer, relink, heard, unlisten } = await hearing()
    peer.close()
    await crossed()
    const { peer: next, done } = relink()
    client.invoke('x').catch(() => {})
    await crossed()
    const target = { kind: 'AnyLabel', label: 'other' }
    expect(next.received).toMatchObject([
      { method: 'plugin:event|listen', params: { event: 'e', target } },
      { method: 'x' },
    ])
    // Core gives its ids anew: a later listener may have the one that the first had before.
    const second = client.listen('e', received => void heard.push(received))
    await crossed()
    next.send(event([3], 'too early'), result(1, 3), result(3, 7), event([3], 'a'), event([7], 'b'))
    await done
    await second
    expect(heard.map(({ payload }) => payload)).toEqual(['a', 'b'])
    expect(heard[0]!.id).toBe(7)
    expect(heard[1]!.id).not.toBe(7)
    unlisten()
    await crossed()
    expect(next.last).toMatchObject({ method: 'plugin:event|unlisten', params: { event: 'e', eventId: 3 } })
  })

  it('are made known again, and taken away, though nothing of a user’s may wait', async () => {
    const { client, peer, relink, heard } = await hearing({ window: 1, overflow: 'reject' })
    const second = client.once('e', received => void heard.push(received))
    await crossed()
    peer.send(result(2, 8))
    await second
    peer.close()
    const { peer: next, done } = relink()
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
    expect(heard.map(({ payload }) => payload)).toEqual(['a', 'a', 'b'])
    next.send(result(3, 'done'))
    expect(await call).toBe('done')
    await crossed()
    expect(next.last).toMatchObject({ method: 'plugin:event|unlisten', params: { eventId: 4 } })
  })

  it('that leave while there is no link, or before core has answered, are heard no more', async () => {
    const { client, peer, relink, heard, unlisten } = await hearing()
    const more = client.listen('e', received => void heard.push(received))
    await crossed()
    peer.send(result(2, 8))
    const unlistenMore = await more
    peer.close()
    await crossed()
    unlisten()
    const { peer: next, done } = relink()
    unlistenMore()
    await crossed()
    expect(next.methods).toEqual(['plugin:event|listen'])
    next.send(result(1, 0), event([0], 'late'))
    await done
    await crossed()
    expect(next.last).toMatchObject({ method: 'plugin:event|unlisten', params: { eventId: 0 } })
    expect(heard).toEqual([])
  })

  it('survive links that close before core has answered', async () => {
    const { peer, relink, heard } = await hearing()
    peer.close()
    const { peer: second } = relink()
    await crossed()
    second.close()
    await crossed()
    const { peer: third } = relink()
    await crossed()
    third.send(result(1, 5), event([5], 'here'))
    await crossed()
    expect(heard).toMatchObject([{ payload: 'here', id: 7 }])
  })

  it('that are called once hear one event of all links together', async () => {
    const { client, peer, relink } = start()
    const heard: unknown[] = []
    const listening = client.once('e', ({ payload }) => void heard.push(payload))
    await crossed()
    peer.send(result(1, 0))
    await listening
    peer.close()
    await crossed()
    const { peer: next } = relink()
    await crossed()
    next.send(result(1, 0), event([0], 1), event([0], 2))
    await crossed()
    peer.close()
    expect(heard).toEqual([1])
    const { peer: last } = relink()
    await crossed()
    expect(last.received).toEqual([])
  })
})

it('what is exposed can be called over the next link; what runs is aborted, and its answer goes nowhere', async () => {
  const { client, peer, relink } = start()
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
  const { peer: next } = relink()
  finish('late')
  next.send({ jsonrpc: '2.0', id: 1, method: 'now' })
  await crossed()
  expect(next.received).toEqual([{ jsonrpc: '2.0', id: 1, result: 'here' }])
})

it('a client that has been closed, or given up, takes no other link', async () => {
  for (const close of [(client: Client) => void client.close(), (client: Client) => client.end(undefined)]) {
    const { client, relink } = start()
    close(client)
    await client.closed
    const { peer: next, done } = relink()
    await done
    await crossed()
    expect(next.closed).toBe(true)
    await expect(client.invoke('x')).rejects.toMatchObject(gone('no'))
  }
})
