// Large bytes over every route: they arrive complete and alone in their buffer, in order with other messages, and are copied
// unless they are transferred.
import { describe, expect, test } from 'vitest'
import { routes } from '../support/start.js'

const KiB = 1024
const MiB = 1024 * KiB
const filled = (size: number): Uint8Array<ArrayBuffer> => new Uint8Array(size).fill(3)
const weight = (length: number): object => ({ length, ends: [3, 3], alone: true, plain: true })
// Sizes below, at and above those of an attachment, a quarter of a ring, a ring, and a frame.
const sizes = [64 * KiB - 1, 64 * KiB, 64 * KiB + 1, 300 * KiB, MiB, 17 * MiB]

describe.each(routes)('bytes: %s', (_name, connect) => {
  test('arrive in core as body and as argument', async () => {
    const { client } = await connect('shared')
    for (const size of sizes) {
      expect(await client.invoke('weigh', filled(size))).toEqual(weight(size))
      expect(await client.invoke('weigh', { x: 1, data: filled(size), y: [2] })).toEqual(weight(size))
    }
  })

  test('arrive in the frontend as result and as its member', async () => {
    const { client } = await connect('shared')
    for (const size of sizes) {
      const bytes = await client.invoke<Uint8Array>('keep', { size })
      expect([bytes.length, bytes[0], bytes.at(-1), bytes.byteOffset]).toEqual([size, 7, 7, 0])
      const { data, n } = await client.invoke<{ data: Uint8Array; n: number }>('echo', { data: filled(size), n: 1 })
      expect([data.length, data[0], data.at(-1), n]).toEqual([size, 3, 3, 1])
      expect(data.buffer.byteLength).toBe(size)
    }
  })

  test('stay in order with messages before and after', async () => {
    const { client } = await connect('shared')
    const order: number[] = []
    const calls = Array.from({ length: 30 }, async (_, i) => {
      const args = i % 3 === 0 ? { data: filled((i + 1) * 30 * KiB) } : { data: filled(i) }
      await client.invoke('weigh', args)
      order.push(i)
    })
    await Promise.all(calls)
    expect(order).toEqual(order.toSorted((a, b) => a - b))
  })

  test('are copied when the call is made, so that the caller can change them', async () => {
    const { client } = await connect('shared')
    const [large, small] = [filled(300 * KiB), filled(8)]
    const weighed = [client.invoke('weigh', large), client.invoke('weigh', { data: small })]
    large.fill(9)
    small.fill(9)
    expect(await Promise.all(weighed)).toEqual([weight(300 * KiB), weight(8)])
    expect(large.length).toBe(300 * KiB)
  })

  test('are detached immediately when they are transferred, large and small', async () => {
    const { client } = await connect('shared')
    for (const size of [8, MiB]) {
      const [complete, part] = [filled(size), filled(size + 5).subarray(2, size + 2)]
      const weighed = [
        client.invoke('weigh', complete, { transfer: [complete.buffer] }),
        client.invoke('weigh', { data: part }, { transfer: [part.buffer] }),
      ]
      expect([complete.length, part.length]).toEqual([0, 0])
      expect(await Promise.all(weighed)).toEqual([weight(size), weight(size)])
    }
  })

  test('are detached in core only when a handler transfers them', async () => {
    const { client } = await connect('shared')
    await client.invoke('forget')
    for (const size of [8, MiB]) {
      for (const args of [{ size }, { size, named: true }, { size, part: 3 }]) {
        const result = await client.invoke<Uint8Array | { data: Uint8Array }>('give', args)
        const bytes = result instanceof Uint8Array ? result : result.data
        expect([bytes.length, bytes[0], bytes.at(-1), bytes.buffer.byteLength]).toEqual([size, 7, 7, size])
      }
      await client.invoke('keep', { size })
    }
    await expect.poll(() => client.invoke('seen')).toEqual([0, 0, 0, 8, 0, 0, 0, MiB])
  })

  test('arrive as payloads of events, in both directions', async () => {
    const { client } = await connect('shared')
    const received: unknown[] = []
    const unlisten = [
      await client.listen('weighed', ({ payload }) => void received.push(payload)),
      await client.listen<{ data: Uint8Array }>('backend-event', ({ payload }) => received.push(payload.data.length)),
    ]
    const away = filled(MiB)
    await client.emit('weigh', away, { transfer: [away.buffer] })
    await client.emitTo({ kind: 'App' }, 'absent', filled(MiB))
    await client.emit('frontend-event', { data: filled(MiB) })
    await expect.poll(() => received).toEqual([weight(MiB), MiB])
    expect(away.length).toBe(0)
    for (const end of unlisten) end()
  })

  test('arrive on a channel as they were when they were sent', async () => {
    const { client } = await connect('shared')
    await client.invoke('forget')
    for (const away of [false, true]) {
      const channel = new client.Channel<{ i: number; bytes: Uint8Array }>()
      const lengths = [MiB, 10, 70 * KiB, 2 * MiB]
      const streaming = client.invoke('stream', { channel, sizes: lengths, away })
      const got: unknown[] = []
      for await (const { i, bytes } of channel) got.push([i, bytes.length, bytes[0], bytes.at(-1)])
      await streaming
      expect(got).toEqual(lengths.map((length, i) => [i, length, i, i]))
    }
    expect(await client.invoke('seen')).toEqual([0, 0, 0, 0])
  })

  test('are detached immediately when a full channel queues them', async () => {
    const { client } = await connect('shared')
    await client.invoke('forget')
    const channel = new client.Channel<{ i: number; bytes: Uint8Array }>()
    const lengths = Array.from({ length: 300 }, (_, i) => 65 * KiB + i)
    const answer = client.invoke('stream', { channel, sizes: lengths, away: true, burst: true })
    let i = 0
    for await (const { bytes } of channel) expect(bytes.length).toBe(lengths[i++])
    expect(i).toBe(300)
    await answer
    expect(await client.invoke('seen')).toEqual(lengths.map(() => 0))
  })

  test('over the limit are rejected before anything is sent, and stay attached', async () => {
    const { client } = await connect('shared')
    const bytes = new Uint8Array(256 * MiB + 1)
    const refused = client.invoke('weigh', bytes, { transfer: [bytes.buffer] })
    await expect(refused).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: expect.stringContaining('over the limit of 268435456') as string,
    })
    expect(bytes.length).toBe(256 * MiB + 1)
    await expect(client.invoke('keep', { size: 256 * MiB + 1 })).rejects.toMatchObject({ reason: 'InternalError' })
    expect(await client.invoke('add', { a: 1, b: 1 })).toBe(2)
  })

  test('in `transfer` that are not part of the message are rejected by name', async () => {
    const { client } = await connect('shared')
    const bytes = filled(8)
    const away = { transfer: [bytes.buffer] }
    for (const call of [
      () => client.invoke('echo', { deep: { bytes } }, away),
      () => client.invoke('echo', undefined, away),
      () => client.emit('e', [bytes], away),
      () => client.invoke('echo', bytes, { transfer: [bytes] as never }),
    ]) {
      const message = expect.stringContaining('`transfer`') as string
      await expect(call()).rejects.toMatchObject({ reason: 'InvalidParams', message })
    }
    expect(bytes.length).toBe(8)
  })
})
