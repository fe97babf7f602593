// The consumer's end of a ring. Every word that the producer wrote is read once and checked before it is used; what is read
// is copied to memory of this thread before anyone looks at it.
import { HEADER_BYTES, LENGTH_MASK, RING_WORD, SKIP, frameSize, ringFault, type RingMemory } from './ring.js'

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
  beside = 0

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
      if (offset === 0 || skip >= this.#ready) throw ringFault('a skip out of range')
      this.#tail = (this.#tail + skip) | 0
      this.#ready -= skip
      offset = 0
      word = words[0]!
    }
    const length = word & LENGTH_MASK
    const need = frameSize(length)
    if (word < 0 || need > this.#ready || offset + need > size) throw ringFault('a length out of range')
    this.#at = offset + HEADER_BYTES
    this.length = length
    this.kind = word >>> 24
    this.beside = words[(offset >> 2) + 1]! >>> 0
    return true
  }

  #look(): boolean {
    if (this.#looks-- <= 0) return false
    const head = Atomics.load(this.#ring.control, RING_WORD.head)
    const ready = (head - this.#tail) >>> 0
    if (ready > this.#ring.size || (head & 7) !== 0) throw ringFault('a write position out of range')
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
    const need = frameSize(this.length)
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
  get stirs(): boolean {
    return this.#ring.control[RING_WORD.head] !== this.#tail
  }

  get empty(): boolean {
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
