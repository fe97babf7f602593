// One ring: the memory of one direction between two threads that don't trust each other. Control words stand on cache
// lines of their own; positions only grow (mod 2^32), so full and empty never look alike. A frame is
// a header of 8 bytes (its kind and length; how many bytes lie beside the ring instead) and its bytes, contiguous, 8-aligned.
import { BusError } from '../../errors/bus-error.js'

/** Words of the control area: two cache lines apart, because processors fetch lines in pairs. */
export const RING_WORD = {
  /** Where the producer writes next. Written by the producer. */
  head: 0,
  /** Where the consumer reads next. Written by the consumer. */
  tail: 32,
  /** 1: the consumer's thread sleeps, or is about to. Set by it, cleared by whoever wakes it; the doorbell's word. */
  parked: 64,
  /** 1: the producer waits for room. Set by it, cleared by the consumer. */
  wanted: 96,
} as const

const CONTROL_BYTES = 512
const MIN_BYTES = 1024
const MAX_BYTES: number = 2 ** 24
/** 64 KiB to 1 MiB measured alike; this holds a turn's frames, and two of it fit a second-level cache. */
const RING_BYTES: number = 2 ** 18

export const HEADER_BYTES = 8
/** A header that says: nothing more up to the end of the memory. */
export const SKIP = -1
/** Of a header's first word: bits 0 to 23 are the length, the next seven the kind. */
const LENGTH_MASK = 0xff_ffff

/** What a frame of `length` bytes takes. */
export const getFrameSize = (length: number): number => (length + HEADER_BYTES + 7) & ~7

/** The error of whoever finds that the other side wrote nonsense. */
export const createRingError = (what: string): BusError =>
  new BusError('InvalidRequest', `The peer broke the ring: ${what}`)

export interface RingMemory {
  readonly control: Int32Array<SharedArrayBuffer>
  readonly words: Int32Array<SharedArrayBuffer>
  readonly bytes: Buffer<SharedArrayBuffer>
  /** A power of two. */
  readonly size: number
}

/** The memory of both directions; `bytes` is the room of each, a power of two from 1 KiB to 16 MiB. */
export function createRingBuffers(bytes: number = RING_BYTES): [SharedArrayBuffer, SharedArrayBuffer] {
  if (!isRingSize(bytes)) throw new RangeError(`A ring of ${bytes} bytes: take a power of two from 1 KiB to 16 MiB`)
  return [new SharedArrayBuffer(CONTROL_BYTES + bytes), new SharedArrayBuffer(CONTROL_BYTES + bytes)]
}

/** @throws BusError `InvalidRequest` where this is no memory of a ring */
export function openRing(buffer: SharedArrayBuffer): RingMemory {
  const size = buffer instanceof SharedArrayBuffer ? buffer.byteLength - CONTROL_BYTES : 0
  if (!isRingSize(size)) throw createRingError('no memory of a ring')
  return {
    control: new Int32Array(buffer, 0, CONTROL_BYTES >> 2),
    words: new Int32Array(buffer, CONTROL_BYTES, size >> 2),
    bytes: Buffer.from(buffer, CONTROL_BYTES, size),
    size,
  }
}

const isRingSize = (bytes: number): boolean =>
  Number.isInteger(bytes) && bytes >= MIN_BYTES && bytes <= MAX_BYTES && (bytes & (bytes - 1)) === 0

// The consumer's end of a ring. Every word that the producer wrote is read once and checked before it is used; what is read
// is copied to memory of this thread before anyone looks at it.

export class RingReader {
  readonly #ring: RingMemory
  /** Where the next frame begins, mod 2^32. */
  #tail: number
  /** Bytes from there that were published, as last seen. */
  #ready = 0
  /** How often this may look for more. */
  #looks = Number.POSITIVE_INFINITY
  /** Of the current frame: where its bytes are, how many, what they are, and how many lie beside the ring instead. */
  #at = 0
  length = 0
  kind = 0
  outOfBandBytes = 0

  constructor(ring: RingMemory) {
    this.#ring = ring
    this.#tail = Atomics.load(ring.control, RING_WORD.tail) & ~7
  }

