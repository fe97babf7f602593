// A link over a Node Duplex, a pipe or a socket. A frame in it is the body's length in four bytes, the kind byte and the body. Closing one end closes
// the other, and frames for a closed end are dropped. A process that is killed ends within a frame, which is no violation: the frame is dropped.
import type { Duplex, Writable } from 'node:stream'
import { nextTick, onNextTick } from '#platform'
import { BusError } from '../errors/bus-error.js'
import { BoundedQueue } from '../util/bounded-queue.js'
import { silence } from '../util/timers.js'
import { ReceivingLink, RoomSignal } from '../wire/flow.js'
import { MAX_BODY_BYTES } from '../wire/limits.js'
import {
  BodyBuffer,
  type Frame,
  getBodyLength,
  getHeadroom,
  keepOwn,
  LINGER_MS,
  type Link,
  type LinkReceiver,
  type ReceivedFrame,
  SMALL_BODY_BYTES,
} from '../wire/link.js'
import { FRAME_KIND, type FrameKind, isFrameKind } from '../wire/messages.js'

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
/** What a chunk takes beside its bytes: any number of them can have one byte. */
const CHUNK_COST = 256

/** Reads frames from the chunks of a stream, which wait here until their frames are taken. */
export class StreamFrames {
  readonly #maxBodyBytes: number
  readonly #taken: ((chunk: Buffer) => void) | undefined
  readonly #chunks = new BoundedQueue<Buffer>()
  /** True if the receiver of the frames has read JSON and records before the next call of `keep`. */
  readsImmediately = false
  #chunk: Buffer = NOTHING
  #offset = 0
  #end = 0
  /** True if the memory of the chunk is used again after `keep`. */
  #isLent = false
  readonly #header: Buffer = Buffer.alloc(STREAM_HEADER_BYTES)
  #headerUsed = 0
  #kind: FrameKind | undefined
  #length = 0
  #body: BodyBuffer | undefined

  /** @param taken - called with each chunk when its frames begin to be taken */
  constructor(maxBodyBytes: number, taken?: (chunk: Buffer) => void) {
    this.#maxBodyBytes = maxBodyBytes
    this.#taken = taken
  }

  get waiting(): number {
    return this.#chunks.bytes
  }

