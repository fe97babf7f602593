// A link over a Node Duplex: a pipe to another process, or a socket. Both ends close together, as on every link: what a
// peer still sends to an end that has closed is thrown away.
import type { Duplex } from 'node:stream'
import { BusError, isBusError } from '../errors/bus-error.js'
import { RoomSignal } from '../util/room-signal.js'
import { type Frame, FRAME_KIND } from '../wire/link.js'
import { deliverFrame, LINGER_MS, type Link, type LinkReceiver, type ReceivedFrame } from '../wire/link.js'
import { MAX_OUT_OF_BAND_BYTES } from './ring/out-of-band.js'
import { STREAM_HEADER_BYTES, StreamFrames, writeHeader } from './stream-frames.js'

/** Bytes from here on that are the link's own are written where they are. */
const LARGE_BYTES: number = 2 ** 12
/** What is read at most while the receiver is paused: enough to hear of an end that is near. */
const READ_AHEAD_BYTES: number = 2 ** 16
/** What may lie in the buffers of system and peer, where this end can't see it. */
const UNSEEN_BYTES: number = 2 ** 20

class StreamLink implements Link {
  readonly #stream: Duplex
  readonly #frames: StreamFrames
  readonly #room = new RoomSignal()
  #receiver: LinkReceiver | undefined
  #open = true
  #ended = false
  /** Nothing more will come. */
  #over = false
  #paused = false
  #fault: BusError | undefined
  #corked = false
  #sent = 0
  /** What waits for `resume`. */
  #arrived: Buffer[] = []
  #arrivedBytes = 0
  #linger: NodeJS.Timeout | undefined

  constructor(stream: Duplex, most: number) {
    this.#stream = stream
    this.#frames = new StreamFrames(most)
    stream.on('drain', () => this.#room.release())
    // A peer that has gone, however it went, is the end; `close` follows.
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

  send({ kind, body }: Frame): void {
    if (!this.#open || this.#over) return
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
    if (length > MAX_OUT_OF_BAND_BYTES)
      throw new BusError('InvalidParams', `A frame of ${length} bytes is over the limit`)
    this.#cork()
    this.#sent += STREAM_HEADER_BYTES + length
    const given = kind === FRAME_KIND.bytes || kind === FRAME_KIND.sealed
    const apart = given && typeof body !== 'string' && length >= LARGE_BYTES
    const head = Buffer.allocUnsafe(STREAM_HEADER_BYTES + (apart ? 0 : length))
    writeHeader(head, kind, length)
    if (typeof body === 'string') head.write(body, STREAM_HEADER_BYTES)
    else if (!apart) head.set(body, STREAM_HEADER_BYTES)
    this.#stream.write(head)
    if (apart) this.#stream.write(body)
  }

  room(): Promise<void> | undefined {
    return this.#over || !this.#stream.writableNeedDrain ? undefined : this.#room.promise
  }

  receive(receiver: LinkReceiver): void {
    const first = this.#receiver === undefined
    this.#receiver = receiver
    if (this.#ended) return queueMicrotask(() => receiver.closed(this.#fault))
    if (first) this.#stream.on('data', (chunk: Buffer) => this.#take(chunk))
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

  /** A turn's frames are one write. */
  #cork(): void {
    if (this.#corked) return
    this.#corked = true
    this.#stream.cork()
    process.nextTick(() => {
      this.#corked = false
      this.#stream.uncork()
    })
  }

  #take(chunk: Buffer): void {
    if (!this.#open) return
    this.#arrived.push(chunk)
    this.#arrivedBytes += chunk.length
    this.#deliver()
    if (this.#open && this.#arrivedBytes >= READ_AHEAD_BYTES) this.#stream.pause()
  }

  #deliver(): void {
    while (this.#open && !this.#paused) {
      const frame = this.#next()
      if (frame) deliverFrame(frame, this.#receiver!)
      else if (this.#open && !this.#nextChunk()) break
    }
    if (!this.#paused && this.#receiver) this.#stream.resume()
  }

  #next(): ReceivedFrame | undefined {
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

  /** Once all that came was delivered, unless this end has closed. */
  #end(): void {
    if (this.#ended || !this.#over || (this.#open && this.#paused)) return
    if (this.#open && this.#frames.isWithinFrame)
      this.#fault = new BusError('Disconnected', 'The peer has gone within a frame')
    this.#open = false
    this.#ended = true
    this.#receiver?.closed(this.#fault)
  }
}

/** @param most bytes in the body of a frame that comes: more is a fault of the peer's */
export function createStreamLink(stream: Duplex, most: number = MAX_OUT_OF_BAND_BYTES): Link {
  return new StreamLink(stream, most)
}
