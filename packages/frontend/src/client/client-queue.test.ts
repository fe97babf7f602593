import { isBusError } from '@sallyport/protocol/internal/errors'
import { LocalLink, createLinkEndpoints, openLink } from '@sallyport/protocol/internal/link'
import { setDevelopment } from '@sallyport/protocol/internal/util'
import { type Link, MAX_CLIENT_QUEUE } from '@sallyport/protocol/internal/wire'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { crossed, notify, Peer, result } from '../../test/peer.js'
import { Client, type ClientOptions } from './client.js'

const MiB = 'x'.repeat(2 ** 20)

function setUp(options: Partial<ClientOptions> = {}) {
  const [near, far] = LocalLink.createPair()
  const client = new Client(near, { label: 'main', ...options })
  return { client, peer: new Peer(far), far, near }
}
/** Sends events until the link has no room. */
async function fill(client: Client): Promise<void> {
  for (let i = 0; i < 9; i++) void client.emit('fill', MiB)
  await crossed()
}
const quiet = <T>(calls: Promise<T>[]): Promise<T>[] => {
  for (const call of calls) call.catch(() => {})
  return calls
}

describe('calls beyond the window', () => {
  it('are sent in order as others are answered', async () => {
    const { client, peer } = setUp({ maxInFlight: 2 })
    const calls = ['a', 'b', 'c', 'd', 'e'].map(name => client.invoke(name))
    await crossed()
    expect(peer.methods).toEqual(['a', 'b'])
    peer.send(result(2, 'B'))
    await crossed()
    expect(peer.methods).toEqual(['a', 'b', 'c'])
    peer.send(result(1, 'A'), result(3, 'C'))
    await crossed()
    expect(peer.methods).toEqual(['a', 'b', 'c', 'd', 'e'])
    peer.send(result(4, 'D'), result(5, 'E'))
    expect(await Promise.all(calls)).toEqual(['A', 'B', 'C', 'D', 'E'])
  })

  it('are sent with the arguments at the time of the call, and events wait behind them', async () => {
    const { client, peer } = setUp({ maxInFlight: 1 })
    const args = { n: 1 }
    void quiet([client.invoke('a'), client.invoke('b', args)])
    args.n = 2
    const emitted = client.emit('e')
    await crossed()
    expect(peer.methods).toEqual(['a'])
    peer.send(result(1, 0))
    await emitted
    await crossed()
    expect(peer.received.slice(1)).toMatchObject([{ method: 'b', params: { n: 1 } }, { params: { event: 'e' } }])
  })

  it('reject as undelivered when they are cancelled or time out', async () => {
    const { client, peer } = setUp({ maxInFlight: 1 })
    const controller = new AbortController()
    const [first, second, third, fourth] = quiet([
      client.invoke('a'),
      client.invoke('b', {}, { signal: controller.signal }),
      client.invoke('c', {}, { timeout: 1 }),
      client.invoke('d'),
    ]) as [Promise<unknown>, Promise<unknown>, Promise<unknown>, Promise<unknown>]
    controller.abort()
    await expect(second).rejects.toMatchObject({ reason: 'Cancelled', data: { delivered: 'no' } })
    await expect(third).rejects.toMatchObject({ reason: 'Timeout', data: { delivered: 'no' } })
    await crossed()
    expect(peer.methods).toEqual(['a'])
    peer.send(result(1, 1))
    expect(await first).toBe(1)
    await crossed()
    expect(peer.methods).toEqual(['a', 'd'])
    peer.send(result(4, 4))
    expect(await fourth).toBe(4)
  })

  it('are sent when a call in flight is cancelled', async () => {
    const { client, peer } = setUp({ maxInFlight: 1 })
    const controller = new AbortController()
    void quiet([client.invoke('a', {}, { signal: controller.signal }), client.invoke('b')])
    await crossed()
    controller.abort()
    await crossed()
    expect(peer.methods).toEqual(['a', '$/cancelRequest', 'b'])
  })

  it('reject as undelivered when the link closes, and calls in flight as unknown', async () => {
    const { client, peer } = setUp({ maxInFlight: 1 })
    const calls = quiet([client.invoke('a'), client.invoke('b')])
    const emitted = client.emit('e')
    await crossed()
    peer.close()
    await expect(calls[0]).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'unknown' } })
    await expect(calls[1]).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'no' } })
    await expect(emitted).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'no' } })
  })

  it("reject immediately with overflow: 'reject'", async () => {
    const { client, peer } = setUp({ maxInFlight: 1, overflow: 'reject' })
    const first = client.invoke('a')
    await expect(client.invoke('b')).rejects.toMatchObject({
      message: 'Call not sent: 1 calls are in flight (option "maxInFlight")',
      ...{ reason: 'Overloaded', data: { delivered: 'no' } },
    })
    await crossed()
    peer.send(result(1, 'A'))
    expect(await first).toBe('A')
    const third = client.invoke('c')
    await crossed()
    peer.send(result(3, 'C'))
    expect(await third).toBe('C')
  })

  it('do not delay responses and credit', async () => {
    const { client, peer } = setUp({ maxInFlight: 1 })
    client.expose({ f: () => 'answer' })
    const channel = new client.Channel(() => {})
    void quiet([client.invoke('a', { channel }), client.invoke('b')])
    await crossed()
    peer.send({ jsonrpc: '2.0', id: 1, method: 'f' })
    peer.send(notify('$/channel', { channel: channel.id, credit: 5 }))
    await crossed()
    expect(peer.received.slice(1)).toMatchObject([{ id: 1, result: 'answer' }, { method: '$/credit' }])
  })

  it('delay the end of a channel that one of them opens', async () => {
    const { client, peer } = setUp({ maxInFlight: 1 })
    const channel = new client.Channel()
    void quiet([client.invoke('a'), client.invoke('b', { channel })])
    channel.close()
    await crossed()
    peer.send(result(1, null))
    await crossed()
    expect(peer.methods).toEqual(['a', 'b', '$/closeChannel'])
  })

  it('do not delay the end of an open channel, which they can be waiting for (seed 100)', async () => {
    const { client, peer } = setUp({ maxInFlight: 1 })
    const channel = new client.Channel()
    void quiet([client.invoke('a', { channel }), client.invoke('b')])
    channel.close()
    await crossed()
    expect(peer.methods).toEqual(['a', '$/closeChannel'])
  })
})

