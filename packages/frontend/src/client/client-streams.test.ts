// A stream as it goes over the wire: a request with a channel of its own, given up when the loop is left.
import { describe, expect, it } from 'vitest'
import { crossed, failure, notify, type Peer, result, setUp } from '../../test/peer.js'

const idOf = (peer: Peer): number => Number(/\d+$/.exec(peer.last.headers['sallyport-stream'] as string)?.[0])
const say = (channel: number, index: number, message: unknown): unknown =>
  notify('$/channel', { channel, index, message })
const end = (channel: number, index: number): unknown => notify('$/channel', { channel, index, end: true })

describe('a stream', () => {
  it('is a request whose header names its channel, made when the first value is asked for', async () => {
    const { client, peer } = setUp()
    const values = client.stream('download', { url: 'x' }, { headers: { mine: 'y' } })
    await crossed()
    expect(peer.received).toEqual([])
    const first = values.next()
    await crossed()
    expect(peer.last).toMatchObject({ id: 1, method: 'download', params: { url: 'x' }, headers: { mine: 'y' } })
    const channel = idOf(peer)
    peer.send(say(channel, 0, 'a'), say(channel, 1, 'b'), end(channel, 2), result(1, null))
    expect(await first).toEqual({ done: false, value: 'a' })
    expect(await values.next()).toEqual({ done: false, value: 'b' })
    expect(await values.next()).toEqual({ done: true, value: undefined })
    expect(await values.next()).toEqual({ done: true, value: undefined })
    await values.return()
    await crossed()
    expect(peer.methods).toEqual(['download'])
  })

  it('tells core once when it is left, and takes nothing more', async () => {
    const { client, peer } = setUp()
    const values = client.stream('download')
    const first = values.next()
    await crossed()
    const channel = idOf(peer)
    peer.send(say(channel, 0, 'a'))
    await first
    const second = values.next()
    await values[Symbol.asyncDispose]()
    await values.return()
    expect(await second).toMatchObject({ done: true })
    peer.send(say(channel, 1, 'b'), failure(1, -32800, 'gone'))
    await crossed()
    expect(await values.next()).toMatchObject({ done: true })
    expect(peer.received.slice(1)).toEqual([{ jsonrpc: '2.0', method: '$/cancelRequest', params: { id: 1 } }])
  })

  it('drops what was not read when its signal aborts, but not when the call has ended before', async () => {
    const { client, peer } = setUp()
    for (const isOver of [false, true]) {
      const controller = new AbortController()
      const values = client.stream('download', undefined, { signal: controller.signal })
      const first = values.next()
      await crossed()
      const channel = idOf(peer)
      peer.send(say(channel, 0, 'a'), say(channel, 1, 'b'))
      if (isOver) peer.send(end(channel, 2), result(peer.last.id, null))
      await first
      await crossed()
      controller.abort()
      if (isOver) expect(await values.next()).toEqual({ done: false, value: 'b' })
      else await expect(values.next()).rejects.toMatchObject({ reason: 'Cancelled' })
      expect(await values.next()).toMatchObject({ done: true })
    }
  })

  it('gives what had come when the link closed, and then the error', async () => {
    const { client, peer } = setUp()
    const values = client.stream('download')
    const first = values.next()
    await crossed()
    const channel = idOf(peer)
    peer.send(say(channel, 0, 'a'), say(channel, 1, 'b'))
    await first
    await crossed()
    await client.close()
    expect(await values.next()).toEqual({ done: false, value: 'b' })
    await expect(values.next()).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'unknown' } })
    await expect(client.stream('download').next()).rejects.toMatchObject({ data: { delivered: 'no' } })
  })

  it.each([
    ['a name', ['', {}]],
    ['arguments', ['x', 5]],
    ['an option', ['x', {}, { timeout: -1 }]],
    ['a header', ['x', {}, { headers: 'no' }]],
  ])('refuses %s that is wrong, once it is read', async (_what, given) => {
    const { client, peer } = setUp()
    const values = client.stream(...(given as Parameters<typeof client.stream>))
    await expect(values.next()).rejects.toMatchObject({ reason: 'InvalidParams' })
    expect(await values.next()).toMatchObject({ done: true })
    expect(peer.received).toEqual([])
  })

  it('is read by many at once in the order in which they ask', async () => {
    const { client, peer } = setUp()
    const values = client.stream('download')
    const asked = [values.next(), values.next(), values.next()]
    await crossed()
    const channel = idOf(peer)
    peer.send(say(channel, 0, 'a'))
    await crossed()
    peer.send(say(channel, 1, 'b'), end(channel, 2), result(1, null))
    expect((await Promise.all(asked)).map(({ value }) => value as unknown)).toEqual(['a', 'b', undefined])
  })
})
