// Frames in a stream of bytes: the body's length in four bytes, the kind byte, the body.
import { BusError } from '../errors/bus-error.js'
import { BodyBuffer } from '../util/body-buffer.js'
import { BoundedQueue } from '../util/bounded-queue.js'
import type { FrameKind, ReceivedFrame } from '../wire/link.js'
import { FRAME_KIND, getHeadroom, isFrameKind, SMALL_BODY_BYTES } from '../wire/link.js'

export const STREAM_HEADER_BYTES = 5

const createStreamError = (what: string): BusError =>
  new BusError('InvalidRequest', `The peer violated the stream protocol: ${what}`)

export function writeStreamHeader(target: Buffer, kind: FrameKind, length: number): void {
  target.writeUInt32LE(length, 0)
  target[4] = kind
}

const NOTHING = Buffer.alloc(0)

/** Reads frames from the chunks of a stream, which wait here until their frames are taken. */
export class StreamFrames {
  readonly #maxBodyBytes: number
  readonly #taken: ((chunk: Buffer) => void) | undefined
  readonly #chunks = new BoundedQueue<Buffer>()
  /** True if the receiver of the frames has read JSON and records before the next call of `keep`. */
  readsImmediately = false
  #hasEnded = false
  #chunk: Buffer = NOTHING
  #offset = 0
  /** True if the memory of the chunk is used again after `keep`. */
  #isLent = false
  readonly #header: Buffer = Buffer.alloc(STREAM_HEADER_BYTES)
  #headerUsed = 0
  /** Kind and length of the frame whose header is complete. */
  #kind: FrameKind | undefined
  #length = 0
  /** The body of that frame as far as it has arrived. */
  #body: BodyBuffer | undefined

  /** @param taken - called with each chunk when its frames begin to be taken */
  constructor(maxBodyBytes: number, taken?: (chunk: Buffer) => void) {
    this.#maxBodyBytes = maxBodyBytes
    this.#taken = taken
  }

  get waiting(): number {
    return this.#chunks.bytes
  }

  /** Bytes that have arrived and are not in a frame yet that has begun, or was taken. */
  get unread(): number {
    return this.#chunks.bytes + this.#chunk.length - this.#offset
  }

  add(chunk: Buffer, cost: number = chunk.length): void {
    this.#chunks.push(chunk, cost)
  }

  /** Adds a chunk whose memory the caller uses again after `keep`: frames of it can be taken without a copy until then. */
  lend(chunk: Buffer): void {
    if (this.unread > 0) return this.add(Buffer.from(chunk))
    this.#chunk = chunk
    this.#offset = 0
    this.#isLent = true
  }

  /** Copies what is left of a lent chunk. */
  keep(): void {
    if (!this.#isLent) return
    this.#isLent = false
    this.#chunk = this.#offset === this.#chunk.length ? NOTHING : Buffer.from(this.#chunk.subarray(this.#offset))
    this.#offset = 0
  }

  /** Handles the end of the stream: no chunk follows. */
  end(): void {
    this.#hasEnded = true
  }

  /** Returns the next complete frame, if it has arrived. Throws a `BusError` if it is invalid, or the stream has ended within it. */
  next(): ReceivedFrame | undefined {
    for (;;) {
      const frame = this.#read()
      if (frame) return frame
      const chunk = this.#chunks.shift()
      if (!chunk) break
      this.#chunk = chunk
      this.#offset = 0
      this.#isLent = false
      this.#taken?.(chunk)
    }
    if (!this.#hasEnded || this.#headerUsed === 0) return undefined
    throw new BusError('Disconnected', 'The peer disconnected within a frame')
  }

  #read(): ReceivedFrame | undefined {
    const kind = this.#kind ?? this.#readHeader()
    if (kind === undefined) return undefined
    const body = this.#body === undefined ? (this.#sliceBody(kind) ?? this.#gatherBody(kind)) : this.#gatherBody(kind)
    if (!body) return undefined
    this.#kind = undefined
    this.#body = undefined
    this.#headerUsed = 0
    return { kind, body }
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

  /**
   * Returns a complete body without a copy, unless a user can receive its memory. A body in memory that is kept must be small: it
   * would keep all of its chunk.
   */
  #sliceBody(kind: FrameKind): Uint8Array | undefined {
    const end = this.#offset + this.#length
    const isSlice = this.#isLent ? this.readsImmediately : this.#length <= SMALL_BODY_BYTES
    if (!isSlice || end > this.#chunk.length) return undefined
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
