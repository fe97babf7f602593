// Many streams over one pipe, such as those of the scripts of one process. Each direction of a stream has a window of its own: a stream that
// is not read delays no other, and what waits for its reader is bounded. A record is an id, a type, a number, and the bytes of `data`.
import { Duplex } from 'node:stream'
import { nextTick } from '#platform'
import { BusError } from '../errors/bus-error.js'
import { ignoreWriteErrors } from './stream-link.js'

const HEADER_BYTES = 9
const TYPE = { data: 1, credit: 2, end: 3, reset: 4 } as const
/** Bytes that one side sends before the other has read some of them. */
const WINDOW_BYTES = 2 ** 16
/** Of one record, so that streams take turns. */
const MAX_DATA_BYTES = 2 ** 14
/** Smaller records are copied behind their header. */
const SMALL_BYTES = 2 ** 12

const createMuxError = (what: string): BusError =>
  new BusError('InvalidRequest', `The peer violated the protocol of a pipe with many streams: ${what}`)

export interface MultiplexerEvents {
  /** The peer has sent the first data of a stream: it is open if this end has called `open` with the id when this returns. */
  opened?(id: number): void
  /** The pipe has closed, with the violation of the peer, if there was one. All streams are destroyed then. */
  closed(fault?: BusError): void
}

export class StreamMultiplexer {
  readonly #pipe: Duplex
  readonly #events: MultiplexerEvents
  readonly #streams = new Map<number, MuxStream>()
  readonly #blocked = new Set<MuxStream>()
  #rest: Buffer = Buffer.alloc(0)
  #isCorked = false
  #isOpen = true
  #fault: BusError | undefined

  constructor(pipe: Duplex, events: MultiplexerEvents) {
    this.#pipe = pipe
    this.#events = events
    ignoreWriteErrors(pipe)
    pipe.on('data', (chunk: Buffer) => this.#receive(chunk))
    pipe.on('drain', () => this.#drained())
    pipe.on('error', () => {})
    pipe.on('end', () => pipe.destroy())
    pipe.on('close', () => this.#closed())
  }

  /** Opens a stream. Both ends open it with the same id, each id once. */
  open(id: number): Duplex {
    const stream = new MuxStream({
      write: (type, number, body) => this.#write(id, type, number, body),
      blocked: () => this.#blocked.add(stream),
      closed: () => void this.#streams.delete(id),
    })
    if (this.#isOpen) this.#streams.set(id, stream)
    else stream.destroy()
    return stream
  }

  close(): void {
    this.#pipe.destroy()
  }

  #write(id: number, type: number, number: number, body?: Uint8Array): boolean {
    if (!this.#isOpen) return true
    if (!this.#isCorked) {
      this.#isCorked = true
      this.#pipe.cork()
      nextTick(() => {
        this.#isCorked = false
        this.#pipe.uncork()
      })
    }
    const isCopied = body !== undefined && body.length <= SMALL_BYTES
    const header = Buffer.allocUnsafe(HEADER_BYTES + (isCopied ? body.length : 0))
    header.writeUInt32LE(id, 0)
    header[4] = type
    header.writeUInt32LE(number, 5)
    if (isCopied) header.set(body, HEADER_BYTES)
    const hasRoom = this.#pipe.write(header)
    return body === undefined || isCopied ? hasRoom : this.#pipe.write(body)
  }

  #drained(): void {
    const waiting = [...this.#blocked]
    this.#blocked.clear()
    for (const stream of waiting) stream.resumeWriting()
  }

  #receive(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    while (this.#isOpen && bytes.length >= HEADER_BYTES) {
      const [id, type, number] = [bytes.readUInt32LE(0), bytes[4], bytes.readUInt32LE(5)]
      const end = HEADER_BYTES + (type === TYPE.data ? number : 0)
      if (type === TYPE.data && (number === 0 || number > MAX_DATA_BYTES)) {
        this.#fail('data out of bounds')
        return
      }
      if (bytes.length < end) break
      if (!this.#handle(id, type!, number, bytes.subarray(HEADER_BYTES, end))) return
      bytes = bytes.subarray(end)
    }
    // A copy: the rest of a record must not keep all of its chunk.
    this.#rest = bytes.length === 0 ? bytes : Buffer.from(bytes)
  }

  #handle(id: number, type: number, number: number, body: Buffer): boolean {
    if (type === TYPE.data && !this.#streams.has(id)) this.#events.opened?.(id)
    // What arrives for a stream that this end has destroyed is dropped: the peer learns of it.
    const stream = this.#streams.get(id)
    switch (type) {
      case TYPE.data:
        if (stream?.receive(body) === false) return this.#fail('data behind the end, or beyond the window')
        return true
      case TYPE.credit:
        if (stream?.addCredit(number) === false) return this.#fail('more credit than the window')
        return true
      case TYPE.end:
        stream?.receiveEnd()
        return true
      case TYPE.reset:
        stream?.receiveReset()
        return true
      default:
        return this.#fail('invalid type of record')
    }
  }

  #fail(what: string): false {
    this.#fault ??= createMuxError(what)
    this.#pipe.destroy()
    this.#closed()
    return false
  }

  #closed(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    for (const stream of [...this.#streams.values()]) stream.receiveReset()
    this.#streams.clear()
    this.#blocked.clear()
    this.#events.closed(this.#fault)
  }
}

interface StreamActions {
  write(type: number, number: number, body?: Uint8Array): boolean
  /** Calls `resumeWriting` once the pipe has room. */
  blocked(): void
  closed(): void
}

class MuxStream extends Duplex {
  readonly #actions: StreamActions
  /** Bytes that the peer lets this end send, and that this end lets the peer send. */
  #credit = WINDOW_BYTES
  #granted = WINDOW_BYTES
  #waiting: { chunk: Uint8Array; done: () => void } | undefined
  #isReset = false
  #hasEnded = false
  #isBlocked = false

