// The ring alone: frames are read as written at any position. Corrupted memory is a fault, and never causes a read out of bounds.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import {
  HEADER_BYTES,
  RING_WORD,
  RingReader,
  RingWriter,
  SKIP,
  createRingBuffer,
  endRings,
  getFrameSize,
  openRing,
} from '../../src/link/ring/ring-buffer.js'

const SIZE = 1024

function setUp(start = 0) {
  const ring = openRing(createRingBuffer(SIZE))
  ring.control[RING_WORD.head] = start
  ring.control[RING_WORD.tail] = start
  return { ring, writer: new RingWriter(ring), reader: new RingReader(ring) }
}

function write(writer: RingWriter, bytes: Uint8Array, kind = 1, remaining = 0): boolean {
  const at = writer.reserve(bytes.length)
  if (at < 0) return false
  writer.bytes.set(bytes, at)
  writer.publish(kind, bytes.length, remaining)
  return true
}

function read(reader: RingReader): number[] | undefined {
  if (!reader.next()) return undefined
  const bytes = new Uint8Array(reader.length)
  reader.copy(bytes, 0)
  reader.release()
  return [...bytes]
}

describe('a ring', () => {
  it('wraps frames around its end and positions around 2^32', () =>
    rows([0, 8, SIZE - 8, 0x7fff_fff8 | 0, -SIZE, -8])(start => {
      const { writer, reader } = setUp(start)
      for (let i = 0; i < 2000; i++) {
        const bytes = new Uint8Array((i * 37) % 400).fill(i)
        const seen = [write(writer, bytes, i % 128, i), reader.next(), reader.kind, reader.remaining, reader.length]
        const isSame = Buffer.compare(Uint8Array.from(read(reader)!), bytes) === 0
        expect([...seen, isSame, reader.next()]).toEqual([true, true, i % 128, i, bytes.length, true, false])
      }
    }))

  it('behaves like a queue with room for its size', () => {
    const anyOperation = fc.oneof(fc.nat(SIZE - HEADER_BYTES), fc.nat(40), fc.constant('read' as const))
    fc.assert(
      fc.property(fc.integer(), fc.array(anyOperation, { maxLength: 200 }), (start, operations) => {
        const { writer, reader } = setUp(start & ~7)
        const queue: number[][] = []
        for (const [i, operation] of operations.entries()) {
          if (operation === 'read') expect(read(reader)).toEqual(queue.shift())
          else {
            const bytes = Array.from({ length: operation }, (_, at) => (at + i) & 255)
            if (write(writer, Uint8Array.from(bytes))) queue.push(bytes)
            else
              expect(queue.length, 'an empty ring takes at least what a sender writes').toBeGreaterThan(
                operation > 248 ? -1 : 0,
              )
          }
        }
        for (const bytes of queue) expect(read(reader)).toEqual(bytes)
        expect(read(reader)).toBeUndefined()
      }),
    )
  })

  it('can be filled to its last byte', () => {
    const { writer, reader } = setUp()
    expect(write(writer, new Uint8Array(SIZE - HEADER_BYTES).fill(7))).toBe(true)
    expect(write(writer, new Uint8Array(0))).toBe(false)
    expect(read(reader)).toHaveLength(SIZE - HEADER_BYTES)
    for (let i = 0; i < SIZE / 8; i++) expect(write(writer, new Uint8Array(0))).toBe(true)
    expect(write(writer, new Uint8Array(0))).toBe(false)
    for (let i = 0; i < SIZE / 8; i++) expect(read(reader)).toEqual([])
    expect(read(reader)).toBeUndefined()
  })

  it('wakes a waiting producer once, when half of it is free', () => {
    const { ring, writer, reader } = setUp()
    for (let i = 0; i < 4; i++) write(writer, new Uint8Array(248))
    writer.want()
    const wanted = Array.from({ length: 4 }, () => {
      read(reader)
      return ring.control[RING_WORD.wanted]
    })
    expect(wanted).toEqual([1, 0, 0, 0])
  })

  it('ends for the reader when its producer finishes it, and for the writer when its consumer abandons it', () => {
    const { ring, writer, reader } = setUp()
    write(writer, new Uint8Array(1))
    reader.park()
    writer.want()
    expect([reader.isFinished, writer.isAbandoned]).toEqual([false, false])
    writer.finish()
    expect([reader.isFinished, writer.isAbandoned]).toEqual([true, false])
    reader.abandon()
    expect(writer.isAbandoned).toBe(true)
    expect([ring.control[RING_WORD.parked], ring.control[RING_WORD.wanted]], 'both are woken').toEqual([0, 0])
    expect(read(reader), 'what was written before the end').toEqual([0])
  })

  it('can be ended by the host for a thread that has exited', () => {
    const [out, inward] = [createRingBuffer(SIZE), createRingBuffer(SIZE)]
    endRings(out, inward)
    const [reader, writer] = [new RingReader(openRing(out)), new RingWriter(openRing(inward))]
    expect([reader.isFinished, writer.isAbandoned]).toEqual([true, true])
    expect([new RingWriter(openRing(out)).isAbandoned, new RingReader(openRing(inward)).isFinished]).toEqual([
      false,
      false,
    ])
  })

  it('rejects invalid memory, and sizes other than powers of two', () => {
    for (const bytes of [0, 512, 1000, 1025, 2 ** 25, Number.NaN])
      expect(() => createRingBuffer(bytes)).toThrow(RangeError)
    for (const bytes of [0, 512, 1024, 512 + 1000])
      expect(() => openRing(new SharedArrayBuffer(bytes))).toThrow('invalid ring memory')
    expect(() => openRing(new ArrayBuffer(512 + 1024) as never)).toThrow('violated the ring protocol')
  })
})

