// Frames in a stream of bytes: the body's length in four bytes, the kind byte, the body. Memory for a body grows as its bytes
// arrive, to at most twice what has arrived: the peer's length is not trusted.
import { BusError } from '../errors/bus-error.js'
import {
  FRAME_KIND,
  type FrameKind,
  getHeadroom,
  isFrameKind,
  type ReceivedFrame,
  SMALL_BODY_BYTES,
} from '../wire/link.js'

export const STREAM_HEADER_BYTES = 5
const FIRST_ALLOCATION_BYTES: number = 2 ** 16

const createStreamError = (what: string): BusError =>
  new BusError('InvalidRequest', `The peer violated the stream protocol: ${what}`)

export function writeStreamHeader(target: Buffer, kind: FrameKind, length: number): void {
  target.writeUInt32LE(length, 0)
  target[4] = kind
}

/** Reads frames from chunks of a stream. */
export class StreamFrames {
  readonly #maxBodyBytes: number
  #chunk: Buffer = Buffer.alloc(0)
  #offset = 0
  readonly #header: Buffer = Buffer.alloc(STREAM_HEADER_BYTES)
  #headerUsed = 0
  /** Kind and length of the frame whose header is complete. */
  #kind: FrameKind | undefined
  #length = 0
  /** The body of that frame as far as it has arrived. */
  #body: Buffer | undefined
  #bodyUsed = 0

  constructor(maxBodyBytes: number) {
    this.#maxBodyBytes = maxBodyBytes
  }

  /** Adds a chunk. All frames of the previous chunk must have been read. */
  add(chunk: Buffer): void {
    this.#chunk = chunk
    this.#offset = 0
  }

  /**
   * Returns the next complete frame, or `undefined` if more bytes have to arrive first.
   *
   * @throws {BusError} InvalidRequest if the frame is invalid
   */
  next(): ReceivedFrame | undefined {
    const kind = this.#kind ?? this.#readHeader()
    if (kind === undefined) return undefined
    const body = this.#body === undefined ? (this.#sliceBody(kind) ?? this.#gatherBody(kind)) : this.#gatherBody(kind)
    if (!body) return undefined
    this.#kind = undefined
    this.#body = undefined
    this.#headerUsed = 0
    return { kind, body }
  }

  /** True if a frame has begun but is not complete. */
  get isWithinFrame(): boolean {
    return this.#headerUsed > 0
  }

  #readHeader(): FrameKind | undefined {
    const copied = this.#chunk.copy(this.#header, this.#headerUsed, this.#offset)
    this.#offset += copied
    this.#headerUsed += copied
    if (this.#headerUsed < STREAM_HEADER_BYTES) return undefined
    const [length, kind] = [this.#header.readUInt32LE(0), this.#header[4]]
    if (!isFrameKind(kind)) throw createStreamError('invalid kind of frame')
    if (length > this.#maxBodyBytes) throw createStreamError('a frame out of bounds')
    this.#length = length
    this.#kind = kind
    return kind
  }

  /** Returns a small and complete body without a copy, unless a user can receive its memory. */
  #sliceBody(kind: FrameKind): Uint8Array | undefined {
    const end = this.#offset + this.#length
    if (this.#length > SMALL_BODY_BYTES || end > this.#chunk.length) return undefined
    if (kind === FRAME_KIND.msgpack || kind === FRAME_KIND.bytes) return undefined
    const body = this.#chunk.subarray(this.#offset, end)
    this.#offset = end
    return body
  }

  /** Copies to a body in memory of its own. Returns it when it is complete. */
  #gatherBody(kind: FrameKind): Uint8Array | undefined {
    const headroom = getHeadroom(kind)
    const size = headroom + this.#length
    const available = this.#chunk.length - this.#offset
    if (this.#body === undefined) {
      this.#body = Buffer.allocUnsafeSlow(Math.min(size, Math.max(FIRST_ALLOCATION_BYTES, available + headroom)))
      this.#bodyUsed = headroom
    }
    const count = Math.min(available, size - this.#bodyUsed)
    if (this.#bodyUsed + count > this.#body.length)
      this.#growBody(Math.min(size, Math.max(this.#body.length * 2, this.#bodyUsed + count)))
    this.#chunk.copy(this.#body, this.#bodyUsed, this.#offset, this.#offset + count)
    this.#offset += count
    this.#bodyUsed += count
    return this.#bodyUsed === size ? this.#body.subarray(headroom) : undefined
  }

  #growBody(size: number): void {
    const larger = Buffer.allocUnsafeSlow(size)
    this.#body!.copy(larger, 0, 0, this.#bodyUsed)
    this.#body = larger
  }
}
