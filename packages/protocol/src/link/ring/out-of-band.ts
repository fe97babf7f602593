// Frames that are too large for a ring: their memory is transferred over the port, and a header in the ring, written after that,
// announces them, so that order is the ring's. The sender bounds what is in flight, because it sees from the ring what was taken. The
// receiver treats anything beyond that bound as a fault.
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { isArrayBuffer } from '../../util/type-guards.js'
import { MAX_ATTACHED_BYTES } from '../../wire/limits.js'
import { FRAME_KIND, type FrameKind, getHeadroom, ownsWholeBuffer, RECORD_HEADROOM } from '../../wire/link.js'
import { createRingError, type RingWriter } from './ring-buffer.js'

/** Maximum bytes of a body: the largest attachment, and a record's header and tag around it. */
export const MAX_OUT_OF_BAND_BYTES: number = MAX_ATTACHED_BYTES + 4096
/** Maximum bytes in flight. A single larger frame is accepted. */
const WINDOW_BYTES: number = 2 ** 25
/** Maximum number of frames in flight. */
const WINDOW_FRAMES = 64

export class OutOfBandSender {
  readonly #port: MessagePort
  readonly #writer: RingWriter
  /** Frames that the peer has not taken. `end` is the total written to the ring including the frame's header. */
  #inFlight: { end: number; size: number }[] = []
  #bytes = 0

  constructor(port: MessagePort, writer: RingWriter) {
    this.#port = port
    this.#writer = writer
  }

  /**
   * Sends a frame. Returns false if there is no room at present.
   *
   * @throws {BusError} InvalidRequest if the consumer's position is invalid
   * @throws whatever the port throws for memory that cannot be transferred; nothing is announced then
   */
  send(kind: FrameKind, body: Uint8Array): boolean {
    const size = body.byteLength
    if (!this.#hasRoom(size) || this.#writer.reserve(0) < 0) return false
    const headroom = getHeadroom(kind)
    const isOwned = kind === FRAME_KIND.bytes || kind === FRAME_KIND.sealed
    const { buffer } = isOwned && ownsWholeBuffer(body, headroom) ? body : copyBytes(body, headroom)
    this.#port.postMessage(buffer, [buffer])
    this.#writer.publish(kind, 0, size)
    this.#inFlight.push({ end: this.#writer.written, size })
    this.#bytes += size
    return true
  }

  /**
   * Bytes that the peer has not taken.
   *
   * @throws {BusError} InvalidRequest if the consumer's position is invalid
   */
  get queued(): number {
    if (this.#inFlight.length > 0) this.#forgetTaken()
    return this.#bytes
  }

  #forgetTaken(): void {
    const read = this.#writer.written - this.#writer.unread()
    while (this.#inFlight.length > 0 && this.#inFlight[0]!.end <= read) this.#bytes -= this.#inFlight.shift()!.size
  }

  #hasRoom(size: number): boolean {
    if (this.#inFlight.length === 0) return true
    this.#forgetTaken()
    const count = this.#inFlight.length
    return count === 0 || (count < WINDOW_FRAMES && this.#bytes + size <= WINDOW_BYTES)
  }
}

function copyBytes(body: Uint8Array, headroom: number): Uint8Array<ArrayBuffer> {
  const copy = Buffer.allocUnsafeSlow(headroom + body.byteLength)
  copy.set(body, headroom)
  return copy
}

export class OutOfBandReceiver {
  readonly #port: MessagePort
  /** Bodies that arrived before their announcement was read. */
  readonly #arrived: ArrayBuffer[] = []
  #bytes = 0

  constructor(port: MessagePort) {
    this.#port = port
  }

  /** Starts receiving. Nothing can be taken before. */
  listen(onError: (error: unknown) => void): void {
    this.#port.on('message', (data: unknown) => {
      try {
        this.#keep(data)
      } catch (error) {
        onError(error)
      }
    })
    this.#port.on('messageerror', () => onError(createRingError('unreadable out-of-band bytes')))
  }

  #keep(data: unknown): void {
    if (!isArrayBuffer(data)) throw createRingError('missing out-of-band bytes')
    this.#bytes += data.byteLength
    const count = this.#arrived.push(data)
    const maxBytes = count > 1 ? WINDOW_BYTES + count * RECORD_HEADROOM : MAX_OUT_OF_BAND_BYTES + RECORD_HEADROOM
    if (count > WINDOW_FRAMES || this.#bytes > maxBytes) throw createRingError('too many out-of-band bytes')
  }

  /**
   * Returns the body that the ring announced.
   *
   * @throws {BusError} InvalidRequest if it is missing or has another size
   */
  take(kind: FrameKind, size: number): Uint8Array {
    if (this.#arrived.length === 0)
      this.#keep((receiveMessageOnPort(this.#port) as { message: unknown } | undefined)?.message)
    const buffer = this.#arrived.shift()!
    this.#bytes -= buffer.byteLength
    const headroom = getHeadroom(kind)
    if (buffer.byteLength !== headroom + size) throw createRingError('out-of-band bytes of another size than announced')
    return new Uint8Array(buffer, headroom)
  }
}
