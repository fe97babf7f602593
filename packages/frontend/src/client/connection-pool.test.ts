import { BusError } from '@sallyport/protocol/internal/errors'
import { LocalLink } from '@sallyport/protocol/internal/link'
import type { Link } from '@sallyport/protocol/internal/wire'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { crossed, notify, Peer, result } from '../../test/peer.js'
import {
  addConnection,
  callsSettled,
  createReconnectingClient,
  endClient,
  endConnection,
  reconnectClient,
} from '../internal.js'
import { Channel } from './channel.js'

function start(cores: number) {
  const peers: Peer[] = []
  const links: Link[] = []
  const pair = (): Link => {
    const [near, far] = LocalLink.createPair()
    peers.push(new Peer(far))
    links.push(near)
    return near
  }
  const client = createReconnectingClient(pair(), { label: 'main' })
  const add = (): void => addConnection(client, pair())
  while (peers.length < cores) add()
  const calls = (): number[] => peers.map(peer => peer.methods.filter(method => method === 'x').length)
  return { client, peers, links, add, calls }
}
const disconnected = (delivered: 'no' | 'unknown') => ({ reason: 'Disconnected', data: { delivered } })

describe('a call uses', () => {
  it('the core with the fewest calls in flight, round-robin among equals', async () => {
    const { client, peers, calls } = start(3)
    const all = Array.from({ length: 9 }, () => client.invoke('x'))
    await crossed()
    expect(calls()).toEqual([3, 3, 3])
    for (const id of [1, 2, 3]) peers[1]!.send(result(id, 'done'))
    await crossed()
    all.push(client.invoke('x'), client.invoke('x'), client.invoke('x'))
    await crossed()
    expect(calls()).toEqual([3, 6, 3])
    for (const peer of peers) for (const { id } of peer.received) peer.send(result(id as number, 'done'))
    expect(new Set(await Promise.all(all))).toEqual(new Set(['done']))
  })

  it('the core that has an open channel of its arguments', async () => {
    const { client, peers, calls } = start(3)
    const channel = new Channel()
    for (let call = 0; call < 4; call++) client.invoke('x', { channel }).catch(() => {})
    await crossed()
    expect(calls().toSorted((a, b) => a - b)).toEqual([0, 0, 4])
    expect(peers.filter(({ last }) => last)).toHaveLength(1)
    await client.close()
  })

  it('the core of its stream, also to cancel it', async () => {
    const { client, peers } = start(2)
    const streams = [client.stream('s'), client.stream('s')]
    const first = streams.map(stream => stream.next())
    await crossed()
    expect(peers.map(({ methods }) => methods)).toEqual([['s'], ['s']])
    for (const [at, { send, last }] of peers.entries()) {
      const channel = Number(/\d+/.exec(last.headers['sallyport-stream'])![0])
      send.call(peers[at], notify('$/channel', { channel, index: 0, message: at }))
    }
    expect((await Promise.all(first)).map(({ value }) => Number(value)).toSorted((a, b) => a - b)).toEqual([0, 1])
    for (const stream of streams) await stream.return()
    await crossed()
    for (const { last } of peers) expect(last).toMatchObject({ method: '$/cancelRequest', params: { id: 1 } })
  })
})

it('events and listeners use the primary connection, and stay when another one ends', async () => {
  const { client, peers, links } = start(2)
  const heard: unknown[] = []
  const listening = client.listen('e', ({ payload }) => void heard.push(payload))
  void client.emit('e', 1)
  await crossed()
  expect(peers[0]!.methods).toEqual(['plugin:event|listen', 'emit'].map(method => expect.stringContaining(method)))
  expect(peers[1]!.methods).toEqual([])
  peers[0]!.send(result(1, 7))
  await listening
  endConnection(client, links[1]!, undefined)
  await crossed()
  peers[0]!.send(notify('$/event', { event: 'e', ids: [7], payload: 'still' }))
  await crossed()
  expect(heard).toEqual(['still'])
})

it('each core can call exposed functions and gets the response', async () => {
  const { client, peers } = start(2)
  client.expose({ double: ({ n }: { n: number }) => 2 * n })
  for (const [at, peer] of peers.entries())
    peer.send({ jsonrpc: '2.0', id: 1, method: 'double', params: { n: at + 1 } })
  await crossed()
  expect(peers.map(({ received }) => received)).toMatchObject([[{ id: 1, result: 2 }], [{ id: 1, result: 4 }]])
})

