// The producer's end of a ring. Its position is its own; of the consumer it reads one word, only where room seems short,
// and believes it only where it lies between what was written and what fits.
import { HEADER_BYTES, RING_WORD, SKIP, frameSize, ringFault, type RingMemory } from './ring.js'

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
    const need = frameSize(length)
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
    if (used > usedSeen || (tail & 7) !== 0) throw ringFault('a read position out of range')
    this.#tailSeen = tail
    return used
  }

  /** Gives the reserved frame to the consumer, with the `length` bytes that it got: at most as many as were reserved. */
  publish(kind: number, length: number, beside: number): void {
    const { control, words } = this.#ring
    const word = (this.#at - HEADER_BYTES) >> 2
    words[word] = (kind << 24) | length
    words[word + 1] = beside
    this.#head = (this.#head + frameSize(length)) | 0
    this.#written += frameSize(length)
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
