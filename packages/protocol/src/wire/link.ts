// The frame and the interface of a link: shared by all transports.
import { BusError } from '../errors/bus-error.js'
import { MAX_BODY_BYTES } from './limits.js'
import { FRAME_KIND, type FrameKind, isFrameKind } from './messages.js'
import { allocate, isArrayBuffer, readUtf8, toReadable, utf8Length, writeUtf8 } from '#platform'

/** The unit on a link: a kind byte, and a body that holds one message, a batch of them, or an attachment. */
export interface Frame {
  kind: FrameKind
  /** A string is JSON. The memory of kinds `sealed` and `bytes` is transferred: it belongs to the link from `send` on. */
  body: string | Uint8Array
  /** True if the memory of kind `bytes` stays the sender's: the link copies what it does not send immediately. */
  borrowed?: boolean
}

export interface ReceivedFrame {
  kind: FrameKind
  /** Memory of the receiver, which no other thread reads or writes. A string is JSON. */
  body: string | Uint8Array
}

export const getText = (body: string | Uint8Array): string =>
  typeof body === 'string' ? body : readUtf8(toReadable(body), 0, body.length)

/** Returns the bytes of a frame's body. @throws {BusError} InvalidParams if the peer would refuse the frame */
export function getBodyLength(body: Frame['body']): number {
  const length = typeof body === 'string' ? utf8Length(body) : body.length
  if (length > MAX_BODY_BYTES) throw createLengthError(length)
  return length
}

export const createLengthError = (length: number): BusError =>
  new BusError('InvalidParams', `A frame of ${length} bytes is over the limit of ${MAX_BODY_BYTES}`)

export interface LinkReceiver {
  /** True if `frame` treats its frame as `Link.send` does, so that a link can pass memory of the sender, and `borrowed`. */
  readonly forwards?: boolean
  /** True if `frame` has read JSON and records when it returns. The link can use their memory again. @default false */
  readonly readsImmediately?: boolean
  /** True in a thread that others share: what `frame` throws is the end of this link, and its fault, and not that of the thread. @default false */
  readonly isShared?: boolean
  frame(frame: ReceivedFrame): void
  /**
   * Called once, after the last frame. Frames that are sent from here, and until the promise that it can return resolves, still leave, unless the
   * peer violated the protocol (`fault`).
   */
  closed(fault?: BusError): unknown
}

/** An ordered transport of frames to one actor and from one, often the same. Its owner does not depend on what carries them. */
export interface Link {
  /**
   * Maximum number of messages that a frame should hold while few wait, so that both ends of a ring work in parallel.
   * `undefined` if more frames cost more than that gains. The value can change at any time.
   */
  readonly frameMessages?: number | undefined
  /** Maximum bytes of a message that the peer accepts, with its attachments, if that is less than the limits of the wire. */
  readonly maxMessageBytes?: number | undefined
  /**
   * Sends one frame, in order. A closed link drops it: its owner has been notified by `closed`. Never delivers within the call, neither
   * to this end nor to the peer: a caller registers for the response after it has sent the request.
   */
  send(frame: Frame): void
  /** Bytes that wait for the peer, as far as this end can see: 0 once it has taken all of them, or the link has ended. */
  readonly queued: number
  /** Bytes that have arrived of a frame that is not complete, as far as this end can see. */
  readonly begun?: number
  /**
   * Returns `undefined` while the peer has room. Otherwise returns a promise that resolves when no frame waits in this end any
   * more, or when the link has ended. `send` still accepts frames meanwhile: the sender has to bound them.
   */
  room(): Promise<void> | undefined
  /** Sets the only receiver. Frames that arrive earlier wait for it. */
  receive(receiver: LinkReceiver): void
  /**
   * Stops delivery until `resume`, so that the peer runs out of room and waits. The end of the link is not delivered either,
   * unless this end closes it. Can be called from within a receiver.
   */
  pause(): void
  /** Continues delivery, from a later microtask or tick on. */
  resume(): void
  /**
   * Closes both directions. The peer still receives what was sent before; this end receives only `closed`, once that has left, or the peer has taken
   * nothing for `LINGER_MS`, unless this end is patient.
   */
  close(): void
  /** Set for code that its host ends, which can ask whether the peer runs: it waits for as long as the peer is there. @default false */
  isPatient?: boolean
  /** Bytes that the peer had not taken when the time of a closed link was over. */
  readonly unsent?: number
}

