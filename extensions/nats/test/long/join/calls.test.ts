// All features of a frontend over NATS, as over a local link.
import { Channel } from '@sallyport/frontend'
import { describe, expect, test } from 'vitest'
import { choose } from '../../../../../scripts/testing.js'
import { hasServer } from '../server.js'
import { useNetwork } from './test-network.js'

const ways = [
  ['brownfield', 'json', true],
  ['brownfield', 'msgpack', false],
  ['isolation', 'json', false],
  ['isolation', 'msgpack', true],
] as const

describe.skipIf(!hasServer).each(choose(ways))('%s, %s, sticky: %s', (pattern, codec, sticky) => {
  test('calls and their errors, events, streams, channels and bytes', async () => {
    const network = await useNetwork(pattern)
    const { bus, seen } = await network.startInstance('a')
    const joined = await network.join({ codec })
    const client = await joined.connect('tests', { sticky })
    expect(client.label).toBe('tests')
    const calls = Array.from({ length: 200 }, (_, a) => client.invoke('add', { a, b: 1 }))
    expect(await Promise.all(calls)).toEqual(calls.map((_, a) => a + 1))

    await expect(client.invoke('fail')).rejects.toMatchObject({
      reason: 'CommandFailed',
      data: { kind: 'NotFound', id: 7 },
    })
    await expect(client.invoke('none')).rejects.toMatchObject({ reason: 'MethodNotFound' })
    await expect(client.invoke('plugin:event|emit', { event: 7 })).rejects.toMatchObject({ reason: 'InvalidParams' })

    const received: unknown[] = []
    const unlisten = await client.listen('pong', ({ payload }) => void received.push(payload))
    await client.emit('ping', 1)
    await expect.poll(() => received).toEqual([{ from: 'a', payload: 1 }])
    await bus.emitTo('tests', 'pong', 'from the host')
    await bus.emitTo('others', 'pong', 'not for it')
    await expect.poll(() => received.length).toBe(2)
    unlisten()

    const counted: number[] = []
    for await (const n of client.stream<number>('count', { to: 1000 })) counted.push(n)
    expect(counted).toEqual(counted.map((_, at) => at))
    expect(counted).toHaveLength(1000)

    const channel = new Channel<number>()
    const sent = client.invoke('send', { to: 700, channel })
    const messages: number[] = []
    for await (const n of channel) messages.push(n)
    expect(messages).toHaveLength(700)
    expect(await sent).toBe('a')

    const data = new Uint8Array(3 * 2 ** 20).fill(3)
    expect(await client.invoke('length', { data })).toBe(data.byteLength)
    const text = 'y'.repeat(2.5 * 2 ** 20)
    expect(await client.invoke('echo', { text })).toEqual({ text })
    expect(seen.events.length).toBeGreaterThan(1000)
  })

  test('back-pressure, cancellation and deadlines reach the handler', async () => {
    const network = await useNetwork(pattern)
    const { seen } = await network.startInstance('a')
    const client = await (await network.join({ codec })).connect('tests', { sticky })
    const stream = client.stream<string>('count', { to: 100_000, size: 100 })
    await stream.next()
    await client.invoke('add', { a: 1, b: 2 })
    expect(seen.events.length).toBeLessThan(10_000)
    await stream.return()

    const controller = new AbortController()
    const held = client.invoke('hold', {}, { signal: controller.signal })
    await expect.poll(() => seen.release.length).toBe(1)
    controller.abort()
    await expect(held).rejects.toMatchObject({ reason: 'Cancelled' })
    await expect.poll(() => seen.aborted).toMatchObject([{ reason: 'Cancelled' }])
    // oxlint-disable-next-line sallyport/no-real-time -- the call has to reach core before
    await expect(client.invoke('hold', {}, { timeout: 50 })).rejects.toMatchObject({ reason: 'Timeout' })
    await expect.poll(() => seen.aborted.length).toBe(2)
  })

  test('the host calls exposed functions', async () => {
    const network = await useNetwork(pattern)
    const { bus } = await network.startInstance('a')
    const client = await (await network.join({ codec })).connect('tests', { sticky })
    client.expose({ double: ({ n }: { n: number }) => 2 * n })
    await client.invoke('who')
    expect(await bus.call('tests', 'double', { n: 4 })).toBe(8)
    expect((await bus.stats()).frontends).toEqual({})
  })
})
