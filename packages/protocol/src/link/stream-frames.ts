// From the bytes of a stream to the frames in it: a body's length in four bytes, the kind byte, the body. Nothing is
// believed before it is there: a body gets memory as its bytes come, never more than twice what has come.
import { BusError } from '../errors/bus-error.js'
import { FRAME_KIND, type FrameKind, isFrameKind, RECORD_HEADROOM } from '../wire/link.js'
import type { ReceivedFrame } from '../wire/link.js'

export const STREAM_HEADER_BYTES = 5
/** Bodies up to here share the memory of what they came with, unless a user may get them: as in ring-receiver.ts. */
const SMALL_BYTES: number = 2 ** 12
const FIRST_BYTES: number = 2 ** 16

const streamFault = (what: string): BusError => new BusError('InvalidRequest', `The peer broke the stream: ${what}`)

export function writeHeader(target: Buffer, kind: FrameKind, length: number): void {
  target.writeUInt32LE(length, 0)
  target[4] = kind
}

export class StreamFrames {
  readonly #most: number
  #chunk: Buffer = Buffer.alloc(0)
  #at = 0
  readonly #header: Buffer = Buffer.alloc(STREAM_HEADER_BYTES)
  #headerUsed = 0
  /** Of the frame whose header has come. */
  #kind: FrameKind | undefined
  #length = 0
  /** Its body, as far as it has come. */
  #body: Buffer | undefined
  #used = 0

  /** @param most bytes of a body at most */
  constructor(most: number) {
    this.#most = most
  }

  /** What has come. All of the chunk before must have been taken. */
  add(chunk: Buffer): void {
    this.#chunk = chunk
    this.#at = 0
  }

  /** The next whole frame; `undefined` where more must come first. @throws BusError `InvalidRequest` for what is none */
  next(): ReceivedFrame | undefined {
    const kind = this.#kind ?? this.#readHeader()
    if (kind === undefined) return undefined
    const body = this.#body === undefined ? (this.#shared(kind) ?? this.#gather(kind)) : this.#gather(kind)
    if (!body) return undefined
    this.#kind = undefined
    this.#body = undefined
    this.#headerUsed = 0
    return { kind, body }
  }

  /** A frame has begun, and is not whole. */
  get isWithinFrame(): boolean {
    return this.#headerUsed > 0
  }

  #readHeader(): FrameKind | undefined {
    const copied = this.#chunk.copy(this.#header, this.#headerUsed, this.#at)
    this.#at += copied
    this.#headerUsed += copied
    if (this.#headerUsed < STREAM_HEADER_BYTES) return undefined
    const [length, kind] = [this.#header.readUInt32LE(0), this.#header[4]]
    if (!isFrameKind(kind)) throw streamFault('a kind of frame that is none')
    if (length > this.#most) throw streamFault('a frame out of bounds')
    this.#length = length
    this.#kind = kind
    return kind
  }

  /** A small body that has come whole: where it lies. */
  #shared(kind: FrameKind): Uint8Array | undefined {
    const end = this.#at + this.#length
    if (this.#length > SMALL_BYTES || end > this.#chunk.length) return undefined
    if (kind === FRAME_KIND.msgpack || kind === FRAME_KIND.bytes) return undefined
    const body = this.#chunk.subarray(this.#at, end)
    this.#at = end
    return body
  }

  /** A body of its own. A large record has room before it for its kind byte. */
  #gather(kind: FrameKind): Uint8Array | undefined {
    const headroom = kind === FRAME_KIND.sealed ? RECORD_HEADROOM : 0
    const whole = headroom + this.#length
    const come = this.#chunk.length - this.#at
    if (this.#body === undefined) {
      this.#body = Buffer.allocUnsafeSlow(Math.min(whole, Math.max(FIRST_BYTES, come + headroom)))
      this.#used = headroom
    }
    const use = Math.min(come, whole - this.#used)
    if (this.#used + use > this.#body.length)
      this.#grow(Math.min(whole, Math.max(this.#body.length * 2, this.#used + use)))
    this.#chunk.copy(this.#body, this.#used, this.#at, this.#at + use)
    this.#at += use
    this.#used += use
    return this.#used === whole ? this.#body.subarray(headroom) : undefined
  }

  #grow(size: number): void {
    const larger = Buffer.allocUnsafeSlow(size)
    this.#body!.copy(larger, 0, 0, this.#used)
    this.#body = larger
  }
}
