// Requests of the bus itself are queued like calls, and are never refused: they register and remove listeners. Found by seed 34.
import { createLinkEndpoints, openLink, LocalLink } from '@sallyport/protocol/internal/link'
import { describe, expect, it, vi } from 'vitest'
import { crossed, Peer, result } from '../../test/peer.js'
import { Client } from './client.js'

async function start() {
  const [near, far] = LocalLink.createPair()
  const client = new Client(near, { label: 'main', reconnects: true, maxInFlight: 1, overflow: 'reject' })
  const peer = new Peer(far)
  const listen = async (event: string, id: number) => {
    const listening = client.listen(event, () => {})
    await crossed()
    peer.send(result(id, id))
    return listening
  }
  return { client, peer, unlisten: [await listen('a', 1), await listen('b', 2)] }
}

describe("with a window of one call and overflow: 'reject'", () => {
  it('all listeners are registered over another link', async () => {
    const { client } = await start()
    const [near, far] = LocalLink.createPair()
    const peer = new Peer(far)
    const reconnected = Client.reconnect(client, near)
    await crossed()
    expect(peer.received).toMatchObject([{ params: { event: 'a' } }])
    peer.send(result(1, 1))
    await crossed()
    expect(peer.received.slice(1)).toMatchObject([{ params: { event: 'b' } }])
    peer.send(result(2, 2))
    await reconnected
  })

  it('a listener is removed while a call is in flight', async () => {
    const { client, peer, unlisten } = await start()
    const call = client.invoke('x')
    unlisten[0]!()
    await crossed()
    expect(peer.methods.slice(2)).toEqual(['x'])
    peer.send(result(3, 'y'))
    expect(await call).toBe('y')
    await crossed()
    expect(peer.methods.slice(3)).toEqual(['plugin:event|unlisten'])
  })
})

it('a queued call is not sent when the client closes, even if the link gets room', async () => {
  const [nearEnd, farEnd] = createLinkEndpoints('port')
  const [near, far] = [openLink(nearEnd, true), openLink(farEnd, false)]
  const client = new Client(near, { label: 'main' })
  const peer = new Peer(far)
  far.pause()
  for (let i = 0; i < 9; i++) void client.emit('fill', 'x'.repeat(2 ** 20))
  await crossed()
  const call = client.invoke('x')
  const emitted = client.emit('e')
  const closed = client.close()
  far.resume()
  await expect(call).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'no' } })
  await emitted
  await closed
  expect(peer.received.at(-1)).toMatchObject({ params: { event: 'e' } })
  expect(peer.methods).not.toContain('x')
})

it('an event and a call are sent if the link gets room while they are encoded', async () => {
  const [near, far] = LocalLink.createPair()
  const client = new Client(near, { label: 'main' })
  const peer = new Peer(far)
  let isFull = true
  vi.spyOn(near, 'room').mockImplementation(() => (isFull ? new Promise(() => {}) : undefined))
  const encode = (): string => {
    isFull = false
    return 'text'
  }
  await client.emit('e', { toJSON: encode })
  isFull = true
  const called = client.invoke('x', { value: { toJSON: encode } })
  await crossed()
  expect(peer.methods).toEqual(['plugin:event|emit', 'x'])
  peer.send(result(1, 'y'))
  expect(await called).toBe('y')
})