describe('a link without room', () => {
  it('delays calls and events, and they are sent in order later', async () => {
    const { client, peer, far } = setUp()
    far.pause()
    await fill(client)
    const call = client.invoke('a')
    const emitted = client.emit('b')
    let sent = false
    void emitted.then(() => (sent = true))
    await crossed()
    expect(sent).toBe(false)
    far.resume()
    await emitted
    await crossed()
    expect(peer.received.slice(-2)).toMatchObject([{ method: 'a' }, { params: { event: 'b' } }])
    peer.send(result(1, 'A'))
    expect(await call).toBe('A')
  })

  it('loses no events when the client closes, and calls reject as undelivered', async () => {
    const { client, peer, far } = setUp()
    far.pause()
    await fill(client)
    const call = client.invoke('a')
    const emitted = client.emit('b')
    void client.close()
    far.resume()
    await expect(call).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'no' } })
    await emitted
    expect(peer.last).toMatchObject({ params: { event: 'b' } })
  })

  it('limits the number and the bytes of waiting messages, and events that reject do not have to be caught', async () => {
    // In development each of the errors has a stack, which takes the test runner 0.1 ms to format.
    setDevelopment(false)
    onTestFinished(() => setDevelopment(true))
    for (const [args, most] of [
      [undefined, MAX_CLIENT_QUEUE],
      [{ body: MiB }, 64],
    ] as const) {
      const { client, far, peer } = setUp()
      far.pause()
      await fill(client)
      const refused: unknown[] = []
      for (let i = 0; i < most + 10; i++) client.invoke('a', args).catch((error: unknown) => refused.push(error))
      void client.emit('e')
      await expect(client.emit('e')).rejects.toMatchObject({ reason: 'Overloaded', data: { delivered: 'no' } })
      expect(refused).toHaveLength(10)
      expect(refused.every(error => isBusError(error, 'Overloaded'))).toBe(true)
      peer.close()
      await crossed()
      expect(refused).toHaveLength(most + 10)
    }
  })

  it('keeps little memory of cancelled calls', async () => {
    const { client, far, peer } = setUp()
    far.pause()
    await fill(client)
    for (let round = 0; round < 100; round++) {
      const controller = new AbortController()
      void quiet(Array.from({ length: 100 }, () => client.invoke('a', {}, { signal: controller.signal })))
      controller.abort()
    }
    void quiet([client.invoke('b')])
    far.resume()
    await expect.poll(() => peer.methods.at(-1)).toBe('b')
    expect(peer.methods.slice(9)).toEqual(['b'])
  })

  it("rejects events immediately with overflow: 'reject'", async () => {
    const { client, far } = setUp({ overflow: 'reject' })
    far.pause()
    await fill(client)
    await expect(client.emit('e')).rejects.toThrow('Event not sent: the link has no room')
    await expect(client.invoke('a')).rejects.toThrow('Call not sent: the link has no room')
  })
})

it('says what it does not send, and keeps the context of no caller whose call was not sent', async () => {
  const callers = new Map<unknown, unknown>()
  let unsent = 0
  const { client, peer } = setUp({ maxInFlight: 1, callers, onUnsent: () => void unsent++ } as Partial<ClientOptions>)
  const controller = new AbortController()
  void quiet([client.invoke('a'), client.invoke('b', {}, { signal: controller.signal })])
  expect(callers.size).toBe(2)
  controller.abort()
  expect([callers.size, unsent]).toEqual([1, 0])
  void quiet([client.invoke('c')])
  const emitted = client.emit('e')
  await crossed()
  peer.close()
  await expect(emitted).rejects.toMatchObject({ reason: 'Disconnected' })
  expect([callers.size, unsent]).toEqual([0, 1])
})

it('checks the room of the link once for each message', async () => {
  let checks = 0
  const link: Link = {
    queued: 0,
    room: () => void checks++,
    send() {},
    receive() {},
    pause() {},
    resume() {},
    close() {},
  }
  const client = new Client(link, { label: 'main' })
  void quiet([client.invoke('a'), client.invoke('b')])
  expect(checks).toBe(2)
})

// Requests of the bus itself are queued like calls, and are never refused: they register and remove listeners. Found by seed 34.
describe('requests of the bus itself', () => {
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
})