  /** Bytes of the body that is not complete. */
  get begun(): number {
    return this.#body?.filled ?? 0
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

  /** Returns the next complete frame, if it has arrived. Throws a `BusError` if it is invalid. */
  next(): ReceivedFrame | undefined {
    for (;;) {
      const frame = this.#read()
      if (frame) return frame
      const chunk = this.#chunks.shift()
      if (!chunk) return undefined
      this.#setChunk(chunk, chunk.length)
      this.#isLent = false
      this.#taken?.(chunk)
    }
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

  #gatherBody(kind: FrameKind): Uint8Array | undefined {
    this.#body ??= new BodyBuffer(this.#length, getHeadroom(kind))
    const count = Math.min(this.#end - this.#offset, this.#body.missing)
    this.#chunk.copy(this.#body.reserve(count), 0, this.#offset, this.#offset + count)
    this.#offset += count
    return this.#body.missing === 0 ? this.#body.complete() : undefined
  }
}

/** Bodies of at least this size that belong to the link are written without a copy. */
const LARGE_BYTES: number = 2 ** 12
/** Maximum bytes read while the receiver is paused: enough to notice that the stream has ended. */
export const READ_AHEAD_BYTES: number = 2 ** 16

/** A peer that has exited can have sent its last frames before. An error of a write would destroy the stream before they are read. */
export function ignoreWriteErrors(stream: Writable): void {
  const { _write: write, _writev: writev } = stream
  stream._write = (chunk, encoding, done) => write.call(stream, chunk, encoding, () => done())
  if (writev) stream._writev = (chunks, done) => writev.call(stream, chunks, () => done())
}

/**
 * Lets a stream take its first writes at once, until `bytes` of them wait. A protocol with a flow control of its own, such as HTTP/2, stops reading
 * while it writes. Where what is below has one, too, both ends would wait for each other, for ever: each has a write pending, and reads nothing.
 */
export function writeAhead(stream: Duplex, bytes: number): void {
  const { _write: write, _final: final } = stream
  let last = Promise.resolve()
  let size = 0
  stream._write = (chunk: Uint8Array, encoding, done) => {
    size += chunk.length
    const isAhead = size <= bytes
    const put = (written: () => void): void =>
      write.call(stream, chunk, encoding, () => {
        size -= chunk.length
        if (!isAhead) done()
        written()
      })
    last = last.then(() => new Promise(put))
    if (isAhead) done()
  }
  stream._final = done => void last.then(() => final.call(stream, done))
}

/** A pipe that never blocks drains at once. Who sends whenever there is room hears an order to stop after so often. */
const DRAINS_PER_TURN = 64

export class StreamLink extends ReceivingLink implements Link {
  protected readonly stream: Duplex
  protected readonly frames: StreamFrames
  readonly #room = new RoomSignal()
  /** Since the event loop has turned. */
  #drains = 0
  /** See `Link`. */
  unsent = 0
  #isReading = false
  #corked = false
  #endLinger = (): void => {}

  /** @param maxBodyBytes - maximum bytes in the body of a received frame; more is a protocol violation */
  constructor(stream: Duplex, maxBodyBytes: number = MAX_BODY_BYTES) {
    super()
    this.stream = stream
    this.frames = new StreamFrames(maxBodyBytes)
    ignoreWriteErrors(stream)
    stream.on('drain', () => {
      if (this.#drains++ === 0) onNextTick(this.#turned)
      if (this.#drains < DRAINS_PER_TURN) this.#room.release()
    })
    // An error ends the link like any other disconnection; `close` follows.
    stream.on('error', () => {})
    stream.on('end', () => stream.destroy())
    stream.on('close', () => {
      this.#endLinger()
      this.#room.release()
      this.endDelivery()
    })
  }

  readonly #turned = (): void => {
    const isWaiting = this.#drains >= DRAINS_PER_TURN
    this.#drains = 0
    if (isWaiting && !this.stream.writableNeedDrain) this.#room.release()
  }

  get queued(): number {
    return this.isOver ? 0 : this.stream.writableLength
  }

  get begun(): number {
    return this.frames.begun
  }

  send({ kind, body, borrowed = false }: Frame): void {
    if (!this.isOpen || this.isOver) return
    const length = getBodyLength(body)
    this.#cork()
    const isOwned = !borrowed && (kind === FRAME_KIND.bytes || kind === FRAME_KIND.sealed)
    const isSeparate = isOwned && typeof body !== 'string' && length >= LARGE_BYTES
    const head = Buffer.allocUnsafe(STREAM_HEADER_BYTES + (isSeparate ? 0 : length))
    writeStreamHeader(head, kind, length)
    if (typeof body === 'string') head.write(body, STREAM_HEADER_BYTES)
    else if (!isSeparate) head.set(body, STREAM_HEADER_BYTES)
    this.stream.write(head)
    if (isSeparate) this.stream.write(body)
  }

  room(): Promise<void> | undefined {
    return this.isOver || !this.stream.writableNeedDrain ? undefined : this.#room.promise
  }

  override receive(receiver: LinkReceiver): void {
    super.receive(receiver)
    if (this.#isReading) return
    this.#isReading = true
    this.startReading()
  }

  protected startReading(): void {
    this.stream.on('data', (chunk: Buffer) => this.#onData(chunk))
  }

  close(): void {
    if (!this.isOpen) return
    this.closeDelivery()
    if (this.isOver) return
    if (!this.isPatient)
      this.#endLinger = silence(LINGER_MS, { readSign: () => this.queued }, () => {
        this.unsent = this.stream.writableLength
        this.stream.destroy()
      })
    this.stream.end()
    this.stream.resume()
  }

  #cork(): void {
    if (this.#corked) return
    this.#corked = true
    this.stream.cork()
    nextTick(() => {
      this.#corked = false
      this.stream.uncork()
    })
  }

  #onData(chunk: Buffer): void {
    if (!this.isOpen) return
    this.frames.add(keepOwn(chunk), chunk.length + CHUNK_COST)
    this.deliver()
    if (this.isOpen && this.frames.waiting >= READ_AHEAD_BYTES) this.stream.pause()
  }

  protected nextFrame(): ReceivedFrame | undefined {
    const frame = this.frames.next()
    if (!frame) this.stream.resume()
    return frame
  }

  protected override ended(fault: BusError | undefined): void {
    if (fault) this.stream.destroy()
    else this.close()
  }
}
