// Attacks of a hostile thread on a ring link. Each is a fault that closes the link; none causes a hang, a crash or a disclosure.
import { Worker } from 'node:worker_threads'
import { describe, expect, it, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import {
  createRingBuffer,
  endRings,
  openRing,
  RING_WORD,
  type RingMemory,
  RingWriter,
} from '../../src/link/ring/ring-buffer.js'
import { RingLink } from '../../src/link/ring/ring-link.js'
import { MAX_BODY_BYTES } from '../../src/wire/limits.js'
import { recorder, settle } from '../link-behaviour.js'

/** Creates a link, and what its peer has: the memory of both rings. */
function bare(bytes = 4096) {
  const [inRing, outRing] = [createRingBuffer(bytes), createRingBuffer(bytes)]
  const seen = recorder()
  const link = new RingLink({ out: outRing, in: inRing, poll: 'adaptive' })
  link.receive(seen)
  const writer = new RingWriter(openRing(inRing))
  const write = (kind: number, length: number, remaining: number): void => {
    const at = writer.reserve(length)
    writer.bytes.fill(0x61, at, at + length)
    writer.publish(kind, length, remaining)
    writer.wake()
  }
  return { inRing: openRing(inRing), outRing: openRing(outRing), writer, write, link, seen }
}

const violation = (what: string): string => `fault: InvalidRequest: The peer violated the ring protocol: ${what}`

describe('a ring link', () => {
  it('treats an invalid frame as a fault and ignores the rest', () =>
    rows<readonly [string, number[], string]>([
      ['an invalid kind', [0, 4, 0], 'invalid kind of frame'],
      ['another invalid kind', [9, 4, 0], 'invalid kind of frame'],
      ['an invalid kind of ASCII', [0x42, 4, 0], 'invalid kind of frame'],
      ['a part of ASCII', [0x41, 4, 4], 'invalid kind of frame'],
      ['ASCII between parts', [5, 8, 16, 0x41, 8, 8], 'invalid kind of frame'],
      ['a body over the limit', [5, 8, MAX_BODY_BYTES - 7], 'a frame out of bounds'],
      ['a body of 4 GiB', [1, 8, -1], 'a frame out of bounds'],
      ['a first part without bytes', [5, 0, 8], 'a part out of order'],
      ['a later part without bytes', [5, 8, 8, 5, 0, 8], 'a part out of order'],
      ['a last part without bytes', [5, 8, 8, 5, 0, 0], 'a part out of order'],
      ['a part again', [5, 8, 16, 5, 8, 16], 'a part out of order'],
      ['a part that claims fewer further bytes', [5, 8, 16, 5, 8, 7], 'a part out of order'],
      ['a part that claims more further bytes', [5, 8, 16, 5, 8, MAX_BODY_BYTES], 'a part out of order'],
      ['a last part that is too long', [5, 8, 16, 5, 17, 0], 'a part out of order'],
      ['another frame between parts', [5, 8, 16, 1, 1, 0], 'a part out of order'],
      ['a kind that changes between parts', [1, 8, 8, 2, 8, 0], 'a part out of order'],
    ])(async (_name, frames, what) => {
      const { write, seen, link, inRing, outRing } = bare()
      write(1, 1, 0)
      for (let i = 0; i < frames.length; i += 3) write(frames[i]!, frames[i + 1]!, frames[i + 2]!)
      write(1, 1, 0)
      await settle()
      expect(seen.log).toEqual(['1:a', violation(what)])
      expect([inRing.control[RING_WORD.abandoned], outRing.control[RING_WORD.finished]], 'both ends').toEqual([1, 1])
      link.send({ kind: 1, body: 'x' })
      link.close()
      await settle()
      expect(seen.log).toHaveLength(2)
    }))

  it('sends nothing after a fault, not even the rest of a body', async () => {
    const { write, link, outRing } = bare()
    link.receive({ frame: () => {}, closed: () => link.send({ kind: 1, body: 'last' }) })
    link.send({ kind: 2, body: new Uint8Array(10_000) })
    const head = outRing.control[RING_WORD.head]
    write(0, 4, 0)
    await settle()
    expect([outRing.control[RING_WORD.finished], outRing.control[RING_WORD.head]]).toEqual([1, head])
  })

  it('allocates for what has arrived, and not for the claimed length', async () => {
    const { write, link } = bare()
    const before = process.memoryUsage().arrayBuffers
    write(5, 8, 250 * 2 ** 20)
    await settle()
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 2 ** 20)
    link.close()
  })

  it('reports an invalid read position as a fault when it is asked for what is queued', async () => {
    const { outRing, seen, link } = bare()
    Atomics.store(outRing.control, RING_WORD.tail, 4)
    expect(link.queued).toBe(0)
    await settle()
    expect(seen.log).toEqual([violation('a read position out of range')])
  })

  it('treats an invalid word of control as a fault', () =>
    rows<readonly [string, (inRing: RingMemory) => unknown, string]>([
      [
        'write position',
        inRing => Atomics.store(inRing.control, RING_WORD.head, 12345),
        'a write position out of range',
      ],
      ['length', inRing => (inRing.words.fill(0xffff), Atomics.store(inRing.control, 0, 64)), 'a length out of range'],
    ])(async (_name, attack, what) => {
      const { inRing, writer, seen } = bare()
      attack(inRing)
      writer.wake()
      await settle()
      expect(seen.log).toEqual([violation(what)])
    }))

  it('reports an invalid read position as a fault, in a later microtask than the send that found it', async () => {
    const { outRing, seen, link } = bare()
    Atomics.store(outRing.control, RING_WORD.tail, 4)
    for (let i = 0; i < 10; i++) link.send({ kind: 2, body: new Uint8Array(1000) })
    expect(seen.log).toEqual([])
    await settle()
    expect(seen.log).toEqual([violation('a read position out of range')])
  })

  it('rejects frames that its peer would treat as a fault', () => {
    const { link } = bare()
    expect(() => link.send({ kind: 2, body: new Uint8Array(MAX_BODY_BYTES + 1) })).toThrow('is over the limit')
    link.close()
  })

  it('waits for a busy peer before it closes, but not forever', async () => {
    const { link, seen } = bare()
    for (let i = 0; i < 100; i++) link.send({ kind: 2, body: new Uint8Array(1000) })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    link.close()
    vi.advanceTimersByTime(29_000)
    await settle()
    expect(seen.log).toEqual([])
    vi.advanceTimersByTime(1000)
    vi.useRealTimers()
    await settle()
    expect(seen.log).toEqual(['closed'])
  })

  it('delivers memory that the peer cannot access', async () => {
    const { inRing, write, link } = bare()
    const bodies: Uint8Array[] = []
    link.receive({ frame: ({ body }) => bodies.push(body as Uint8Array), closed: () => {} })
    for (const kind of [1, 2, 3]) write(kind, 100, 0)
    await settle()
    inRing.bytes.fill(0)
    expect(bodies.map(body => Buffer.from(body).toString())).toEqual(Array(3).fill('a'.repeat(100)))
    expect(new Set(bodies.map(body => body.buffer)).has(inRing.bytes.buffer as never)).toBe(false)
  })

  it('ends when its peer has exited, whatever it left in the word of the doorbell', () =>
    rows([0, 7])(async word => {
      const { inRing, outRing, seen } = bare()
      await settle()
      Atomics.store(inRing.control, RING_WORD.parked, word)
      endRings(inRing.control.buffer, outRing.control.buffer)
      await settle()
      expect(seen.log).toEqual(['closed'])
    }))

  it('waits for no doorbell after its end, even if its peer waits for it many times', async () => {
    const { inRing, link } = bare()
    Atomics.store(inRing.control, RING_WORD.parked, 1)
    for (let i = 0; i < 100; i++) Atomics.waitAsync(inRing.control, RING_WORD.parked, 1)
    await settle()
    link.close()
    await settle()
    expect(Atomics.notify(inRing.control, RING_WORD.parked)).toBe(0)
  })

  it('keeps its event loop alive when the peer rings and parks endlessly', async () => {
    const { inRing, link } = bare()
    const code = `const words = new Int32Array(require('node:worker_threads').workerData)
      for (;;) { Atomics.store(words, 64, 0); Atomics.notify(words, 64); Atomics.store(words, 96, 1) }`
    const worker = new Worker(code, { eval: true, workerData: inRing.control.buffer })
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    await expect.poll(() => ticks).toBeGreaterThan(20)
    clearInterval(timer)
    await worker.terminate()
    link.close()
  })
})
