// Many streams over one pipe, such as all that a process says and hears. Each direction of a stream has a window of its own: a stream that
// is not read delays no other, and what waits for its reader is bounded. A record is an id, a type, a number, and the bytes of `data`.
import { Duplex, type Readable, type Writable } from 'node:stream'
import { nextTick } from '#platform'
import { BusError } from '../errors/bus-error.js'
import { keepOwn } from '../wire/link.js'
import { ignoreWriteErrors } from './stream-link.js'

const HEADER_BYTES = 9
/** No text has these bytes in UTF-8, and other data hardly: what is written to the pipe beside the streams is no record that waits for its rest. */
const TYPE = { data: 0xf9, credit: 0xfa, end: 0xfb, reset: 0xfc } as const
/** Bytes that one side sends before the other has read some of them. */
const WINDOW_BYTES = 2 ** 16
/** Of one record, so that streams take turns. */
const MAX_DATA_BYTES = 2 ** 14
/** Smaller records are copied behind their header. */
const SMALL_BYTES = 2 ** 12

const createMuxError = (what: string): BusError =>
  new BusError('InvalidRequest', `The peer violated the protocol of a pipe with many streams: ${what}`)

/** Bytes that something else can print before the peer greets. */
const MAX_SKIPPED_BYTES = 2 ** 16

export interface MultiplexerEvents {
  /** The first bytes of the peer. What comes before is not its own, such as what a login shell prints. */
  readonly greeting?: string
  /** What comes before, as it arrives. */
  skipped?(bytes: Buffer): void
  /** The peer has sent the first data of a stream: it is open if this end has called `open` with the id when this returns. */
  opened?(id: number): void
  /** The pipe has closed, with the violation of the peer, if there was one. All streams are destroyed then. */
  closed(fault?: BusError): void
}

export class StreamMultiplexer {
  readonly #input: Readable
  readonly #output: Writable
  readonly #events: MultiplexerEvents
  readonly #streams = new Map<number, MuxStream>()
  readonly #blocked = new Set<MuxStream>()
  #rest: Buffer = Buffer.alloc(0)
  /** Not yet received. */
  #greeting: string | undefined
  #skipped = 0
  /** What the peer can still send to streams that are not open: a window to those that never were, and the rest of it to those that have closed. */
  #droppable = WINDOW_BYTES
  #isCorked = false
  #isOpen = true
  #fault: BusError | undefined

  constructor(input: Readable, output: Writable, events: MultiplexerEvents) {
    this.#input = input
    this.#output = output
    this.#events = events
    this.#greeting = events.greeting
    ignoreWriteErrors(output)
    input.on('data', (chunk: Buffer) => this.#receive(chunk))
    output.on('drain', () => this.#drained())
    for (const pipe of [input, output]) pipe.on('error', () => {})
    input.on('end', () => this.close())
    input.on('close', () => this.#closed())
  }

  /** True once the peer has greeted, if it has to. */
  get isGreeted(): boolean {
    return this.#greeting === undefined
  }

  /** Writes what this tick has sent. */
  flush(): void {
    while (this.#isCorked) {
      this.#isCorked = false
      this.#output.uncork()
      // It has room again, which it says in a later tick.
      if (this.#output.writableLength === 0) this.#drained()
    }
  }

  /** Opens a stream. Both ends open it with the same id, each id once. */
  open(id: number): Duplex {
    const stream = new MuxStream({
      write: (type, number, body) => this.#write(id, type, number, body),
      blocked: () => this.#blocked.add(stream),
      closed: () => {
        // The peer might not know yet. Before it does, it ends the stream, too, or resets it.
        if (this.#streams.delete(id)) this.#droppable += stream.expected + 2
      },
    })
    if (this.#isOpen) this.#streams.set(id, stream)
    else stream.destroy()
    return stream
  }

  close(): void {
    this.#output.destroy()
    this.#input.destroy()
  }

  #write(id: number, type: number, number: number, body?: Uint8Array): boolean {
    if (!this.#isOpen) return true
    if (!this.#isCorked) {
      this.#isCorked = true
      this.#output.cork()
      nextTick(() => this.flush())
    }
    const isCopied = body !== undefined && body.length <= SMALL_BYTES
    const header = Buffer.allocUnsafe(HEADER_BYTES + (isCopied ? body.length : 0))
    header.writeUInt32LE(id, 0)
    header[4] = type
    header.writeUInt32LE(number, 5)
    if (isCopied) header.set(body, HEADER_BYTES)
    const hasRoom = this.#output.write(header)
    return body === undefined || isCopied ? hasRoom : this.#output.write(body)
  }

  #drained(): void {
    const waiting = [...this.#blocked]
    this.#blocked.clear()
    for (const stream of waiting) stream.resumeWriting()
  }

  #receive(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    if (this.#greeting !== undefined) bytes = this.#awaitGreeting(bytes, this.#greeting)
    while (this.#isOpen && this.isGreeted && bytes.length >= HEADER_BYTES) {
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

  /** Returns what follows the greeting, or bytes that can be the first ones of it. */
  #awaitGreeting(bytes: Buffer, greeting: string): Buffer {
    const at = bytes.indexOf(greeting)
    let begin = at < 0 ? Math.max(0, bytes.length - greeting.length + 1) : at
    while (at < 0 && !greeting.startsWith(bytes.toString('latin1', begin))) begin++
    this.#skipped += begin
    if (begin > 0) this.#events.skipped?.(bytes.subarray(0, begin))
    if (this.#skipped > MAX_SKIPPED_BYTES) this.#fail('no greeting')
    if (at < 0) return bytes.subarray(begin)
    this.#greeting = undefined
    return bytes.subarray(at + greeting.length)
  }

  #handle(id: number, type: number, number: number, body: Buffer): boolean {
    if (type === TYPE.data && !this.#streams.has(id)) this.#events.opened?.(id)
    const stream = this.#streams.get(id)
    if (stream === undefined) return this.#drop(type, number)
    switch (type) {
      case TYPE.data:
        if (!stream.receive(body)) return this.#fail('data behind the end, or beyond the window')
        return true
      case TYPE.credit:
        if (!stream.addCredit(number)) return this.#fail('more credit than the window')
        return true
      case TYPE.end:
        stream.receiveEnd()
        return true
      case TYPE.reset:
        stream.receiveReset()
        return true
      default:
        return this.#fail('invalid type of record')
    }
  }

  /** What arrives for a stream that this end has destroyed is dropped: the peer learns of it. */
  #drop(type: number, number: number): boolean {
    if (type < TYPE.data || type > TYPE.reset) return this.#fail('invalid type of record')
    this.#droppable -= type < TYPE.end ? Math.max(number, 1) : 1
    return this.#droppable >= 0 || this.#fail('too much for streams that are not open')
  }

  #fail(what: string): false {
    this.#fault ??= createMuxError(what)
    this.close()
    this.#closed()
    return false
  }

  #closed(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    if (this.#greeting !== undefined && this.#rest.length > 0) this.#events.skipped?.(this.#rest)
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

  /** Bytes that the peer can still send and take. */
  get expected(): number {
    return this.#granted + WINDOW_BYTES - this.#credit
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
    const waits = this.readableFlowing !== true || this.readableLength > 0
    if (!this.destroyed) this.push(waits ? keepOwn(body) : body)
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
