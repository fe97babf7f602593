import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Channel } from './channel.js'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { crossed, failure, notify, type Peer, result, setUp } from '../../test/peer.js'

const getChannelId = (peer: Peer): number => Number(/\d+$/.exec(peer.last.headers['sallyport-stream'] as string)?.[0])
const say = (channel: number, index: number, message: unknown): unknown =>
  notify('$/channel', { channel, index, message })
const end = (channel: number, index: number): unknown => notify('$/channel', { channel, index, end: true })

describe('a stream', () => {
  it('is a request with a channel in its headers, sent when the first value is requested', async () => {
    const { client, peer } = setUp()
    const values = client.stream('download', { url: 'x' }, { headers: { mine: 'y' } })
    await crossed()
    expect(peer.received).toEqual([])
    const first = values.next()
    await crossed()
    expect(peer.last).toMatchObject({ id: 1, method: 'download', params: { url: 'x' }, headers: { mine: 'y' } })
    const channel = getChannelId(peer)
    peer.send(say(channel, 0, 'a'), say(channel, 1, 'b'), end(channel, 2), result(1, null))
    expect(await first).toEqual({ done: false, value: 'a' })
    expect(await values.next()).toEqual({ done: false, value: 'b' })
    expect(await values.next()).toEqual({ done: true, value: undefined })
    expect(await values.next()).toEqual({ done: true, value: undefined })
    await values.return()
    await crossed()
    expect(peer.methods).toEqual(['download'])
  })

  it('notifies core once when it is left, and receives nothing more', async () => {
    const { client, peer } = setUp()
    const values = client.stream('download')
    const first = values.next()
    await crossed()
    const channel = getChannelId(peer)
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

  it('drops unread values when its signal aborts before the call has ended', async () => {
    const { client, peer } = setUp()
    for (const isOver of [false, true]) {
      const controller = new AbortController()
      const values = client.stream('download', undefined, { signal: controller.signal })
      const first = values.next()
      await crossed()
      const channel = getChannelId(peer)
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

  it('returns the values that arrived before the link closed, and then throws', async () => {
    const { client, peer } = setUp()
    const values = client.stream('download')
    const first = values.next()
    await crossed()
    const channel = getChannelId(peer)
    peer.send(say(channel, 0, 'a'), say(channel, 1, 'b'))
    await first
    await crossed()
    await client.close()
    expect(await values.next()).toEqual({ done: false, value: 'b' })
    await expect(values.next()).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'unknown' } })
    await expect(client.stream('download').next()).rejects.toMatchObject({ data: { delivered: 'no' } })
  })

  it('rejects with an invalid command, arguments or option when it is read', () =>
    rows([[['', {}]], [['x', 5]], [['x', {}, { timeout: -1 }]], [['x', {}, { headers: 'no' }]]])(async args => {
      const { client, peer } = setUp()
      const values = client.stream(...(args as unknown as Parameters<typeof client.stream>))
      await expect(values.next()).rejects.toMatchObject({ reason: 'InvalidParams' })
      expect(await values.next()).toMatchObject({ done: true })
      expect(peer.received).toEqual([])
    }))

  it('can be read concurrently, in the order of the requests', async () => {
    const { client, peer } = setUp()
    const values = client.stream('download')
    const requests = [values.next(), values.next(), values.next()]
    await crossed()
    const channel = getChannelId(peer)
    peer.send(say(channel, 0, 'a'))
    await crossed()
    peer.send(say(channel, 1, 'b'), end(channel, 2), result(1, null))
    expect((await Promise.all(requests)).map(({ value }) => value as unknown)).toEqual(['a', 'b', undefined])
  })
})

// Streams and channels that have ended are collected as garbage.
describe('once it has ended', () => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void

  async function expectCollected(refs: readonly WeakRef<object>[]): Promise<void> {
    await expect
      .poll(() => {
        gc()
        return refs.filter(ref => ref.deref() !== undefined).length
      })
      .toBe(0)
  }

  it('a stream that was read to its end, left or cancelled is collected', () =>
    rows(['read to its end', 'left', 'cancelled'])(async how => {
      const { client, peer } = setUp()
      const open = async (): Promise<WeakRef<object>> => {
        const controller = new AbortController()
        const values = client.stream('download', {}, { signal: controller.signal })
        const first = values.next()
        await crossed()
        const { id, headers } = peer.received.findLast(({ method }) => method === 'download')!
        const channel = Number(/\d+$/.exec(headers['sallyport-stream'] as string)?.[0])
        peer.send(notify('$/channel', { channel, index: 0, message: 'a' }))
        await first
        if (how === 'left') await values.return()
        if (how === 'cancelled') controller.abort()
        if (how === 'read to its end') {
          peer.send(notify('$/channel', { channel, index: 1, end: true }), result(id, null))
          await values.next()
        }
        // The client has forgotten the channel: it closes an unknown channel when core starts to use it.
        peer.send(notify('$/channel', { channel, index: 0, message: 'a' }))
        await expect.poll(() => peer.last).toMatchObject({ method: '$/closeChannel', params: { channel } })
        return new WeakRef(values)
      }
      const refs: WeakRef<object>[] = []
      for (let i = 0; i < 20; i++) refs.push(await open())
      await expectCollected(refs)
      await client.close()
    }))

  it('a channel that was closed is collected', async () => {
    const { client, peer } = setUp()
    const open = async (): Promise<WeakRef<object>> => {
      const channel = new Channel()
      const call = client.invoke('download', { channel })
      await crossed()
      channel.close()
      peer.send(result(peer.received.findLast(({ method }) => method === 'download')!.id, null))
      await call
      return new WeakRef(channel)
    }
    const refs: WeakRef<object>[] = []
    for (let i = 0; i < 20; i++) refs.push(await open())
    await expectCollected(refs)
    await client.close()
  })
})