  constructor(actions: StreamActions) {
    super({ readableHighWaterMark: WINDOW_BYTES, writableHighWaterMark: WINDOW_BYTES })
    this.#actions = actions
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.#isReset || chunk.length === 0) return done()
    this.#waiting = { chunk, done }
    if (!this.#isBlocked) this.#send()
  }

  override _final(done: () => void): void {
    if (!this.#isReset) this.#actions.write(TYPE.end, 0)
    done()
  }

  /** Node calls this before it takes what it reads, and not again until more data has arrived: the peer must be able to send some. */
  override _read(): void {
    nextTick(() => this.#grant())
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#isReset) this.#actions.write(TYPE.reset, 0)
    this.#isReset = true
    this.#release()
    this.#actions.closed()
    done(error)
  }

  /** Returns false if the peer exceeds its window, or has ended the stream before. */
  receive(body: Buffer): boolean {
    if (body.length > this.#granted || this.#hasEnded) return false
    this.#granted -= body.length
    if (!this.destroyed) this.push(body)
    return true
  }

  /** Returns false if the peer grants more than the window. */
  addCredit(bytes: number): boolean {
    this.#credit += bytes
    if (this.#credit > WINDOW_BYTES) return false
    if (!this.#isBlocked) this.#send()
    return true
  }

  receiveEnd(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    if (!this.destroyed) this.push(null)
  }

  /** The peer reads nothing more, and sends nothing more. What it sent before is still read. */
  receiveReset(): void {
    if (this.#isReset) return
    this.#isReset = true
    this.#release()
    this.receiveEnd()
    this.end()
  }

  resumeWriting(): void {
    this.#isBlocked = false
    this.#send()
    this.#grant()
  }

  #grant(): void {
    const free = WINDOW_BYTES - this.#granted - this.readableLength
    const isDue = free >= WINDOW_BYTES / 2 || (this.#granted === 0 && free > 0)
    // A peer that reads nothing gets no more credit: what waits for it would grow with all that it sends.
    if (!isDue || this.#isReset || this.#isBlocked) return
    this.#granted += free
    if (!this.#actions.write(TYPE.credit, free)) this.#block()
  }

  #block(): void {
    this.#isBlocked = true
    this.#actions.blocked()
  }

  #release(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.done()
  }

  #send(): void {
    const waiting = this.#waiting
    if (!waiting) return
    const { chunk } = waiting
    let at = 0
    let hasRoom = true
    while (at < chunk.length && this.#credit > 0 && hasRoom) {
      const size = Math.min(chunk.length - at, this.#credit, MAX_DATA_BYTES)
      this.#credit -= size
      hasRoom = this.#actions.write(TYPE.data, size, chunk.subarray(at, at + size))
      at += size
    }
    if (at === chunk.length && hasRoom) return this.#release()
    // The last part of a chunk counts as sent once the pipe has room: streams take turns.
    waiting.chunk = chunk.subarray(at)
    if (!hasRoom) this.#block()
  }
}
