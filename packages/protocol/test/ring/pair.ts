// A pair of ring links within one thread.
import type { Link } from '../../src/wire/link.js'
import { createRingBuffer, RING_WORD } from '../../src/link/ring/ring-buffer.js'
import type { PollMode } from '../../src/link/ring/polling.js'
import { RingLink } from '../../src/link/ring/ring-link.js'

interface PairOptions {
  /** Bytes of each ring. */
  bytes?: number
  poll?: PollMode
  /** The first position of both rings. */
  position?: number
}

export function createRingPair({ bytes, poll = 'adaptive', position = 0 }: PairOptions = {}): [Link, Link] {
  const [forward, backward] = [createRingBuffer(bytes), createRingBuffer(bytes)]
  for (const ring of [forward, backward]) {
    const control = new Int32Array(ring)
    control[RING_WORD.head] = control[RING_WORD.tail] = position
  }
  return [new RingLink({ out: forward, in: backward, poll }, true), new RingLink({ out: backward, in: forward, poll })]
}
