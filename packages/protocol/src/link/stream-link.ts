// A link over a Node Duplex: a pipe to another process, or a socket. Closing one end closes the other, and frames for a
// closed end are dropped, as on every link.
import type { Duplex } from 'node:stream'
import { BusError, isBusError } from '../errors/bus-error.js'
import { RoomSignal } from '../util/room-signal.js'
import { MAX_BODY_BYTES } from '../wire/limits.js'
import {
  deliverFrame,
  type Frame,
  FRAME_KIND,
  LINGER_MS,
  type Link,
  type LinkReceiver,
  type ReceivedFrame,
} from '../wire/link.js'
import { STREAM_HEADER_BYTES, StreamFrames, writeStreamHeader } from './stream-frames.js'

/** Bodies of at least this size that belong to the link are written without a copy. */
const LARGE_BYTES: number = 2 ** 12
/** Maximum bytes read while the receiver is paused: enough to notice that the stream has ended. */
const READ_AHEAD_BYTES: number = 2 ** 16
/** Bytes that can be in the buffers of system and peer, invisible to this end. */
const UNSEEN_BYTES: number = 2 ** 20

class StreamLink implements Link {
  readonly #stream: Duplex
  readonly #frames: StreamFrames
  readonly #room = new RoomSignal()
  #receiver: LinkReceiver | undefined
  /** False after `close` on this end. */
  #open = true
  /** True after the stream has closed: nothing more will come. */
  #over = false
  /** True after `closed` was called. */
  #ended = false
  #paused = false
  #fault: BusError | undefined
  #corked = false
  #sent = 0
  /** Chunks that wait for `resume`. */
  #arrived: Buffer[] = []
  #arrivedBytes = 0
  #linger: NodeJS.Timeout | undefined

  constructor(stream: Duplex, maxBodyBytes: number) {
    this.#stream = stream
    this.#frames = new StreamFrames(maxBodyBytes)
    stream.on('drain', () => this.#room.release())
    // An error ends the link like any other disconnection; `close` follows.
    stream.on('error', () => {})
    stream.on('end', () => stream.destroy())
    stream.on('close', () => {
      this.#over = true
      clearTimeout(this.#linger)
      this.#room.release()
      this.#end()
    })
  }

  get queued(): number {
    return this.#over ? 0 : this.#stream.writableLength + Math.min(this.#sent, UNSEEN_BYTES)
  }

  send({ kind, body, borrowed = false }: Frame): void {
    if (!this.#open || this.#over) return
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
    if (length > MAX_BODY_BYTES) throw new BusError('InvalidParams', `A frame of ${length} bytes is over the limit`)
    this.#cork()
    this.#sent += STREAM_HEADER_BYTES + length
    const isOwned = !borrowed && (kind === FRAME_KIND.bytes || kind === FRAME_KIND.sealed)
    const isSeparate = isOwned && typeof body !== 'string' && length >= LARGE_BYTES
    const head = Buffer.allocUnsafe(STREAM_HEADER_BYTES + (isSeparate ? 0 : length))
    writeStreamHeader(head, kind, length)
    if (typeof body === 'string') head.write(body, STREAM_HEADER_BYTES)
    else if (!isSeparate) head.set(body, STREAM_HEADER_BYTES)
    this.#stream.write(head)
    if (isSeparate) this.#stream.write(body)
  }

  room(): Promise<void> | undefined {
    return this.#over || !this.#stream.writableNeedDrain ? undefined : this.#room.promise
  }

  receive(receiver: LinkReceiver): void {
    const isFirst = this.#receiver === undefined
    this.#receiver = receiver
    if (this.#ended) return queueMicrotask(() => receiver.closed(this.#fault))
    if (isFirst) this.#stream.on('data', (chunk: Buffer) => this.#onData(chunk))
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    queueMicrotask(() => {
      this.#deliver()
      this.#end()
    })
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    if (this.#over) return queueMicrotask(() => this.#end())
    this.#linger = setTimeout(() => this.#stream.destroy(), LINGER_MS)
    this.#stream.end()
    this.#stream.resume()
  }

  /** Writes all frames of a tick at once. */
  #cork(): void {
    if (this.#corked) return
    this.#corked = true
    this.#stream.cork()
    process.nextTick(() => {
      this.#corked = false
      this.#stream.uncork()
    })
  }

  #onData(chunk: Buffer): void {
    if (!this.#open) return
    this.#arrived.push(chunk)
    this.#arrivedBytes += chunk.length
    this.#deliver()
    if (this.#open && this.#arrivedBytes >= READ_AHEAD_BYTES) this.#stream.pause()
  }

  #deliver(): void {
    while (this.#open && !this.#paused) {
      const frame = this.#nextFrame()
      if (frame) deliverFrame(frame, this.#receiver!)
      else if (this.#open && !this.#nextChunk()) break
    }
    if (!this.#paused && this.#receiver) this.#stream.resume()
  }

  #nextFrame(): ReceivedFrame | undefined {
    try {
      return this.#frames.next()
    } catch (error) {
      if (!isBusError(error, 'InvalidRequest')) throw error
      this.#fault = error
      this.#open = false
      return void this.#stream.destroy()
    }
  }

  #nextChunk(): boolean {
    const chunk = this.#arrived.shift()
    if (!chunk) return false
    this.#arrivedBytes -= chunk.length
    this.#frames.add(chunk)
    return true
  }

  /** Delivers the end after all frames, or without them if this end has closed. */
  #end(): void {
    if (this.#ended || !this.#over || (this.#open && this.#paused)) return
    if (this.#open && this.#frames.isWithinFrame)
      this.#fault = new BusError('Disconnected', 'The peer disconnected within a frame')
    this.#open = false
    this.#ended = true
    this.#receiver?.closed(this.#fault)
  }
}

/** @param maxBodyBytes - maximum bytes in the body of a received frame; more is a protocol violation */
export function createStreamLink(stream: Duplex, maxBodyBytes: number = MAX_BODY_BYTES): Link {
  return new StreamLink(stream, maxBodyBytes)
}
