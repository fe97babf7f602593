// Channels: ordered streams from core to a frontend, their end, and senders that wait for slow receivers.
import { describe, expect, test } from 'vitest'
import { Channel } from '@sallyport/frontend'
import type { CallOptions } from '../../src/index.js'
import { fixture, next, places, routes, start } from '../support/start.js'
import { choose, rows } from '../../../../scripts/testing.js'

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

describe.each(routes)('owners of channels: %s', (_name, connect) => {
  test('a cancelled call closes its channel, and the handler stops waiting', async () => {
    const { client } = await connect()
    const channel = new client.Channel<number>()
    const controller = new AbortController()
    const call = client.invoke('endless', { channel }, { signal: controller.signal })
    const messages = channel[Symbol.asyncIterator]()
    for (const expected of upTo(200)) expect((await messages.next()).value).toBe(expected)
    controller.abort()
    await expect(call).rejects.toMatchObject({ reason: 'Cancelled' })
    await expect.poll(() => client.invoke('seen')).toEqual(['Disconnected after true'])
  })

  test('a second call with the same channel leaves it open when that call fails', async () => {
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
    channel.close()
  })
})

describe.each(routes)('channels: %s', (_name, connect) => {
  test('deliver everything in order, and end', async () => {
    const { client } = await connect('shared')
    const channel = new client.Channel<number>()
    const counted = client.invoke('count', { to: 1000, channel })
    const got: number[] = []
    for await (const message of channel) got.push(message)
    expect(got).toEqual(upTo(1000))
    expect(await counted).toBe(1000)
  })

  test('call onmessage before the command is answered', async () => {
    const { client } = await connect('shared')
    const got: number[] = []
    const channel = new Channel<number>(message => void got.push(message))
    await client.invoke('count', { to: 50, channel })
    expect(got).toEqual(upTo(50))
  })

  test('do not mix when a frontend has two', async () => {
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

  test('end when their call fails', async () => {
    const { client } = await connect('shared')
    const channel = new client.Channel<number>()
    const counted = client.invoke('count', { to: 3, channel, fail: true })
    counted.catch(() => {})
    const got: number[] = []
    for await (const message of channel) got.push(message)
    expect(got).toEqual([0, 1, 2])
    await expect(counted).rejects.toMatchObject({ message: 'failed meanwhile' })
  })

  test('end immediately when their call is denied or unknown', async () => {
    const { client } = await connect('shared')
    const channel = new client.Channel<number>()
    const denied = client.invoke('no_such_command', { channel })
    denied.catch(() => {})
    for await (const message of channel) expect.unreachable(`got ${message}`)
    await expect(denied).rejects.toMatchObject({ reason: 'MethodNotFound' })
  })

  test('end immediately when their call cannot be sent', async () => {
    const { client } = await connect('shared')
    await rows<[why: string, args: object, options: CallOptions | undefined]>([
      ['arguments that cannot be serialized', { n: 1n, f: Symbol('no') }, undefined],
      ['a signal that is aborted', {}, { signal: AbortSignal.abort() }],
      ['a wrong option', {}, { timeout: -1 }],
      [
        'an argument that cannot be read',
        Object.defineProperty({}, 'bad', { enumerable: true, get: () => expect.fail() }),
        undefined,
      ],
    ])(async (_why, args, options) => {
      const channel = new client.Channel<number>()
      const refused = client.invoke(
        'count',
        Object.defineProperties({ channel }, Object.getOwnPropertyDescriptors(args)),
        options,
      )
      refused.catch(() => {})
      for await (const message of channel) expect.unreachable(`got ${message}`)
      await expect(refused).rejects.toMatchObject({ reason: expect.any(String) as string })
    })
  })

  test('deliver nothing of an earlier call when they are passed again after their end', async () => {
    const { client } = await connect('shared')
    const channel = new client.Channel<number>()
    for (let i = 0; i < 5; i++) {
      const abort = new AbortController()
      const call = client.invoke('endless', { channel }, { signal: abort.signal }).catch(() => {})
      await channel[Symbol.asyncIterator]().next()
      abort.abort()
      await call
      const counted = client.invoke('count', { to: 3, channel })
      const got: number[] = []
      for await (const message of channel) got.push(message)
      expect([got, await counted]).toEqual([[0, 1, 2], 3])
    }
  })

  test('make the sender wait, and reject its send when the receiver disconnects', async () => {
    const { bus, client } = await connect()
    await client.invoke('forget')
    const channel = new client.Channel<number>()
    void client.invoke('endless', { channel }).catch(() => {})
    const messages = channel[Symbol.asyncIterator]()
    for (const expected of upTo(600)) expect((await messages.next()).value).toBe(expected)
    await client.close()
    expect(await messages.next()).toMatchObject({ value: expect.any(Number) as number })
    const other = await bus.connect('other')
    // Core learns of the end on one link, and is polled over another.
    await expect.poll(() => other.invoke('seen')).toEqual(['Disconnected after true'])
  })
})

test('a channel reaches the code of a frontend', () =>
  rows(choose(places, -2, -1))(async (_name, app, sandbox) => {
    const bus = await start({ ...app, frontends: { main: { module: fixture('main.mjs'), sandbox } } })
    await next(bus, 'main-ready')
    const counted = next(bus, 'counted')
    await bus.emit('count-please', 500)
    expect(await counted).toEqual({ got: upTo(500), result: 500 })
  }))
