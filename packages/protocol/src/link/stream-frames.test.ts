// Frames in a stream of bytes, at random: whatever the cuts, chunks of both kinds give the same frames, and no bytes give anything else.
import { describe, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { isBusError } from '../errors/bus-error.js'
import type { FrameKind } from '../wire/link.js'
import { StreamFrames } from './stream-frames.js'

const SEEDS = 300
const MAX_BODY = 20_000
const KINDS: readonly FrameKind[] = [1, 2, 3, 5]

/** Returns numbers from 0 up to a limit, which a seed decides. */
function createRandom(seed: number): (limit: number) => number {
  let state = seed * 2654435761
  return limit => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0
    return ((state ^ (state >>> 13)) >>> 0) % limit
  }
}

const pickSize = (random: (limit: number) => number): number => random([4, 60, 5000, MAX_BODY + 1][random(4)]!)

function toBytes(kind: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32LE(body.length)
  head[4] = kind
  return Buffer.concat([head, body])
}

/** Gives `bytes` to `frames` in random cuts, own chunks and lent ones, whose memory is overwritten. Calls back with each frame. */
function feed(
  frames: StreamFrames,
  bytes: Buffer,
  random: (limit: number) => number,
  take: (text: string) => void,
): void {
  const lent = Buffer.alloc(2 ** 16)
  let isPaused = false
  const drain = (): void => {
    for (let count = 0; !isPaused; count++) {
      const frame = frames.next()
      if (!frame) return
      take(`${frame.kind}:${Buffer.from(frame.body).toString('latin1')}`)
      if (random(10) === 0) isPaused = true
    }
  }
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + 1 + pickSize(random))
    const part = bytes.subarray(at, end)
    if (random(2) === 0) frames.add(Buffer.from(part))
    else frames.lend(lent.subarray(0, part.copy(lent)))
    at = end
    drain()
    frames.keep()
    lent.fill(0xff)
    if (isPaused && random(3) === 0) isPaused = false
  }
  while (frames.unread > 0) {
    const before = frames.unread
    isPaused = false
    drain()
    if (frames.unread === before && !isPaused) return
  }
}

describe('frames of a stream', () => {
  test('arrive whole and in order, whatever the cuts, read immediately or not', () =>
    rows([true, false])(readsImmediately => {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const random = createRandom(seed)
        const sent = Array.from({ length: 1 + random(30) }, () => {
          const body = Buffer.alloc(pickSize(random), String(random(10)))
          return [KINDS[random(4)]!, body] as const
        })
        const frames = new StreamFrames(MAX_BODY)
        frames.readsImmediately = readsImmediately
        const taken: string[] = []
        feed(frames, Buffer.concat(sent.map(each => toBytes(...each))), random, text => taken.push(text))
        expect(taken, `seed ${seed}`).toEqual(sent.map(([kind, body]) => `${kind}:${body.toString('latin1')}`))
        expect(frames.unread).toBe(0)
        frames.end()
        expect(frames.next()).toBeUndefined()
      }
    }))

  test('of a hostile peer are valid ones, or a fault', () => {
    let faults = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = createRandom(seed)
      const parts = Array.from({ length: 1 + random(20) }, () => {
        const bytes = toBytes(KINDS[random(4)]!, Buffer.alloc(random(300)))
        // Most of the frames are valid, so that the faults are everywhere.
        if (random(8) === 0) bytes[random(5)] = random(256)
        return random(16) === 0 ? bytes.subarray(random(bytes.length)) : bytes
      })
      const bytes = Buffer.concat(parts)
      const frames = new StreamFrames(MAX_BODY)
      let total = 0
      try {
        feed(frames, bytes, random, text => {
          expect(text).toMatch(/^[1235]:/)
          expect(text.length).toBeLessThanOrEqual(MAX_BODY + 2)
          total += text.length - 2 + 5
        })
      } catch (error) {
        if (!isBusError(error, 'InvalidRequest')) throw error
        faults++
      }
      expect(total, `seed ${seed}`).toBeLessThanOrEqual(bytes.length)
    }
    expect(faults).toBeGreaterThan(SEEDS / 4)
  })
})