/** Milliseconds for which a closed link keeps trying to send its queued frames to a busy peer. */
export const LINGER_MS: number = 30_000

/** Free bytes before each record, so that a link can put the frame's kind byte there and transfer the buffer. */
export const RECORD_HEADROOM = 1

/** Free bytes before the body of a received frame. A record keeps its headroom, so that it can be sent on in place. */
export const getHeadroom = (kind: FrameKind): number => (kind === FRAME_KIND.sealed ? RECORD_HEADROOM : 0)

/** A larger received body gets memory of its own. A smaller one can share memory, unless a user can receive its bytes. */
export const SMALL_BODY_BYTES: number = 2 ** 12

/** True for bytes that fill an ArrayBuffer of their own, except for `headroom` bytes before them. */
export const ownsWholeBuffer = (bytes: Uint8Array, headroom: number): bytes is Uint8Array<ArrayBuffer> =>
  bytes.byteOffset === headroom &&
  bytes.byteLength + headroom === bytes.buffer.byteLength &&
  isArrayBuffer(bytes.buffer)

/** Writes a frame, as kind byte and body, to an ArrayBuffer of that size, which can be transferred. A record is written in place. */
export function writeFrame({ kind, body }: Frame): ArrayBuffer {
  if (kind === FRAME_KIND.sealed && typeof body !== 'string' && ownsWholeBuffer(body, RECORD_HEADROOM)) {
    new Uint8Array(body.buffer)[0] = kind
    return body.buffer
  }
  const size = typeof body === 'string' ? utf8Length(body) : body.byteLength
  const frame = allocate(1 + size)
  frame[0] = kind
  if (typeof body === 'string') writeUtf8(frame, body, 1, size)
  else frame.set(body, 1)
  return frame.buffer as ArrayBuffer
}

/** Reads a frame of `writeFrame` without a copy. Returns `undefined` if the kind byte is invalid. */
export function readFrame(bytes: Uint8Array): { kind: FrameKind; body: Uint8Array } | undefined {
  const kind = bytes[0]
  return isFrameKind(kind) ? { kind, body: bytes.subarray(1) } : undefined
}

/** Returns bytes that wait, in memory of their own if they would keep much more than they are: a view keeps all that has arrived with it. */
export const keepOwn = <Bytes extends Uint8Array>(bytes: Bytes): Bytes =>
  // `slice` of a Buffer would be another view.
  bytes.length * 2 >= bytes.buffer.byteLength ? bytes : (Uint8Array.prototype.slice.call(bytes) as Bytes)

const FIRST_BYTES: number = 2 ** 22

/** The memory of a body that arrives in parts. It grows to at most 4.25 times what has arrived, because the announced size is not trusted. */
export class BodyBuffer {
  readonly #size: number
  readonly #headroom: number
  #buffer: Uint8Array
  #used: number

  /** @param headroom - free bytes before the body. @param first - bytes of its first memory, at most */
  constructor(size: number, headroom: number, first: number = FIRST_BYTES) {
    this.#size = headroom + size
    this.#headroom = headroom
    this.#used = headroom
    this.#buffer = allocate(Math.min(this.#size, first))
  }

  get filled(): number {
    return this.#used - this.#headroom
  }

  get missing(): number {
    return this.#size - this.#used
  }

  /** Returns the memory for the next `length` bytes, which must not exceed `missing`. */
  reserve(length: number): Uint8Array {
    const end = this.#used + length
    if (end > this.#buffer.length) {
      const larger = allocate(Math.min(this.#size, Math.max(this.#buffer.length * 4.25, end)))
      larger.set(this.#buffer.subarray(0, this.#used))
      this.#buffer = larger
    }
    const part = this.#buffer.subarray(this.#used, end)
    this.#used = end
    return part
  }

  /** Returns what has arrived. */
  complete(): Uint8Array {
    return this.#buffer.subarray(this.#headroom, this.#used)
  }
}
