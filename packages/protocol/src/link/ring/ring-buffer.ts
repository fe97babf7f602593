// One ring: the shared memory of one direction between two threads that do not trust each other. Control words have cache lines of
// their own. Positions only grow (mod 2^32), so a full ring never looks like an empty one. A frame is a header of 8 bytes and
// the body, contiguous and 8-aligned; a larger body takes several frames. The header holds kind and length of the part, and how many bytes of
// the body are still to come. A ring ends when its producer has finished it, or when its consumer has abandoned it, like a pipe.
import { BusError } from '../../errors/bus-error.js'
import { getTypeName } from '../../util/type-guards.js'
import { RING_BYTES } from '../../wire/limits.js'
import { SMALL_BODY_BYTES } from '../../wire/link.js'

/** Words of the control area, two cache lines apart, because processors fetch lines in pairs. */
export const RING_WORD = {
  /** The position of the next write. Written by the producer. */
  head: 0,
  /** 1 once the producer will write nothing more. Set by the producer, or by the host when the producer's thread has exited. */
  finished: 1,
  /** The position of the next read. Written by the consumer. */
  tail: 32,
  /** 1 once the consumer will read nothing more. Set by the consumer, or by the host when the consumer's thread has exited. */
  abandoned: 33,
  /** 1 if the consumer's thread sleeps, or is about to. Set by the consumer, cleared by the side that wakes it; the doorbell's word. */
  parked: 64,
  /** 1 if the producer waits for room. Set by the producer, cleared by the side that wakes it; the word of the producer's doorbell. */
  wanted: 96,
} as const

const CONTROL_BYTES = 512
const MIN_BYTES = 1024
const MAX_BYTES: number = 2 ** 24

export const HEADER_BYTES = 8
/** A header that skips the rest of the memory. */
export const SKIP = -1
/** Length in a header's first word: bits 0 to 23. The next seven bits are the kind. */
const LENGTH_MASK = 0xff_ffff

export const getFrameSize = (length: number): number => (length + HEADER_BYTES + 7) & ~7

export const createRingError = (what: string): BusError =>
  new BusError('InvalidRequest', `The peer violated the ring protocol: ${what}`)

export interface RingMemory {
  readonly control: Int32Array<SharedArrayBuffer>
  readonly words: Int32Array<SharedArrayBuffer>
  readonly bytes: Buffer<SharedArrayBuffer>
  /** A power of two. */
  readonly size: number
}

/** Allocates the memory of one ring. @param bytes - a power of two from 1 KiB to 16 MiB */
export function createRingBuffer(bytes: number = RING_BYTES): SharedArrayBuffer {
  if (!isRingSize(bytes)) throw new RangeError(`A ring of ${bytes} bytes: take a power of two from 1 KiB to 16 MiB`)
  return new SharedArrayBuffer(CONTROL_BYTES + bytes)
}

/** @throws {BusError} InvalidRequest if the buffer is not the memory of a ring */
export function openRing(buffer: SharedArrayBuffer): RingMemory {
  const size = getTypeName(buffer) === 'SharedArrayBuffer' ? buffer.byteLength - CONTROL_BYTES : 0
  if (!isRingSize(size)) throw createRingError('invalid ring memory')
  return {
    control: new Int32Array(buffer, 0, CONTROL_BYTES >> 2),
    words: new Int32Array(buffer, CONTROL_BYTES, size >> 2),
    bytes: Buffer.from(buffer, CONTROL_BYTES, size),
    size,
  }
}

const isRingSize = (bytes: number): boolean =>
  Number.isInteger(bytes) && bytes >= MIN_BYTES && bytes <= MAX_BYTES && (bytes & (bytes - 1)) === 0

/**
 * The consumer's end of a ring. Each word of the producer is read once and checked before use, because the producer can change it at
 * any time. An invalid one throws a `BusError` InvalidRequest. Bodies are copied to memory of this thread before anything reads them.
 */
export class RingReader {
  readonly #ring: RingMemory
  readonly #control: RingMemory['control']
  /** The ring's bytes as V8's own class, whose `subarray` is not Node's. */
  readonly #plainBytes: Uint8Array
  /** Position of the next frame, mod 2^32. */
  position: number
  #ready = 0
  #bodyOffset = 0
  #frameSize = 0
  length = 0
  kind = 0
  /** Bytes of the body that follow in further frames. */
  remaining = 0

