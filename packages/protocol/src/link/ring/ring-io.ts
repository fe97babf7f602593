// Frames over a ring: `RingSender` writes them in order, and holds those that do not fit without ever blocking in a loop.
// `RingReceiver` reads them into memory that no other thread can access.
import type { MessagePort } from 'node:worker_threads'
import { BusError } from '../../errors/bus-error.js'
import { RoomSignal } from '../../util/room-signal.js'
import {
  type Frame,
  FRAME_KIND,
  type FrameKind,
  isFrameKind,
  ownsWholeBuffer,
  type ReceivedFrame,
  SMALL_BODY_BYTES,
} from '../../wire/link.js'
import { MAX_OUT_OF_BAND_BYTES, OutOfBandReceiver, OutOfBandSender } from './out-of-band.js'
import { createRingError, HEADER_BYTES, type RingReader, type RingWriter } from './ring-buffer.js'

export class RingSender {
  readonly #writer: RingWriter
  readonly #outOfBand: OutOfBandSender
  /** Larger bodies travel out of band. */
  readonly #maxBodyBytes: number
  /** Frames that wait for room, from `#next` on. */
  #waiting: Frame[] = []
  #next = 0
  #waitingBytes = 0
  readonly #room = new RoomSignal()

  constructor(writer: RingWriter, port: MessagePort) {
    this.#writer = writer
    this.#outOfBand = new OutOfBandSender(port, writer)
    this.#maxBodyBytes = (writer.size >> 2) - HEADER_BYTES
  }

  /** True if no frame waits for room. */
  get isIdle(): boolean {
    return this.#waiting.length === 0
  }

  /**
   * Bytes that the consumer has not taken: waiting, in the ring, or out of band.
   *
   * @throws {BusError} InvalidRequest if the peer violated the protocol
   */
  get queued(): number {
    return this.#waitingBytes + this.#writer.unread() + this.#outOfBand.queued
  }

  /** Returns a promise that resolves when no frame waits, or `undefined` if none does. */
  room(): Promise<void> | undefined {
    return this.isIdle ? undefined : this.#room.promise
  }

  /** Resolves the promise of `room`: nothing waits any more, or the link has ended. */
  releaseRoom(): void {
    this.#room.release()
  }

  /** @throws {BusError} InvalidParams if the frame is too large; InvalidRequest if the peer violated the protocol */
  send({ kind, body: original }: Frame): void {
    const mayBeLarge = typeof original === 'string' && original.length * 3 > this.#maxBodyBytes
    const body = mayBeLarge ? Buffer.from(original) : original
    if (body.length > MAX_OUT_OF_BAND_BYTES) {
      throw new BusError('InvalidParams', `A frame of ${body.length} bytes is over the limit`)
    }
    if (!this.isIdle || !this.#write(kind, body)) this.#wait({ kind, body: toOwnBody(kind, body) })
    this.#writer.wake()
  }

  /** Wakes the peer if it sleeps: there are frames, or there is room. */
  wake(): void {
    this.#writer.wake()
  }

  /** Queues a frame. A first frame is tried again after `want`: the consumer could have made room before it was asked. */
  #wait(frame: Frame): void {
    this.#waitingBytes += frame.body.length
    if (this.#waiting.push(frame) === 1) this.#writeWaiting()
  }

  /** Writes waiting frames while there is room. Returns true if a frame was written. */
  flush(): boolean {
    if (this.isIdle || !this.#writeWaiting()) return false
    this.#writer.wake()
    return true
  }

  #writeWaiting(): boolean {
    let hasWritten = false
    let hasAsked = false
    while (this.#next < this.#waiting.length) {
      const { kind, body } = this.#waiting[this.#next]!
      if (this.#write(kind, body)) {
        this.#waiting[this.#next++] = undefined as never
        this.#waitingBytes -= body.length
        hasWritten = true
        continue
      }
      if (hasAsked) return hasWritten
      this.#writer.want()
      hasAsked = true
    }
    this.#waiting = []
    this.#next = 0
    this.releaseRoom()
    return hasWritten
  }

  #write(kind: FrameKind, body: Frame['body']): boolean {
    if (typeof body === 'string') {
      const offset = this.#writer.reserve(body.length * 3)
      if (offset < 0) return false
      this.#writer.publish(kind, this.#writer.bytes.write(body, offset, body.length * 3), 0)
      return true
    }
    // Attachments are transferred whatever their size.
    if (body.byteLength > this.#maxBodyBytes || kind === FRAME_KIND.bytes) return this.#outOfBand.send(kind, body)
    const offset = this.#writer.reserve(body.byteLength)
    if (offset < 0) return false
    this.#writer.bytes.set(body, offset)
    this.#writer.publish(kind, body.byteLength, 0)
    return true
  }
}

/** Copies a body that has to wait, because the caller can change it meanwhile. Records and attachments belong to the link already. */
function toOwnBody(kind: FrameKind, body: Frame['body']): Frame['body'] {
  if (typeof body === 'string' || kind === FRAME_KIND.sealed) return body
  return kind === FRAME_KIND.bytes && ownsWholeBuffer(body, 0) ? body : new Uint8Array(body)
}

const SLAB_BYTES: number = 2 ** 16

export class RingReceiver {
  readonly #reader: RingReader
  readonly #outOfBand: OutOfBandReceiver
  /** Memory for small bodies. No byte of a slab is used twice. */
  #slab: Buffer = Buffer.alloc(0)
  #slabUsed = 0

  constructor(reader: RingReader, port: MessagePort) {
    this.#reader = reader
    this.#outOfBand = new OutOfBandReceiver(port)
  }

  /** Starts receiving out-of-band bodies. No frame can be taken before. */
  listen(onError: (error: unknown) => void): void {
    this.#outOfBand.listen(onError)
  }

  /**
   * Returns the reader's current frame, wherever its bytes are.
   *
   * @throws {BusError} InvalidRequest if the frame is invalid
   */
  take(): ReceivedFrame {
    const { length, kind, outOfBandBytes } = this.#reader
    if (!isFrameKind(kind)) throw createRingError('invalid kind of frame')
    if (outOfBandBytes !== 0) {
      if (length !== 0 || outOfBandBytes > MAX_OUT_OF_BAND_BYTES) throw createRingError('a frame out of bounds')
      return { kind, body: this.#outOfBand.take(kind, outOfBandBytes) }
    }
    const body = this.#allocate(kind, length)
    this.#reader.copy(body, 0)
    return { kind, body }
  }

  #allocate(kind: FrameKind, length: number): Uint8Array {
    // A user can keep or transfer bytes that MessagePack decodes, but never sees the memory of JSON and records.
    if (length > SMALL_BODY_BYTES || kind === FRAME_KIND.msgpack) return Buffer.allocUnsafeSlow(length)
    if (this.#slabUsed + length > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
      this.#slabUsed = 0
    }
    const from = this.#slabUsed
    this.#slabUsed += length
    return this.#slab.subarray(from, from + length)
  }
}
