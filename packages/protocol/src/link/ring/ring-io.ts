// Frames over a ring: `RingSender` writes them in order, and holds those that do not fit without ever blocking in a loop.
// `RingReceiver` reads them into memory that no other thread can access. A body that is large for the ring is copied in parts, so
// that both need no more of the ring's memory than there is.
import { BusError } from '../../errors/bus-error.js'
import { BodyBuffer } from '../../util/body-buffer.js'
import { BoundedQueue } from '../../util/bounded-queue.js'
import { RoomSignal } from '../../wire/flow.js'
import { MAX_BODY_BYTES } from '../../wire/limits.js'
import {
  type Frame,
  getHeadroom,
  LINGER_MS,
  ownsWholeBuffer,
  type ReceivedFrame,
  SMALL_BODY_BYTES,
} from '../../wire/link.js'
import { FRAME_KIND, type FrameKind, isFrameKind } from '../../wire/messages.js'
import { RingDoorbell } from './polling.js'
import { createRingError, HEADER_BYTES, RING_WORD, type RingMemory, RingReader, RingWriter } from './ring-buffer.js'

/** Both threads copy at the same time if a large body has several parts. */
const MAX_PART_BYTES: number = 2 ** 16 - HEADER_BYTES

/**
 * Kind of a frame in the ring whose body is JSON in ASCII, whole: it is read as a string, with one copy and without a check. A peer that
 * writes other bytes sends other characters, which are valid ones.
 */
const ASCII_JSON = 0x41

export class RingSender extends RingWriter {
  readonly #doorbell: RingDoorbell
  /** A body that can be larger is written in parts. A shorter text is encoded in the ring itself. */
  readonly #maxBytes: number
  readonly #waiting = new BoundedQueue<Frame>()
  #written = 0
  readonly #room = new RoomSignal()
  /** Set by `finishWhenIdle`: to be called when nothing waits any more. */
  #onFinished: (() => void) | undefined
  #linger: NodeJS.Timeout | undefined

