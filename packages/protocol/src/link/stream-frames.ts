// Frames in a stream of bytes: the body's length in four bytes, the kind byte, the body.
import { BusError } from '../errors/bus-error.js'
import { BoundedQueue } from '../util/bounded-queue.js'
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
  target[0] = length
  target[1] = length >>> 8
  target[2] = length >>> 16
  target[3] = length >>> 24
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
  /** The bytes of the chunk. */
  #end = 0
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
    return this.#chunks.bytes + this.#end - this.#offset
  }

  add(chunk: Buffer, cost: number = chunk.length): void {
    this.#chunks.push(chunk, cost)
  }

  /** Adds the first bytes of memory that the caller uses again after `keep`: frames can be taken from it without a copy until then. */
  lend(memory: Buffer, length: number = memory.length): void {
    if (this.unread > 0) return this.add(Buffer.from(memory.subarray(0, length)))
    this.#setChunk(memory, length)
    this.#isLent = true
  }

  /** Copies what is left of a lent chunk. */
  keep(): void {
    if (!this.#isLent) return
    this.#isLent = false
    if (this.#offset === this.#end) return this.#setChunk(NOTHING, 0)
    const rest = Buffer.from(this.#chunk.subarray(this.#offset, this.#end))
    this.#setChunk(rest, rest.length)
  }

  #setChunk(chunk: Buffer, length: number): void {
    this.#chunk = chunk
    this.#offset = 0
    this.#end = length
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
      this.#setChunk(chunk, chunk.length)
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

  /** A header that is whole in its chunk is read in place: most calls are rare, and each function of Node takes time when it is cold. */
  #readHeader(): FrameKind | undefined {
    if (this.#headerUsed === 0 && this.#end - this.#offset >= STREAM_HEADER_BYTES) {
      const offset = this.#offset
      this.#offset += STREAM_HEADER_BYTES
      this.#headerUsed = STREAM_HEADER_BYTES
      return this.#parseHeader(this.#chunk, offset)
    }
    const copied = this.#chunk.copy(this.#header, this.#headerUsed, this.#offset, this.#end)
    this.#offset += copied
    this.#headerUsed += copied
    return this.#headerUsed < STREAM_HEADER_BYTES ? undefined : this.#parseHeader(this.#header, 0)
  }

  #parseHeader(bytes: Uint8Array, at: number): FrameKind {
    const length = bytes[at]! + (bytes[at + 1]! << 8) + (bytes[at + 2]! << 16) + bytes[at + 3]! * 2 ** 24
    const kind = bytes[at + 4]
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
    if (!isSlice || end > this.#end) return undefined
    if (kind === FRAME_KIND.msgpack || kind === FRAME_KIND.bytes) return undefined
    const body = this.#chunk.subarray(this.#offset, end)
    this.#offset = end
    return body
  }

  /** Copies to a body in memory of its own. Returns it when it is complete. */
  #gatherBody(kind: FrameKind): Uint8Array | undefined {
    this.#body ??= new BodyBuffer(this.#length, getHeadroom(kind))
    const count = Math.min(this.#end - this.#offset, this.#body.missing)
    this.#chunk.copy(this.#body.reserve(count), 0, this.#offset, this.#offset + count)
    this.#offset += count
    return this.#body.missing === 0 ? this.#body.complete() : undefined
  }
}

// The memory of a body that arrives in parts. It grows to at most 4.25 times what has arrived, because the announced size is not trusted.

/** Memory up to this size is allocated at once. */
const FIRST_BYTES: number = 2 ** 22

export class BodyBuffer {
  readonly #size: number
  readonly #headroom: number
  #buffer: Buffer
  #used: number

  /** @param headroom - free bytes before the body */
  constructor(size: number, headroom: number) {
    this.#size = headroom + size
    this.#headroom = headroom
    this.#used = headroom
    this.#buffer = Buffer.allocUnsafeSlow(Math.min(this.#size, FIRST_BYTES))
  }

  get missing(): number {
    return this.#size - this.#used
  }

  /** Returns the memory for the next `length` bytes, which must not exceed `missing`. */
  reserve(length: number): Uint8Array {
    const end = this.#used + length
    if (end > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(this.#size, Math.max(this.#buffer.length * 4.25, end)))
      this.#buffer.copy(larger, 0, 0, this.#used)
      this.#buffer = larger
    }
    const part = this.#buffer.subarray(this.#used, end)
    this.#used = end
    return part
  }

  complete(): Uint8Array {
    return this.#buffer.subarray(this.#headroom)
  }
}
