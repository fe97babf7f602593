// Makes frames out of what a ring brings, in memory that no other thread can reach. Small bodies are carved from a slab
// whose bytes are never used twice; bodies that may reach a user, and large ones, get a buffer of their own.
import type { MessagePort } from 'node:worker_threads'
import { FRAME_KIND, type FrameKind, isFrameKind } from './frame.js'
import type { ReceivedFrame } from './link.js'
import { BesideReceiver, MAX_BESIDE_BYTES } from './ring-beside.js'
import type { RingReader } from './ring-reader.js'
import { ringFault } from './ring.js'

const SLAB_BYTES: number = 2 ** 16
const SMALL_BYTES: number = 2 ** 12

export class RingReceiver {
  readonly #reader: RingReader
  readonly #beside: BesideReceiver
  #slab: Buffer = Buffer.alloc(0)
  #slabUsed = 0

  constructor(reader: RingReader, port: MessagePort) {
    this.#reader = reader
    this.#beside = new BesideReceiver(port)
  }

  /** Nothing may be taken before: what lies beside the ring would not be there. */
  listen(fail: (error: unknown) => void): void {
    this.#beside.listen(fail)
  }

  /** The reader’s current frame, with its bytes wherever they are. @throws BusError `InvalidRequest` where that is none */
  take(): ReceivedFrame {
    const { length, kind, beside } = this.#reader
    if (!isFrameKind(kind)) throw ringFault('a kind of frame that is none')
    if (beside !== 0) {
      if (length !== 0 || beside > MAX_BESIDE_BYTES) throw ringFault('a frame out of bounds')
      return { kind, body: this.#beside.take(kind, beside) }
    }
    const body = this.#room(kind, length)
    this.#reader.copy(body, 0)
    return { kind, body }
  }

  #room(kind: FrameKind, length: number): Uint8Array {
    // A user may give away or keep what comes out of msgpack; JSON and records are read, and gone.
    if (length > SMALL_BYTES || kind === FRAME_KIND.msgpack) return Buffer.allocUnsafeSlow(length)
    if (this.#slabUsed + length > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
      this.#slabUsed = 0
    }
    const from = this.#slabUsed
    this.#slabUsed += length
    return this.#slab.subarray(from, from + length)
  }
}
