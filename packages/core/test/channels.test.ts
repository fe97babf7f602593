// Channels: an ordered stream from core to a frontend, with its end, and with a sender that waits for a slow receiver.
import { describe, expect, test } from 'vitest'
import { Channel } from '@sallyport/frontend'
import { fixture, next, places, routes, start } from './start.js'

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

describe.each(routes)('channels: %s', (_name, connect) => {
  test('carry everything in order, and end', async () => {
    const { client } = await connect('shared')
    const channel = new client.Channel<number>()
    const counted = client.invoke('count', { to: 1000, channel })
    const got: number[] = []
    for await (const message of channel) got.push(message)
    expect(got).toEqual(upTo(1000))
    expect(await counted).toBe(1000)
  })

  test('call onmessage before the command has answered', async () => {
    const { client } = await connect('shared')
    const got: number[] = []
    const channel = new Channel<number>(message => void got.push(message))
    await client.invoke('count', { to: 50, channel })
    expect(got).toEqual(upTo(50))
  })

  test('two of one frontend do not mix', async () => {
    const { client } = await connect('shared')
    const streams = [300, 400].map(async to => {
      const channel = new client.Channel<number>()
      const counted = client.invoke('count', { to, channel })
      const got: number[] = []
      for await (const message of channel) got.push(message)
      await counted
      return got
    })
    expect(await Promise.all(streams)).toEqual([upTo(300), upTo(400)])
  })

  test('end with the call that failed', async () => {
    const { client } = await connect('shared')
    const channel = new client.Channel<number>()
    const counted = client.invoke('count', { to: 3, channel, fail: true })
    counted.catch(() => {})
    const got: number[] = []
    for await (const message of channel) got.push(message)
    expect(got).toEqual([0, 1, 2])
    await expect(counted).rejects.toMatchObject({ message: 'failed on the way' })
  })

  test('end at once when the call never ran', async () => {
    const { client } = await connect('shared')
    const channel = new client.Channel<number>()
    const denied = client.invoke('no_such_command', { channel })
    denied.catch(() => {})
    for await (const message of channel) expect.unreachable(`got ${message}`)
    await expect(denied).rejects.toMatchObject({ reason: 'MethodNotFound' })
  })

  test.each([
    ['arguments that cannot be serialized', { n: 1n, f: Symbol('no') }, undefined],
    ['a signal that is aborted', {}, { signal: AbortSignal.abort() }],
    ['a wrong option', {}, { timeout: -1 }],
    [
      'an argument that can’t be read',
      Object.defineProperty({}, 'bad', { enumerable: true, get: () => expect.fail() }),
      undefined,
    ],
  ])('end at once when the call is refused before it is sent: %s', async (_why, args, options) => {
    const { client } = await connect('shared')
    const channel = new client.Channel<number>()
    const refused = client.invoke(
      'count',
      Object.defineProperties({ channel }, Object.getOwnPropertyDescriptors(args)),
      options,
    )
    refused.catch(() => {})
    for await (const message of channel) expect.unreachable(`got ${message}`)
    await expect(refused).rejects.toMatchObject({ name: 'BusError' })
  })

  test('passed again after its end, carry nothing of the call before', async () => {
    const { client } = await connect('shared')
    const channel = new client.Channel<number>()
    for (let i = 0; i < 5; i++) {
      await client.invoke('endless', { channel }, { timeout: 5 }).catch(() => {})
      const counted = client.invoke('count', { to: 3, channel })
      const got: number[] = []
      for await (const message of channel) got.push(message)
      expect([got, await counted]).toEqual([[0, 1, 2], 3])
    }
  })

  test('make the sender wait, and reject its send when the receiver goes', async () => {
    const { bus, client } = await connect()
    const channel = new client.Channel<number>()
    void client.invoke('endless', { channel }).catch(() => {})
    const messages = channel[Symbol.asyncIterator]()
    for (const expected of upTo(600)) expect((await messages.next()).value).toBe(expected)
    await client.close()
    expect(await messages.next()).toMatchObject({ value: expect.any(Number) as number })
    const other = await bus.connect('other')
    // Core hears of the end on one link, and is asked over another.
    await expect.poll(() => other.invoke('seen')).toEqual(['Disconnected after true'])
  })
})

describe.each(routes)('whose channel it is: %s', (_name, connect) => {
  test('a call that is given up takes its channel from the handler, which does not wait for ever', async () => {
    const { client } = await connect()
    const channel = new client.Channel<number>()
    await expect(client.invoke('endless', { channel }, { timeout: 500 })).rejects.toMatchObject({ reason: 'Timeout' })
    await expect.poll(() => client.invoke('seen')).toEqual(['Disconnected after true'])
  })

  test('a second call that is given the channel, and fails or can’t be made, leaves it open', async () => {
    const { client } = await connect('shared')
    const channel = new client.Channel<number>()
    const messages = channel[Symbol.asyncIterator]()
    void client.invoke('endless', { channel }).catch(() => {})
    await messages.next()
    await expect(client.invoke('fails', { channel })).rejects.toMatchObject({ message: 'it broke' })
    const unreadable = {
      channel,
      get bad() {
        return expect.fail()
      },
    }
    await expect(client.invoke('fails', unreadable)).rejects.toMatchObject({ reason: 'InvalidParams' })
    await expect(client.invoke('fails', { channel }, { timeout: -1 })).rejects.toMatchObject({
      reason: 'InvalidParams',
    })
    for (let i = 1; i < 600; i++) expect((await messages.next()).value).toBe(i)
  })
})

test.each(places)('a channel reaches a frontend’s own code: %s', async (_name, app, sandbox) => {
  const bus = await start({ app, frontends: { main: { module: fixture('main.mjs'), sandbox } } })
  await next(bus, 'main-ready')
  const counted = next(bus, 'counted')
  await bus.emit('count-please', 500)
  expect(await counted).toEqual({ got: upTo(500), result: 500 })
})