describe('a reader', () => {
  const fault = (what: string): object => ({
    reason: 'InvalidRequest',
    message: `The peer violated the ring protocol: ${what}`,
  })

  it('treats an invalid write position as a fault', () =>
    rows([4, 1, -8, SIZE + 8, 0x7fff_fff8, -1])(head => {
      const { ring, reader } = setUp()
      Atomics.store(ring.control, RING_WORD.head, head)
      expect(() => reader.next()).toThrow(expect.objectContaining(fault('a write position out of range')))
    }))

  it('treats an invalid length as a fault', () =>
    rows([9, SIZE, 0xff_ffff, -2, 0x8000_0000 | 0])(word => {
      const { ring, writer, reader } = setUp()
      write(writer, new Uint8Array(8))
      ring.words[0] = word
      expect(() => reader.next()).toThrow(expect.objectContaining(fault('a length out of range')))
    }))

  it('treats a frame beyond the end of the memory as a fault', () => {
    const { ring, reader } = setUp(SIZE - 16)
    ring.words[(SIZE - 16) >> 2] = 100
    Atomics.store(ring.control, RING_WORD.head, SIZE + 512)
    expect(() => reader.next()).toThrow(expect.objectContaining(fault('a length out of range')))
  })

  it('treats a skip at the start, without a frame after it, or after another skip as a fault', () => {
    for (const [start, head] of [
      [0, SIZE],
      [512, SIZE],
      [512, 1016],
    ] as const) {
      const { ring, reader } = setUp(start)
      ring.words[start >> 2] = SKIP
      Atomics.store(ring.control, RING_WORD.head, head)
      expect(() => reader.next()).toThrow(expect.objectContaining(fault('a skip out of range')))
    }
    const { ring, reader } = setUp(512)
    ring.words[128] = ring.words[0] = SKIP
    Atomics.store(ring.control, RING_WORD.head, SIZE + 64)
    expect(() => reader.next()).toThrow(expect.objectContaining(fault('a length out of range')))
  })

  it('reads or faults for any content of the memory', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer(), { minLength: 40, maxLength: 40 }),
        fc.integer(),
        fc.nat(),
        (words, start, ready) => {
          const { ring, reader } = setUp(start & ~7)
          for (let i = 0; i < ring.words.length; i++) ring.words[i] = words[i % 40]! >> (words[(i + 7) % 40]! & 31)
          Atomics.store(ring.control, RING_WORD.head, ((start & ~7) + (ready % (SIZE + 64))) | 0)
          let taken = 0
          try {
            for (let bytes = read(reader); bytes; bytes = read(reader)) taken += getFrameSize(bytes.length)
          } catch (error) {
            expect(error).toMatchObject({ reason: 'InvalidRequest' })
          }
          expect(taken).toBeLessThanOrEqual(SIZE)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('a writer', () => {
  it('treats an invalid read position of an empty ring as a fault', () =>
    rows([8, 4, 1, -SIZE, 0x7fff_fff8])(tail => {
      const { ring, writer } = setUp()
      Atomics.store(ring.control, RING_WORD.tail, tail)
      expect(() => writer.reserve(SIZE)).toThrow('The peer violated the ring protocol: a read position out of range')
    }))
})