  constructor(ring: RingMemory) {
    this.#ring = ring
    this.#control = ring.control
    this.#plainBytes = new Uint8Array(ring.bytes.buffer, ring.bytes.byteOffset, ring.size)
    this.position = Atomics.load(ring.control, RING_WORD.tail) & ~7
  }

  /** Makes the next frame the current one. Returns false if there is no frame. */
  next(): boolean {
    const { size, words } = this.#ring
    if (this.#ready === 0) {
      const head = Atomics.load(this.#control, RING_WORD.head)
      if (head === this.position) return false
      const ready = (head - this.position) >>> 0
      if (ready > size || (head & 7) !== 0) throw createRingError('a write position out of range')
      this.#ready = ready
    }
    let offset = this.position & (size - 1)
    let word = words[offset >> 2]!
    if (word === SKIP) {
      const skip = size - offset
      // A skip is published together with the frame after it.
      if (offset === 0 || skip >= this.#ready) throw createRingError('a skip out of range')
      this.position = (this.position + skip) | 0
      this.#ready -= skip
      offset = 0
      word = words[0]!
    }
    const length = word & LENGTH_MASK
    const frameSize = getFrameSize(length)
    if (word < 0 || frameSize > this.#ready || offset + frameSize > size) throw createRingError('a length out of range')
    this.#bodyOffset = offset + HEADER_BYTES
    this.#frameSize = frameSize
    this.length = length
    this.kind = word >>> 24
    this.remaining = words[(offset >> 2) + 1]! >>> 0
    return true
  }

  /** Returns the body, one character a byte. It is read once, so that the producer cannot change what was checked. */
  readLatin1(): string {
    return this.#ring.bytes.toString('latin1', this.#bodyOffset, this.#bodyOffset + this.length)
  }

  copy(target: Uint8Array, start: number): void {
    const end = this.#bodyOffset + this.length
    // Node's `copy` is the faster one for many bytes, but enters ten functions.
    if (this.length <= SMALL_BODY_BYTES) target.set(this.#plainBytes.subarray(this.#bodyOffset, end), start)
    else this.#ring.bytes.copy(target, start, this.#bodyOffset, end)
  }

  /** Releases the room of the current frame, and wakes the producer if it waits for room. */
  release(): void {
    const control = this.#control
    this.position = (this.position + this.#frameSize) | 0
    this.#ready -= this.#frameSize
    Atomics.store(control, RING_WORD.tail, this.position)
    // Half empty rather than at the first free byte, so that a woken producer can write more than one frame.
    if (Atomics.load(control, RING_WORD.wanted) !== 1) return
    if (this.#ready <= this.#ring.size >> 1) ring(control, RING_WORD.wanted)
  }

  /** True if the producer will write nothing more. Read all frames after this, never before. */
  get isFinished(): boolean {
    return Atomics.load(this.#control, RING_WORD.finished) !== 0
  }

  abandon(): void {
    Atomics.store(this.#control, RING_WORD.abandoned, 1)
    ringAll(this.#control, RING_WORD.wanted)
  }

  /**
   * True if there seems to be a frame, for a thread that polls: V8 inlines this plain load, but calls an atomic one. The value can be
   * stale, so a thread that is about to sleep checks `isEmpty`.
   */
  get mayHaveFrame(): boolean {
    return this.#control[RING_WORD.head] !== this.position
  }

  get isEmpty(): boolean {
    return this.position === Atomics.load(this.#control, RING_WORD.head)
  }

  /** Announces that this thread will sleep. `isEmpty` must be checked after that, never before. */
  park(): void {
    Atomics.store(this.#control, RING_WORD.parked, 1)
  }

  /** Revokes `park`. Returns false if the producer has already rung the doorbell. */
  unpark(): boolean {
    return Atomics.compareExchange(this.#control, RING_WORD.parked, 1, 0) === 1
  }
}

/**
 * The producer's end of a ring. It keeps its own position. It reads the consumer's position only when room seems short, and accepts
 * only a value between the last one and its own. Any other value throws a `BusError` InvalidRequest.
 */
export class RingWriter {
  readonly #ring: RingMemory
  readonly bytes: Buffer
  /** Position of the next frame, mod 2^32. */
  position: number
  #tailSeen: number
  #bodyOffset = 0

  constructor(ring: RingMemory) {
    this.#ring = ring
    this.bytes = ring.bytes
    this.position = this.#tailSeen = Atomics.load(ring.control, RING_WORD.head) & ~7
  }

  /** Returns the offset for a body of up to `length` bytes, or -1 if there is no room at present. */
  reserve(length: number): number {
    const { size, words } = this.#ring
    const frameSize = getFrameSize(length)
    const offset = this.position & (size - 1)
    const skip = offset + frameSize > size ? size - offset : 0
    const usedSeen = (this.position - this.#tailSeen) >>> 0
    if (usedSeen + skip + frameSize > size && this.unread() + skip + frameSize > size) return -1
    if (skip !== 0) {
      words[offset >> 2] = SKIP
      this.position = (this.position + skip) | 0
    }
    this.#bodyOffset = (this.position & (size - 1)) + HEADER_BYTES
    return this.#bodyOffset
  }

  unread(): number {
    const tail = Atomics.load(this.#ring.control, RING_WORD.tail)
    const [used, usedSeen] = [(this.position - tail) >>> 0, (this.position - this.#tailSeen) >>> 0]
    if (used > usedSeen || (tail & 7) !== 0) throw createRingError('a read position out of range')
    this.#tailSeen = tail
    return used
  }

  /** Publishes the reserved frame with `length` bytes of a body, at most as many as reserved. `remaining` ones follow in further frames. */
  publish(kind: number, length: number, remaining: number): void {
    const { control, words } = this.#ring
    const word = (this.#bodyOffset - HEADER_BYTES) >> 2
    words[word] = (kind << 24) | length
    words[word + 1] = remaining
    this.position = (this.position + getFrameSize(length)) | 0
    Atomics.store(control, RING_WORD.head, this.position)
  }

  /** Requests to be woken when there is room. Check for room once more after that. */
  want(): void {
    Atomics.store(this.#ring.control, RING_WORD.wanted, 1)
  }

  /** True if the consumer's thread polls the ring, or is about to, so that it needs no doorbell. */
  get peerAwake(): boolean {
    return Atomics.load(this.#ring.control, RING_WORD.parked) !== 1
  }

  /** Wakes the consumer's thread if it sleeps. Call this after writing whatever the thread should see. */
  wake(): void {
    const { control } = this.#ring
    if (Atomics.load(control, RING_WORD.parked) === 1) ring(control, RING_WORD.parked)
  }

  get isAbandoned(): boolean {
    return Atomics.load(this.#ring.control, RING_WORD.abandoned) !== 0
  }

  finish(): void {
    const { control } = this.#ring
    Atomics.store(control, RING_WORD.finished, 1)
    ringAll(control, RING_WORD.parked)
  }
}

/** Wakes the thread that waits for the doorbell of this word, once. */
function ring(control: RingMemory['control'], word: number): void {
  if (Atomics.compareExchange(control, word, 1, 0) === 1) Atomics.notify(control, word, 1)
}

/** Wakes every thread that waits for the doorbell of this word. A hostile peer can have cleared the word, or wait for it many times. */
function ringAll(control: RingMemory['control'], word: number): void {
  Atomics.store(control, word, 0)
  Atomics.notify(control, word)
}

/** Ends a thread's rings on its behalf, after it has exited: it writes nothing more to `out`, and reads nothing more from `in`. */
export function endRings(out: SharedArrayBuffer, inward: SharedArrayBuffer): void {
  new RingWriter(openRing(out)).finish()
  new RingReader(openRing(inward)).abandon()
}

/** True if a thread has ended both of its rings. It can have done so without waking those who sleep at them. */
export const areRingsEnded = (out: SharedArrayBuffer, inward: SharedArrayBuffer): boolean =>
  Atomics.load(openRing(out).control, RING_WORD.finished) !== 0 && new RingWriter(openRing(inward)).isAbandoned
