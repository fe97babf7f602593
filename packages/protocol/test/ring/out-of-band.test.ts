// Out-of-band frames of a ring: in order with the others, bounded, and transferred without a copy if the link owns them.
import { setImmediate as turn } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import type { ReceivedFrame } from '../../src/wire/link.js'
import { createRingBuffers, openRing } from '../../src/link/ring/ring-buffer.js'
import { RingReader } from '../../src/link/ring/ring-buffer.js'
import { createRingLink } from '../../src/link/ring/ring-link.js'
import { settle } from '../link-behaviour.js'
import { wasmMemory } from '../wasm-memory.js'
import { createRingPair } from './pair.js'

const MiB = 2 ** 20
/** Creates a link whose peer takes nothing until the test starts it. */
function idle(bytes = 4096) {
  const [forward, backward] = createRingBuffers(bytes)
  const { port1, port2 } = new MessageChannel()
  const link = createRingLink({ out: forward, in: backward, port: port1 })
  const posted: number[] = []
  const reader = new RingReader(openRing(forward))
  port2.on('message', (data: ArrayBuffer) => posted.push(data.byteLength))
  const takeOne = (): boolean => {
    if (!reader.next()) return false
    if (reader.release()) link.send({ kind: 1, body: '' })
    return true
  }
  return { link, posted, takeOne, close: () => (port1.close(), port2.close()) }
}

describe('out of band', () => {
  it('frames of all sizes arrive in order', async () => {
    const [near, far] = createRingPair(2 ** 12)
    const sizes = Array.from({ length: 300 }, (_, i) => (i * i * 37) % 5000)
    const seen: number[] = []
    far.receive({ frame: ({ body }) => seen.push(body.length), closed: () => {} })
    for (const [i, size] of sizes.entries()) near.send({ kind: ((i % 3) + 1) as 1 | 2 | 3, body: new Uint8Array(size) })
    await expect.poll(() => seen.length).toBe(300)
    expect(seen).toEqual(sizes)
    near.close()
  })

  it('attachments and records are transferred, and arrive alone in their buffers, a record with its headroom', async () => {
    const [near, far] = createRingPair()
    const frames: ReceivedFrame[] = []
    far.receive({ frame: frame => frames.push(frame), closed: () => {} })
    const [small, large, kept] = [new Uint8Array(5).fill(1), new Uint8Array(MiB).fill(2), new Uint8Array(MiB).fill(4)]
    const record = new Uint8Array(MiB + 1).fill(3).subarray(1)
    near.send({ kind: 5, body: small })
    near.send({ kind: 5, body: large })
    near.send({ kind: 3, body: record })
    near.send({ kind: 2, body: kept })
    expect([small.length, large.length, record.length, kept.length]).toEqual([0, 0, 0, MiB])
    await settle()
    const facts = frames.map(({ kind, body }) => [kind, body.length, body[0], body.byteOffset, body.buffer.byteLength])
    expect(facts).toEqual([
      [5, 5, 1, 0, 5],
      [5, MiB, 2, 0, MiB],
      [3, MiB, 3, 1, MiB + 1],
      [2, MiB, 4, 0, MiB],
    ])
    near.close()
  })

  it('no more than the window is in flight, and the rest waits at the sender', async () => {
    const { link, posted, takeOne, close } = idle()
    const bodies = Array.from({ length: 6 }, () => new Uint8Array(10 * MiB))
    for (const body of bodies) link.send({ kind: 5, body })
    expect(bodies.map(({ length }) => length / MiB)).toEqual([0, 0, 0, 10, 10, 10])
    await settle()
    expect(posted).toHaveLength(3)
    for (let taken = 1; taken <= 3; taken++) {
      expect(takeOne()).toBe(true)
      await settle()
      expect(posted).toHaveLength(3 + taken)
    }
    close()
  })

  it('a single frame can be larger than the window', async () => {
    const { link, posted, takeOne, close } = idle()
    link.send({ kind: 5, body: new Uint8Array(1) })
    link.send({ kind: 5, body: new Uint8Array(100 * MiB) })
    link.send({ kind: 5, body: new Uint8Array(2) })
    await settle()
    expect(posted).toEqual([1])
    takeOne()
    await settle()
    expect(posted).toEqual([1, 100 * MiB])
    takeOne()
    await settle()
    expect(posted).toEqual([1, 100 * MiB, 2])
    close()
  })

  it('a second large frame is sent after positions have wrapped around', async () => {
    const [near, far] = createRingPair(2 ** 24)
    const seen: number[] = []
    far.receive({ frame: ({ body }) => seen.push(body.length), closed: () => {} })
    const [large, filling] = [new Uint8Array(20 * MiB), new Uint8Array(4 * MiB - 64)]
    near.send({ kind: 1, body: large })
    // Between 2 and 4 GiB, where a signed difference of positions is negative.
    for (let i = 0; i < 600; i++) {
      near.send({ kind: 1, body: filling })
      while (seen.length < i + 2) await turn()
    }
    near.send({ kind: 1, body: large })
    await settle()
    expect(seen.at(-1)).toBe(20 * MiB)
    near.close()
  })

  it('at most 64 frames are in flight', async () => {
    const { link, posted, takeOne, close } = idle(2 ** 16)
    for (let i = 0; i < 70; i++) link.send({ kind: 5, body: new Uint8Array(8) })
    await settle()
    expect(posted).toHaveLength(64)
    takeOne()
    await settle()
    expect(posted).toHaveLength(65)
    close()
  })

  it('memory that cannot be transferred is rejected, or copied (Node 20), without affecting other frames', async () => {
    const [near, far] = createRingPair()
    const seen: number[] = []
    far.receive({ frame: ({ body }) => seen.push(body.length), closed: () => {} })
    const buffer = wasmMemory()
    near.send({ kind: 2, body: new Uint8Array(1) })
    let refused = false
    try {
      near.send({ kind: 5, body: new Uint8Array(buffer) })
    } catch {
      refused = true
    }
    near.send({ kind: 2, body: new Uint8Array(3) })
    await settle()
    expect(seen).toEqual(refused ? [1, 3] : [1, 65_536, 3])
    near.close()
  })
})