  /**
   * Makes the next frame the current one; `false` where there is none.
   *
   * @throws BusError `InvalidRequest` where a position, a length or a flag of the producer is nonsense
   */
  next(): boolean {
    if (this.#ready === 0 && !this.#look()) return false
    const { size, words } = this.#ring
    let offset = this.#tail & (size - 1)
    let word = words[offset >> 2]!
    if (word === SKIP) {
      const skip = size - offset
      // What is skipped is published together with what comes after it.
      if (offset === 0 || skip >= this.#ready) throw createRingError('a skip out of range')
      this.#tail = (this.#tail + skip) | 0
      this.#ready -= skip
      offset = 0
      word = words[0]!
    }
    const length = word & LENGTH_MASK
    const need = getFrameSize(length)
    if (word < 0 || need > this.#ready || offset + need > size) throw createRingError('a length out of range')
    this.#at = offset + HEADER_BYTES
    this.length = length
    this.kind = word >>> 24
    this.outOfBandBytes = words[(offset >> 2) + 1]! >>> 0
    return true
  }

  #look(): boolean {
    if (this.#looks-- <= 0) return false
    const head = Atomics.load(this.#ring.control, RING_WORD.head)
    const ready = (head - this.#tail) >>> 0
    if (ready > this.#ring.size || (head & 7) !== 0) throw createRingError('a write position out of range')
    this.#ready = ready
    return ready !== 0
  }

  /** Copies the current frame's bytes to `target`, from `start` on. */
  copy(target: Uint8Array, start: number): void {
    this.#ring.bytes.copy(target, start, this.#at, this.#at + this.length)
  }

  /** Gives the current frame's room back; `true` where the producer waits for it and is to be woken. */
  release(): boolean {
    const { control, size } = this.#ring
    const need = getFrameSize(this.length)
    this.#tail = (this.#tail + need) | 0
    this.#ready -= need
    Atomics.store(control, RING_WORD.tail, this.#tail)
    // At half empty, not at the first free byte: a woken producer should have something to do.
    if (Atomics.load(control, RING_WORD.wanted) !== 1 || this.#ready > size >> 1) return false
    return Atomics.compareExchange(control, RING_WORD.wanted, 1, 0) === 1
  }

  /** Takes what one more look finds for all that will ever be. */
  freeze(): void {
    if (this.#looks > 1) this.#looks = 1
  }

  /** How far this has read, mod 2^32. */
  get position(): number {
    return this.#tail
  }

  /**
   * Whether there is something, for a thread that looks again and again: V8 calls an atomic load, and inlines this one. What
   * it sees may be late, so a thread that goes to sleep asks `empty`.
   */
  get mayHaveFrame(): boolean {
    return this.#ring.control[RING_WORD.head] !== this.#tail
  }

  get isEmpty(): boolean {
    return this.#tail === Atomics.load(this.#ring.control, RING_WORD.head)
  }

  /** Says that this thread goes to sleep. Look whether the ring is `empty` after that, never before. */
  park(): void {
    Atomics.store(this.#ring.control, RING_WORD.parked, 1)
  }

  /** Takes that back; `false` where the producer has rung already. */
  unpark(): boolean {
    return Atomics.compareExchange(this.#ring.control, RING_WORD.parked, 1, 0) === 1
  }
}

// The producer's end of a ring. Its position is its own; of the consumer it reads one word, only where room seems short,
// and believes it only where it lies between what was written and what fits.

export class RingWriter {
  readonly #ring: RingMemory
  /** Where the next frame begins, mod 2^32. */
  #head: number
  /** The consumer's position, as last seen. */
  #tailSeen: number
  /** All bytes that were ever written: unlike `#head` it never comes round again. */
  #written = 0
  /** Where the bytes of the reserved frame begin. */
  #at = 0

  constructor(ring: RingMemory) {
    this.#ring = ring
    this.#head = this.#tailSeen = Atomics.load(ring.control, RING_WORD.head) & ~7
  }

  /** The memory that `reserve` points into. */
  get bytes(): Buffer {
    return this.#ring.bytes
  }

  get size(): number {
    return this.#ring.size
  }

  /** The bytes that were ever written to the ring. */
  get written(): number {
    return this.#written
  }

  /**
   * Where up to `length` bytes may be written, or -1 where there is no room for them now.
   *
   * @throws BusError `InvalidRequest` where the consumer's position is nonsense
   */
  reserve(length: number): number {
    const { size, words } = this.#ring
    const need = getFrameSize(length)
    const offset = this.#head & (size - 1)
    const skip = offset + need > size ? size - offset : 0
    const usedSeen = (this.#head - this.#tailSeen) >>> 0
    if (usedSeen + skip + need > size) {
      if (this.unread() + skip + need > size) return -1
    }
    if (skip !== 0) {
      words[offset >> 2] = SKIP
      this.#head = (this.#head + skip) | 0
      this.#written += skip
    }
    this.#at = (this.#head & (size - 1)) + HEADER_BYTES
    return this.#at
  }

  /**
   * The bytes that the consumer has not read yet.
   *
   * @throws BusError `InvalidRequest` where its position is nonsense
   */
  unread(): number {
    const tail = Atomics.load(this.#ring.control, RING_WORD.tail)
    const [used, usedSeen] = [(this.#head - tail) >>> 0, (this.#head - this.#tailSeen) >>> 0]
    if (used > usedSeen || (tail & 7) !== 0) throw createRingError('a read position out of range')
    this.#tailSeen = tail
    return used
  }

  /** Gives the reserved frame to the consumer, with the `length` bytes that it got: at most as many as were reserved. */
  publish(kind: number, length: number, beside: number): void {
    const { control, words } = this.#ring
    const word = (this.#at - HEADER_BYTES) >> 2
    words[word] = (kind << 24) | length
    words[word + 1] = beside
    this.#head = (this.#head + getFrameSize(length)) | 0
    this.#written += getFrameSize(length)
    Atomics.store(control, RING_WORD.head, this.#head)
  }

  /** Asks the consumer to wake this thread when there is room. Look for room once more after that. */
  want(): void {
    Atomics.store(this.#ring.control, RING_WORD.wanted, 1)
  }

  /** The consumer's thread looks at the ring, or is about to: it needs no waking. */
  get peerAwake(): boolean {
    return Atomics.load(this.#ring.control, RING_WORD.parked) !== 1
  }

  /** Wakes the consumer's thread where it sleeps: to be called after whatever it should see. */
  wake(): void {
    const { control } = this.#ring
    if (Atomics.load(control, RING_WORD.parked) !== 1) return
    if (Atomics.compareExchange(control, RING_WORD.parked, 1, 0) === 1) Atomics.notify(control, RING_WORD.parked, 1)
  }
}
