// What a frontend may do, done over NATS: each of it as over a local link.
import { Channel } from '@sallyport/frontend'
import { describe, expect, test } from 'vitest'
import { hasServer } from '../server.js'
import { useWorld } from './world.js'

describe.skipIf(!hasServer).each([
  ['brownfield', 'json', true],
  ['brownfield', 'msgpack', false],
  ['isolation', 'json', false],
  ['isolation', 'msgpack', true],
] as const)('%s, %s, sticky: %s', (pattern, codec, sticky) => {
  test('calls and their errors, events, streams, channels, bytes', async () => {
    const world = await useWorld(pattern)
    const { bus, seen } = await world.start('a')
    const joined = await world.join()
    const client = await joined.connect('tests', { codec, sticky })
    expect(client.label).toBe('tests')
    const calls = Array.from({ length: 200 }, (_, a) => client.invoke('add', { a, b: 1 }))
    expect(await Promise.all(calls)).toEqual(calls.map((_, a) => a + 1))

    await expect(client.invoke('fail')).rejects.toMatchObject({
      reason: 'CommandFailed',
      data: { kind: 'NotFound', id: 7 },
    })
    await expect(client.invoke('none')).rejects.toMatchObject({ reason: 'MethodNotFound' })
    await expect(client.invoke('plugin:event|emit', { event: 7 })).rejects.toMatchObject({ reason: 'InvalidParams' })

    const heard: unknown[] = []
    const unlisten = await client.listen('pong', ({ payload }) => void heard.push(payload))
    await client.emit('ping', 1)
    await expect.poll(() => heard).toEqual([{ from: 'a', payload: 1 }])
    await bus.emitTo('tests', 'pong', 'from the host')
    await bus.emitTo('others', 'pong', 'not for it')
    await expect.poll(() => heard.length).toBe(2)
    unlisten()

    const counted: number[] = []
    for await (const n of client.stream<number>('count', { to: 1000 })) counted.push(n)
    expect(counted).toEqual(counted.map((_, at) => at))
    expect(counted).toHaveLength(1000)

    const channel = new Channel<number>()
    const sent = client.invoke('send', { to: 700, channel })
    const taken: number[] = []
    for await (const n of channel) taken.push(n)
    expect(taken).toHaveLength(700)
    expect(await sent).toBe('a')

    const data = new Uint8Array(3 * 2 ** 20).fill(3)
    expect(await client.invoke('length', { data })).toBe(data.byteLength)
    const text = 'y'.repeat(2.5 * 2 ** 20)
    expect(await client.invoke('echo', { text })).toEqual({ text })
    expect(seen.events.length).toBeGreaterThan(1000)
  })

  test('back-pressure, cancelling and deadlines reach the handler', async () => {
    const world = await useWorld(pattern)
    const { seen } = await world.start('a')
    const client = await (await world.join()).connect('tests', { codec, sticky })
    const stream = client.stream<string>('count', { to: 100_000, size: 100 })
    await stream.next()
    await client.invoke('add', { a: 1, b: 2 })
    expect(seen.events.length).toBeLessThan(2000)
    await stream.return()

    const controller = new AbortController()
    const held = client.invoke('hold', {}, { signal: controller.signal })
    await expect.poll(() => seen.letGo.length).toBe(1)
    controller.abort()
    await expect(held).rejects.toMatchObject({ reason: 'Cancelled' })
    await expect.poll(() => seen.aborted).toMatchObject([{ reason: 'Cancelled' }])
    await expect(client.invoke('hold', {}, { timeout: 50 })).rejects.toMatchObject({ reason: 'Timeout' })
    await expect.poll(() => seen.aborted.length).toBe(2)
  })

  test('core and host call what it exposes', async () => {
    const world = await useWorld(pattern)
    const { bus } = await world.start('a')
    const client = await (await world.join()).connect('tests', { codec, sticky })
    client.expose({ double: ({ n }: { n: number }) => 2 * n })
    await client.invoke('who')
    expect(await bus.call('tests', 'double', { n: 4 })).toBe(8)
    const { stats } = { stats: await bus.stats() }
    expect(Object.keys(stats.frontends)).toEqual([])
  })
})
