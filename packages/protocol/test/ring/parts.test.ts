// Bodies that are large for the ring: they travel in parts, whole and in order, however little memory the ring has.
import { setImmediate as nextTick } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import type { Frame, Link, ReceivedFrame } from '../../src/wire/link.js'
import type { FrameKind } from '../../src/wire/messages.js'
import { settle } from '../link-behaviour.js'
import { createRingPair } from './pair.js'

const MiB = 2 ** 20
/** The smallest body of several parts is one byte longer than this, in a ring of 4 KiB. */
const PART = 2 ** 10 - 8

/** Bytes that repeat after 128. A callback for each byte would be slow. */
function fill(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const period = Uint8Array.from({ length: 128 }, (_, i) => (i * 31 + seed) & 0x7f)
  return new Uint8Array(Buffer.alloc(length, period))
}

function collect(link: Link): ReceivedFrame[] {
  const frames: ReceivedFrame[] = []
  link.receive({ frame: frame => frames.push(frame), closed: () => {} })
  return frames
}

/** Bytes as text: comparing arrays of a mebibyte with `toEqual` takes seconds. */
const show = ({ kind, body }: Frame | ReceivedFrame): string => `${kind}:${Buffer.from(body as Uint8Array).toString()}`

describe('a body', () => {
  it('arrives complete and in order, with any size and kind', () =>
    rows([{ bytes: 2 ** 12 }, {}, { bytes: 2 ** 12, position: 0x7fff_e000 }, { bytes: 2 ** 12, position: -0x2000 }])(
      async options => {
        const [near, far] = createRingPair(options)
        const frames = collect(far)
        const sizes = [
          0,
          1,
          PART - 1,
          PART,
          PART + 1,
          2 * PART,
          2 * PART + 1,
          5000,
          2 ** 16 - 8,
          2 ** 16 - 7,
          3 * MiB,
          0,
          9,
        ]
        const sent: Frame[] = sizes.flatMap((size, i) => [
          { kind: 1, body: 'é€'.repeat(size / 5) },
          ...([1, 2, 3, 5] as const).map(kind => ({ kind, body: fill(size, i + kind) })),
        ])
        const expected = sent.map(show)
        for (const frame of sent) near.send(frame)
        await expect.poll(() => frames.length).toBe(sent.length)
        expect(frames.map(show).every((text, i) => text === expected[i])).toBe(true)
        near.close()
      },
    ))

  it('is alone in its buffer if a user can receive its bytes, and a large record keeps its headroom', async () => {
    const [near, far] = createRingPair()
    const frames = collect(far)
    for (const [kind, size] of [
      [5, 5],
      [5, MiB],
      [2, 5],
      [2, MiB],
      [3, MiB],
    ] as [FrameKind, number][]) {
      near.send({ kind, body: new Uint8Array(size) })
    }
    await expect.poll(() => frames.length).toBe(5)
    const memory = frames.map(({ body }) => [(body as Uint8Array).byteOffset, (body as Uint8Array).buffer.byteLength])
    expect(memory).toEqual([
      [0, 5],
      [0, MiB],
      [0, 5],
      [0, MiB],
      [1, MiB + 1],
    ])
    near.close()
  })

  it('is not affected if its caller changes the bytes while it waits for room', async () => {
    const [near, far] = createRingPair({ bytes: 2 ** 12 })
    const bodies = [fill(3 * PART, 1), fill(20_000, 2), fill(5, 3)]
    const expected = bodies.map(body => show({ kind: 2, body }))
    for (const body of bodies) {
      near.send({ kind: 2, body })
      body.fill(0)
    }
    const frames = collect(far)
    await expect.poll(() => frames.map(show)).toEqual(expected)
    near.close()
  })

  it('waits at its sender while the receiver is paused in the middle of it', async () => {
    const [near, far] = createRingPair({ bytes: 2 ** 12 })
    const frames = collect(far)
    near.send({ kind: 2, body: fill(MiB, 1) })
    await nextTick()
    far.pause()
    await settle()
    expect(frames).toEqual([])
    expect(near.queued).toBeGreaterThan(MiB / 2)
    const room = near.room()
    expect(room).toBeInstanceOf(Promise)
    far.resume()
    await room
    await expect.poll(() => frames.map(show)).toEqual([show({ kind: 2, body: fill(MiB, 1) })])
    expect(near.room()).toBeUndefined()
    near.close()
  })

  it('does not block another in the other direction, even if each is answered by another', async () => {
    const ends = createRingPair({ bytes: 2 ** 14 })
    const received = [0, 0]
    for (const [i, end] of ends.entries()) {
      end.receive({
        frame({ body }) {
          received[i]! += body.length
          if (received[i]! <= 6 * MiB) end.send({ kind: 5, body: new Uint8Array(MiB) })
        },
        closed: () => {},
      })
      for (let frame = 0; frame < 3; frame++) end.send({ kind: 5, body: new Uint8Array(2 * MiB) })
    }
    await expect.poll(() => received).toEqual([9 * MiB, 9 * MiB])
    expect(ends.map(end => end.room())).toEqual([undefined, undefined])
    ends[0].close()
  })

  it('is dropped with the end of the link if its last parts do not arrive', async () => {
    const [near, far] = createRingPair({ bytes: 2 ** 12 })
    const seen: string[] = []
    near.send({ kind: 2, body: fill(MiB, 1) })
    near.receive({ frame: () => {}, closed: () => seen.push('near') })
    far.receive({ frame: () => seen.push('frame'), closed: () => seen.push('far') })
    await nextTick()
    far.close()
    await expect.poll(() => seen).toEqual(['far', 'near'])
    expect([near.queued, near.room()]).toEqual([0, undefined])
  })
})
