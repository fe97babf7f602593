// Writes frames into a ring, in order, and what is large for it beside it. What does not fit waits here, never in a loop.
import type { MessagePort } from 'node:worker_threads'
import { BusError } from '../../errors/bus-error.js'
import { RoomSignal } from '../../util/room-signal.js'
import { type Frame, FRAME_KIND, type FrameKind, ownsWholeBuffer, isFrameKind } from '../../wire/link.js'
import type { ReceivedFrame } from '../../wire/link.js'
import { OutOfBandReceiver, OutOfBandSender, MAX_OUT_OF_BAND_BYTES } from './out-of-band.js'
import { HEADER_BYTES, createRingError, type RingReader, type RingWriter } from './ring-buffer.js'

export class RingSender {
  readonly #writer: RingWriter
  readonly #beside: OutOfBandSender
  /** Bytes that go into the ring at most. */
  readonly #most: number
  /** Frames that wait for room, from `#next` on. */
  #waiting: Frame[] = []
  #next = 0
  #waitingBytes = 0
  readonly #room = new RoomSignal()

  constructor(writer: RingWriter, port: MessagePort) {
    this.#writer = writer
    this.#beside = new OutOfBandSender(port, writer)
    this.#most = (writer.size >> 2) - HEADER_BYTES
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0
  }

  /** Bytes that the consumer has not taken, wherever they are. @throws BusError `InvalidRequest` where the peer broke the ring */
  get queued(): number {
    return this.#waitingBytes + this.#writer.unread() + this.#beside.queued
  }

  /** Resolves once nothing waits here; none where nothing does. */
  room(): Promise<void> | undefined {
    if (this.isIdle) return undefined
    return this.#room.promise
  }

  /** Nothing waits any more, or waits in vain. */
  releaseRoom(): void {
    this.#room.release()
  }

  /** @throws BusError `InvalidParams` where the frame is too large, `InvalidRequest` where the peer broke the ring */
  send({ kind, body: given }: Frame): void {
    const body = typeof given === 'string' && given.length * 3 > this.#most ? Buffer.from(given) : given
    if (body.length > MAX_OUT_OF_BAND_BYTES) {
      throw new BusError('InvalidParams', `A frame of ${body.length} bytes is over the limit`)
    }
    if (!this.isIdle || !this.#write(kind, body)) this.#wait({ kind, body: kept(kind, body) })
    this.#writer.wake()
  }

  /** Wakes the peer where it sleeps: for frames or for room. */
  wake(): void {
    this.#writer.wake()
  }

  /** A frame must not wait unless the consumer knows: so it is asked for room, and then looked for once more. */
  #wait(frame: Frame): void {
    this.#waitingBytes += frame.body.length
    if (this.#waiting.push(frame) === 1) this.#writeWaiting()
  }

  /** Writes what waits, as far as there is room; `true` where something was written. */
  flush(): boolean {
    if (this.isIdle || !this.#writeWaiting()) return false
    this.#writer.wake()
    return true
  }

  #writeWaiting(): boolean {
    let wrote = false
    let asked = false
    while (this.#next < this.#waiting.length) {
      const { kind, body } = this.#waiting[this.#next]!
      if (this.#write(kind, body)) {
        this.#waiting[this.#next++] = undefined as never
        this.#waitingBytes -= body.length
        wrote = true
        continue
      }
      if (asked) return wrote
      this.#writer.want()
      asked = true
    }
    this.#waiting = []
    this.#next = 0
    this.releaseRoom()
    return wrote
  }

  #write(kind: Frame['kind'], body: Frame['body']): boolean {
    if (typeof body === 'string') {
      const at = this.#writer.reserve(body.length * 3)
      if (at < 0) return false
      this.#writer.publish(kind, this.#writer.bytes.write(body, at, body.length * 3), 0)
      return true
    }
    // Attachments are given away, however small: their memory goes with them.
    if (body.byteLength > this.#most || kind === FRAME_KIND.bytes) return this.#beside.send(kind, body)
    const at = this.#writer.reserve(body.byteLength)
    if (at < 0) return false
    this.#writer.bytes.set(body, at)
    this.#writer.publish(kind, body.byteLength, 0)
    return true
  }
}

/** What waits is this link's own: the caller may change what it keeps. Records and attachments are given with the frame. */
function kept(kind: Frame['kind'], body: Frame['body']): Frame['body'] {
  if (typeof body === 'string' || kind === FRAME_KIND.sealed) return body
  return kind === FRAME_KIND.bytes && ownsWholeBuffer(body, 0) ? body : new Uint8Array(body)
}

// Makes frames out of what a ring brings, in memory that no other thread can reach. Small bodies are carved from a slab
// whose bytes are never used twice; bodies that may reach a user, and large ones, get a buffer of their own.

const SLAB_BYTES: number = 2 ** 16
const SMALL_BYTES: number = 2 ** 12

export class RingReceiver {
  readonly #reader: RingReader
  readonly #beside: OutOfBandReceiver
  #slab: Buffer = Buffer.alloc(0)
  #slabUsed = 0

  constructor(reader: RingReader, port: MessagePort) {
    this.#reader = reader
    this.#beside = new OutOfBandReceiver(port)
  }

  /** Nothing may be taken before: what lies beside the ring would not be there. */
  listen(fail: (error: unknown) => void): void {
    this.#beside.listen(fail)
  }

  /** The reader’s current frame, with its bytes wherever they are. @throws BusError `InvalidRequest` where that is none */
  take(): ReceivedFrame {
    const { length, kind, outOfBandBytes } = this.#reader
    if (!isFrameKind(kind)) throw createRingError('a kind of frame that is none')
    if (outOfBandBytes !== 0) {
      if (length !== 0 || outOfBandBytes > MAX_OUT_OF_BAND_BYTES) throw createRingError('a frame out of bounds')
      return { kind, body: this.#beside.take(kind, outOfBandBytes) }
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
