// A link over a Node Duplex: a pipe or a socket. Closing one end closes the other, and frames for a closed end are dropped.
import type { Duplex } from 'node:stream'
import { nextTick } from '#platform'
import { BusError } from '../errors/bus-error.js'
import { ReceivingLink, RoomSignal } from '../wire/flow.js'
import { MAX_BODY_BYTES } from '../wire/limits.js'
import { type Frame, FRAME_KIND, LINGER_MS, type Link, type LinkReceiver, type ReceivedFrame } from '../wire/link.js'
import { STREAM_HEADER_BYTES, StreamFrames, writeStreamHeader } from './stream-frames.js'

/** Bodies of at least this size that belong to the link are written without a copy. */
const LARGE_BYTES: number = 2 ** 12
/** Maximum bytes read while the receiver is paused: enough to notice that the stream has ended. */
export const READ_AHEAD_BYTES: number = 2 ** 16
/** Bytes that can be in the buffers of system and peer, invisible to this end. */
const UNSEEN_BYTES: number = 2 ** 20

/** A peer that has exited can have sent its last frames before. An error of a write would destroy the stream before they are read. */
export function ignoreWriteErrors(stream: Duplex): void {
  const { _write: write, _writev: writev } = stream
  stream._write = (chunk, encoding, done) => write.call(stream, chunk, encoding, () => done())
  if (writev) stream._writev = (chunks, done) => writev.call(stream, chunks, () => done())
}

export class StreamLink extends ReceivingLink implements Link {
  protected readonly stream: Duplex
  protected readonly frames: StreamFrames
  readonly #room = new RoomSignal()
  #isReading = false
  #corked = false
  #sent = 0
  #linger: NodeJS.Timeout | undefined

  /** @param maxBodyBytes - maximum bytes in the body of a received frame; more is a protocol violation */
  constructor(stream: Duplex, maxBodyBytes: number = MAX_BODY_BYTES) {
    super()
    this.stream = stream
    this.frames = new StreamFrames(maxBodyBytes)
    ignoreWriteErrors(stream)
    stream.on('drain', () => this.#room.release())
    // An error ends the link like any other disconnection; `close` follows.
    stream.on('error', () => {})
    stream.on('end', () => stream.destroy())
    stream.on('close', () => {
      clearTimeout(this.#linger)
      this.#room.release()
      this.streamClosed()
      this.endDelivery()
    })
  }

  get queued(): number {
    return this.isOver ? 0 : this.stream.writableLength + Math.min(this.#sent, UNSEEN_BYTES)
  }

  send({ kind, body, borrowed = false }: Frame): void {
    if (!this.isOpen || this.isOver) return
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

  /** Nothing more arrives. The frames that have arrived are delivered after this call. */
  protected streamClosed(): void {
    this.frames.end()
  }

  close(): void {
    if (!this.isOpen) return
    this.closeDelivery()
    if (this.isOver) return
    this.#linger = setTimeout(() => this.stream.destroy(), LINGER_MS)
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
    this.frames.add(chunk)
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
