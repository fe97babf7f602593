// Frames that are large for a ring go beside it: their memory is given away on the port, and a header in the ring, which is
// written after that, announces them; so order is the ring's. What is on its way beside it is bounded by the sender, which
// sees from the ring what has been taken, and by the receiver, which takes more than that for a fault.
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { isArrayBuffer } from '../../util/type-guards.js'
import { FRAME_KIND, type FrameKind, ownsWholeBuffer, RECORD_HEADROOM } from '../../wire/link.js'
import { MAX_ATTACHED_BYTES } from '../../wire/limits.js'
import { createRingError, type RingWriter } from './ring-buffer.js'

/** The bytes of a body at most: the largest attachment, and room for a record's header and tag around it. */
export const MAX_OUT_OF_BAND_BYTES: number = MAX_ATTACHED_BYTES + 4096
/** Bytes on their way, unless they are those of one frame alone; and frames. */
const WINDOW_BYTES: number = 2 ** 25
const WINDOW_FRAMES = 64

/** A record keeps its room for a kind byte, so that whoever receives it can pass it on as it is. */
const getHeadroom = (kind: FrameKind): number => (kind === FRAME_KIND.sealed ? RECORD_HEADROOM : 0)

export class OutOfBandSender {
  readonly #port: MessagePort
  readonly #writer: RingWriter
  /** What has not been taken yet: the bytes that were written to the ring up to its announcement's end, and its own. */
  #open: { end: number; size: number }[] = []
  #bytes = 0

  constructor(port: MessagePort, writer: RingWriter) {
    this.#port = port
    this.#writer = writer
  }

  /**
   * False where there is no room for it now.
   *
   * @throws BusError `InvalidRequest` where the consumer's position is nonsense; what a port throws for memory that can't be
   * given away, and then nothing is announced
   */
  send(kind: FrameKind, body: Uint8Array): boolean {
    const size = body.byteLength
    if (!this.#hasRoom(size) || this.#writer.reserve(0) < 0) return false
    const headroom = getHeadroom(kind)
    const given = kind === FRAME_KIND.bytes || kind === FRAME_KIND.sealed
    const { buffer } = given && ownsWholeBuffer(body, headroom) ? body : copyBytes(body, headroom)
    this.#port.postMessage(buffer, [buffer])
    this.#writer.publish(kind, 0, size)
    this.#open.push({ end: this.#writer.written, size })
    this.#bytes += size
    return true
  }

  /** Bytes that have not been taken. @throws BusError as `send` */
  get queued(): number {
    if (this.#open.length > 0) this.#forgetTaken()
    return this.#bytes
  }

  #forgetTaken(): void {
    const read = this.#writer.written - this.#writer.unread()
    while (this.#open.length > 0 && this.#open[0]!.end <= read) this.#bytes -= this.#open.shift()!.size
  }

  #hasRoom(size: number): boolean {
    if (this.#open.length === 0) return true
    this.#forgetTaken()
    return this.#open.length === 0 || (this.#open.length < WINDOW_FRAMES && this.#bytes + size <= WINDOW_BYTES)
  }
}

export class OutOfBandReceiver {
  readonly #port: MessagePort
  /** What the port has brought before its announcement was read. */
  readonly #arrived: ArrayBuffer[] = []
  #bytes = 0

  constructor(port: MessagePort) {
    this.#port = port
  }

  /** From now on the port brings what is sent: nothing is taken before. */
  listen(fail: (error: unknown) => void): void {
    this.#port.on('message', (data: unknown) => {
      try {
        this.#keep(data)
      } catch (error) {
        fail(error)
      }
    })
    this.#port.on('messageerror', () => fail(createRingError('an unreadable message on the port beside it')))
  }

  #keep(data: unknown): void {
    if (!isArrayBuffer(data)) throw createRingError('no bytes on the port beside it')
    this.#bytes += data.byteLength
    const count = this.#arrived.push(data)
    const most = count > 1 ? WINDOW_BYTES + count * RECORD_HEADROOM : MAX_OUT_OF_BAND_BYTES + RECORD_HEADROOM
    if (count > WINDOW_FRAMES || this.#bytes > most) throw createRingError('too much on the port beside it')
  }

  /** What is announced next. @throws BusError `InvalidRequest` where it is not there, or not what was announced */
  take(kind: FrameKind, size: number): Uint8Array {
    if (this.#arrived.length === 0)
      this.#keep((receiveMessageOnPort(this.#port) as { message: unknown } | undefined)?.message)
    const buffer = this.#arrived.shift()!
    this.#bytes -= buffer.byteLength
    const headroom = getHeadroom(kind)
    if (buffer.byteLength !== headroom + size) throw createRingError('other bytes beside it than were announced')
    return new Uint8Array(buffer, headroom)
  }
}

function copyBytes(body: Uint8Array, headroom: number): Uint8Array<ArrayBuffer> {
  const copy = Buffer.allocUnsafeSlow(headroom + body.byteLength)
  copy.set(body, headroom)
  return copy
}