  /** @param onFault - called with the error if the peer violated the protocol while frames waited */
  constructor(ring: RingMemory, onFault: (error: unknown) => void) {
    super(ring)
    this.#maxBytes = (ring.size >> 2) - HEADER_BYTES
    this.#doorbell = new RingDoorbell(ring, RING_WORD.wanted, () => {
      try {
        this.flush()
      } catch (error) {
        onFault(error)
      }
    })
  }

  /** True if no frame waits for room. */
  get isIdle(): boolean {
    return this.#waiting.size === 0
  }

  /** Bytes that the consumer has not taken: waiting, or in the ring. 0 if it will take nothing more. */
  get queued(): number {
    return this.isAbandoned ? 0 : this.#waiting.bytes + this.unread()
  }

  room(): Promise<void> | undefined {
    return this.isIdle ? undefined : this.#room.promise
  }

  /** @throws {BusError} InvalidParams if the frame is too large; InvalidRequest if the peer violated the protocol */
  send({ kind, body: original, borrowed = false }: Frame): void {
    const mayBeLarge = typeof original === 'string' && original.length * 3 > this.#maxBytes
    const body = mayBeLarge ? Buffer.from(original) : original
    if (body.length > MAX_BODY_BYTES) {
      throw new BusError('InvalidParams', `A frame of ${body.length} bytes is over the limit`)
    }
    if (!this.isIdle || !this.#write(kind, body)) {
      const isFirst = this.isIdle
      this.#waiting.push({ kind, body: mayBeLarge ? body : toOwnBody(kind, body, borrowed) }, body.length)
      if (isFirst) this.flush()
    }
    this.wake()
  }

  /** Writes waiting frames while there is room, and asks to be woken when there is more. */
  flush(): void {
    if (this.isIdle) return
    const position = this.position
    // Tried once more after `want`: the consumer could have made room before it was asked.
    if (!this.#writeWaiting()) {
      this.want()
      if (!this.#writeWaiting()) this.#doorbell.listen()
    }
    const hasWritten = this.position !== position
    if (hasWritten) this.wake()
    if (hasWritten) this.#linger?.refresh()
    if (this.isIdle || this.isAbandoned) this.drop()
  }

  /** Ends the ring once nothing waits any more, or the consumer has taken nothing for some time. */
  finishWhenIdle(onFinished: () => void): void {
    this.#onFinished = onFinished
    if (this.isIdle) return this.drop()
    this.#linger = setTimeout(() => this.drop(), LINGER_MS)
  }

  /** Drops what waits, if anything: the consumer will not read it. */
  drop(): void {
    this.#waiting.clear()
    this.#written = 0
    this.#room.release()
    const onFinished = this.#onFinished
    if (!onFinished) return
    this.#onFinished = undefined
    clearTimeout(this.#linger)
    this.#doorbell.stop()
    this.finish()
    onFinished()
  }

  #writeWaiting(): boolean {
    for (let frame = this.#waiting.peek(); frame; frame = this.#waiting.peek()) {
      if (!this.#write(frame.kind, frame.body)) return false
      this.#waiting.shift()
    }
    return true
  }

  /** Writes a body, or the rest of it. Returns false if the ring is full before its end. */
  #write(kind: FrameKind, body: Frame['body']): boolean {
    if (typeof body === 'string') {
      const offset = this.reserve(body.length * 3)
      if (offset < 0) return false
      const length = this.bytes.write(body, offset, body.length * 3)
      this.publish(kind === FRAME_KIND.json && length === body.length ? ASCII_JSON : kind, length, 0)
      return true
    }
    for (;;) {
      const start = this.#written
      const length = Math.min(body.byteLength - start, this.#maxBytes, MAX_PART_BYTES)
      const offset = this.reserve(length)
      if (offset < 0) return false
      this.bytes.set(length === body.byteLength ? body : body.subarray(start, start + length), offset)
      this.#written = start + length
      const remaining = body.byteLength - this.#written
      this.publish(kind, length, remaining)
      if (remaining === 0) break
      // The consumer copies this part while the next one is written.
      this.wake()
    }
    this.#written = 0
    return true
  }
}

/** Copies a body that has to wait, because the caller can change it meanwhile. Records and attachments belong to the link already. */
function toOwnBody(kind: FrameKind, body: Frame['body'], isBorrowed: boolean): Frame['body'] {
  if (typeof body === 'string' || kind === FRAME_KIND.sealed) return body
  return kind === FRAME_KIND.bytes && !isBorrowed && ownsWholeBuffer(body, 0) ? body : new Uint8Array(body)
}

const SLAB_BYTES: number = 2 ** 16

export class RingReceiver extends RingReader {
  /** True if JSON and records are read before the next frame is taken. */
  reusesMemory = false
  /** Memory for small bodies. No byte of a slab is used twice, unless it is reused for each frame. */
  #slab: Uint8Array = new Uint8Array(0)
  #slabUsed = 0
  #body: BodyBuffer | undefined
  #kind = 0

  /** Takes the current frame. Returns `undefined` if further parts of its body have to arrive. */
  take(): ReceivedFrame | undefined {
    const { length, kind, remaining } = this
    if (kind === ASCII_JSON && remaining === 0 && !this.#body) return { kind: FRAME_KIND.json, body: this.readLatin1() }
    if (!isFrameKind(kind)) throw createRingError('invalid kind of frame')
    if (this.#body || remaining > 0) return this.#takePart(kind, length, remaining)
    const body = this.#allocate(kind, length)
    this.copy(body, 0)
    return { kind, body }
  }

  #takePart(kind: FrameKind, length: number, remaining: number): ReceivedFrame | undefined {
    const isFirst = !this.#body
    if (isFirst && length + remaining > MAX_BODY_BYTES) throw createRingError('a frame out of bounds')
    this.#body ??= new BodyBuffer(length + remaining, getHeadroom(kind))
    if (isFirst) this.#kind = kind
    const body = this.#body
    // A part without bytes would let the sender occupy this thread for ever.
    const isNext = length > 0 && kind === this.#kind && remaining === body.missing - length
    if (!isNext) throw createRingError('a part out of order')
    this.copy(body.reserve(length), 0)
    if (remaining > 0) return undefined
    this.#body = undefined
    return { kind, body: body.complete() }
  }

  #allocate(kind: FrameKind, length: number): Uint8Array {
    // A user can keep or transfer bytes that MessagePack decodes, but never sees the memory of JSON and records.
    const isKept = kind === FRAME_KIND.msgpack || kind === FRAME_KIND.bytes
    if (isKept || length > (this.reusesMemory ? SLAB_BYTES : SMALL_BODY_BYTES)) return Buffer.allocUnsafeSlow(length)
    if (this.reusesMemory) this.#slabUsed = 0
    if (this.#slabUsed + length > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_BYTES)
      this.#slabUsed = 0
    }
    const from = this.#slabUsed
    this.#slabUsed += length
    return this.#slab.subarray(from, from + length)
  }
}
