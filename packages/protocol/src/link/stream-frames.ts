// Frames in a stream of bytes: the body's length in four bytes, the kind byte, the body.
import { BusError } from '../errors/bus-error.js'
import { BodyBuffer } from '../util/body-buffer.js'
import {
  FRAME_KIND,
  type FrameKind,
  getHeadroom,
  isFrameKind,
  type ReceivedFrame,
  SMALL_BODY_BYTES,
} from '../wire/link.js'

export const STREAM_HEADER_BYTES = 5

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
  #body: BodyBuffer | undefined

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
    this.#body ??= new BodyBuffer(this.#length, getHeadroom(kind))
    const count = Math.min(this.#chunk.length - this.#offset, this.#body.missing)
    this.#chunk.copy(this.#body.reserve(count), 0, this.#offset, this.#offset + count)
    this.#offset += count
    return this.#body.missing === 0 ? this.#body.complete() : undefined
  }
}
