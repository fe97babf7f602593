// Makes frames out of the parts that a ring brings, in memory that no other thread can reach. Small bodies are carved from
// a slab whose bytes are never used twice; bodies that may reach a user, and large ones, get a buffer of their own.
import { FRAME_KIND, isFrameKind, type FrameKind } from './frame.js'
import type { ReceivedFrame } from './link.js'
import { ringFault } from './ring.js'
import type { RingReader } from './ring-reader.js'
import { MAX_RING_BODY } from './ring-sender.js'

const SLAB_BYTES: number = 2 ** 16
const SMALL_BYTES: number = 2 ** 12

export class RingReceiver {
  readonly #reader: RingReader
  #slab: Uint8Array = new Uint8Array(0)
  #slabUsed = 0
  /** A frame whose parts are still coming: where the next one goes, and how many bytes are still to come. */
  #body: Uint8Array | undefined
  #kind: FrameKind = FRAME_KIND.json
  #filled = 0
  #rest = 0

  constructor(reader: RingReader) {
    this.#reader = reader
  }

  /** Copies the reader's current part; the frame, where it is whole with it. Throws where the part doesn't belong here. */
  take(): ReceivedFrame | undefined {
    const { length, tag, rest } = this.#reader
    if (this.#body) return this.#takeMore(this.#body, length, tag, rest)
    if (!isFrameKind(tag)) throw ringFault('a kind of frame that is none')
    if (rest === 0) {
      const body = this.#room(tag, length)
      this.#reader.copy(body, 0)
      return { kind: tag, body }
    }
    if (length === 0 || length + rest > MAX_RING_BODY) throw ringFault('a frame out of bounds')
    this.#body = Buffer.allocUnsafeSlow(length + rest)
    this.#kind = tag
    this.#reader.copy(this.#body, 0)
    this.#filled = length
    this.#rest = rest
    return undefined
  }

  #takeMore(body: Uint8Array, length: number, tag: number, rest: number): ReceivedFrame | undefined {
    if (tag !== this.#kind || length === 0 || length + rest !== this.#rest) throw ringFault('a part of no frame')
    this.#reader.copy(body, this.#filled)
    this.#filled += length
    this.#rest = rest
    if (rest !== 0) return undefined
    this.#body = undefined
    return { kind: this.#kind, body }
  }

  #room(kind: FrameKind, length: number): Uint8Array {
    // A user may give away or keep what comes out of msgpack; JSON and records are read, and gone.
    if (length > SMALL_BYTES || kind === FRAME_KIND.msgpack) return Buffer.allocUnsafeSlow(length)
    if (this.#slabUsed + length > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_BYTES)
      this.#slabUsed = 0
    }
    const from = this.#slabUsed
    this.#slabUsed += length
    return this.#slab.subarray(from, from + length)
  }
}