describe('when a connection is lost', () => {
  it('only its calls reject, and the next calls use the others immediately', async () => {
    const { client, peers, calls } = start(3)
    const all = Array.from({ length: 3 }, () => client.invoke('x'))
    await crossed()
    const settled = Promise.allSettled(all)
    peers[1]!.close()
    await crossed()
    const more = [client.invoke('x'), client.invoke('x')]
    await crossed()
    expect(calls()).toEqual([2, 1, 2])
    for (const peer of [peers[0]!, peers[2]!])
      for (const { id } of peer.received) peer.send(result(id as number, 'done'))
    expect(await Promise.all(more)).toEqual(['done', 'done'])
    const outcomes = await settled
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: disconnected('unknown') })
  })

  it('another one becomes primary, with all listeners', async () => {
    const { client, peers, add } = start(2)
    const heard: unknown[] = []
    const listening = client.listen('e', ({ payload }) => void heard.push(payload))
    await crossed()
    peers[0]!.send(result(1, 7))
    const unlisten = await listening
    peers[0]!.close()
    await crossed()
    expect(peers[1]!.received).toMatchObject([{ method: 'plugin:event|listen', params: { event: 'e' } }])
    peers[1]!.send(result(1, 3), notify('$/event', { event: 'e', ids: [3], payload: 'moved' }))
    await crossed()
    expect(heard).toEqual(['moved'])
    void client.emit('e', 1)
    peers[1]!.close()
    await crossed()
    await expect(client.invoke('x')).rejects.toMatchObject(disconnected('no'))
    add()
    await crossed()
    expect(peers[2]!.received).toMatchObject([{ method: 'plugin:event|listen', params: { event: 'e' } }])
    peers[2]!.send(result(1, 9))
    await crossed()
    unlisten()
    await crossed()
    expect(peers[2]!.last).toMatchObject({ method: 'plugin:event|unlisten', params: { event: 'e', eventId: 9 } })
  })
})

it('a core that closes gets no further calls while there are other cores', async () => {
  const { client, peers, calls } = start(2)
  const [first, second] = [client.invoke('x'), client.invoke('x')]
  const settled = Promise.allSettled([second])
  await crossed()
  const closing = { code: -32005, message: 'The bus is closing', data: { delivered: 'no' } }
  peers[0]!.send({ jsonrpc: '2.0', id: 1, error: closing })
  await expect(first).rejects.toMatchObject(disconnected('no'))
  for (let call = 0; call < 3; call++) client.invoke('x').catch(() => {})
  await crossed()
  expect(calls()).toEqual([1, 4])
  peers[1]!.close()
  await crossed()
  client.invoke('x').catch(() => {})
  await crossed()
  expect(calls()).toEqual([2, 4])
  expect(await settled).toMatchObject([{ reason: disconnected('unknown') }])
})

it('with one or two connections, two can wait for the calls that are in flight, and later calls keep their ids', () =>
  rows([1, 2])(async cores => {
    const { client, peers } = start(cores)
    const call = client.invoke('x')
    await crossed()
    const waiters = [callsSettled(client), callsSettled(client)]
    const later = client.invoke('x')
    await crossed()
    expect(peers.flatMap(({ received }) => received.map(({ id }) => id))).toEqual(cores === 1 ? [1, 2] : [1, 1])
    peers[0]!.send(result(1, 'done'))
    expect(await call).toBe('done')
    await Promise.all(waiters)
    await client.close()
    await expect(later).rejects.toMatchObject(disconnected('unknown'))
  }))

it('a client with several connections does not reconnect, and one that reconnects can get several', async () => {
  const { client, peers, add } = start(1)
  const [near, far] = LocalLink.createPair()
  peers.push(new Peer(far))
  await reconnectClient(client, near)
  add()
  await crossed()
  expect(peers.map(({ closed }) => closed)).toEqual([true, false, false])
  await expect(reconnectClient(client, LocalLink.createPair()[0])).rejects.toThrow('does not reconnect')
  await client.close()
})

describe('all connections end', () => {
  it('when the client closes', async () => {
    const { client, peers, add } = start(3)
    const call = client.invoke('x')
    await client.close()
    await client.closed
    expect(peers.map(({ closed }) => closed)).toEqual([true, true, true])
    await expect(call).rejects.toMatchObject({ reason: 'Disconnected' })
    add()
    await crossed()
    expect(peers[3]!.closed).toBe(true)
  })

  it('with the given reason', async () => {
    const { client, peers } = start(2)
    for (const peer of peers) peer.close()
    await crossed()
    endClient(client, new BusError('Denied', 'revoked'))
    await client.closed
    await expect(client.invoke('x')).rejects.toThrow('revoked')
  })
})
