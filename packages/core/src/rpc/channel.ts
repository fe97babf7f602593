// The sending end of channels. A channel keeps order and makes `send` wait while the frontend is behind. Handlers hold handles:
// once all handles of a channel are garbage, no more can be sent, and the channel ends.
import {
  BoundedQueue,
  BusError,
  CHANNEL_MESSAGE_COST,
  CHANNEL_READ_AHEAD,
  MAX_CHANNELS,
  MAX_SESSION_QUEUE,
  MAX_SESSION_QUEUE_BYTES,
  METHOD,
  parseChannelReference,
  ReceivedStream,
  type StreamCaller,
  STREAM_HEADER,
  toStreamReference,
} from '@sallyport/protocol/internal'
import type { BatchSource, CallChannels, CallHeaders, CallMessage, TransferOptions } from '@sallyport/protocol/internal'
import { type Encoded, getSize, type SessionQueue } from './session-queue.js'
import type { SessionWriter } from './writer.js'

/** An ordered stream to the frontend that passed the channel as an argument. */
export interface Channel<T = unknown> {
  /** The number in `__CHANNEL__:<id>`. */
  readonly id: number
  /**
   * Aborts when messages no longer arrive: the frontend closed the channel, cancelled its call or disconnected, or the call that
   * opened the channel failed.
   */
  readonly signal: AbortSignal
  /**
   * Sends the message as it is now. Resolves when there is room for the next one: until the frontend has read some, at most `readAhead`
   * bytes (4 MiB) are in flight. Each message counts 1 KiB more. If the sender does not wait, up to 65 536 messages or 64 MiB are queued.
   *
   * @throws {BusError} `Disconnected` if the channel has ended or was closed, or its frontend disconnected; `InvalidParams` if
   * the message cannot be serialized; `Overloaded` if too much is queued
   */
  send(message: T, options?: TransferOptions): Promise<void>
  /** Ends the stream after all messages that were sent. The frontend's iterators finish. */
  end(): void
}

/** The parts of a session that channels use. */
export type ChannelWriter = Pick<SessionWriter, 'encode' | 'send'>
export type ChannelQueue = Pick<SessionQueue, 'sendValue' | 'room' | 'isFull'>

/** A channel that a call opened, or a stream among its arguments. */
export interface CallChannel {
  /** Ends because the call never ran. */
  end(): void
  /** Ends because the call failed. */
  fail(): void
  /** Ends because the call was aborted. */
  abandon(message: string, reason?: BusError): void
  /** The call is over. A channel remains open. */
  release?(): void
}

/** A stream among the arguments of a call, which ends with the call. */
class CallStream implements CallChannel {
  readonly #stream: ReceivedStream
  readonly #closed: () => void

  constructor(stream: ReceivedStream, closed: () => void) {
    this.#stream = stream
    this.#closed = closed
  }

  end(): void {
    this.abandon()
  }

  fail(): void {
    this.abandon()
  }

  release(): void {
    this.abandon()
  }

  abandon(_message?: string, reason?: BusError): void {
    this.#closed()
    ReceivedStream.end(this.#stream, reason)
  }
}

type QueuedSend = { encoded: Encoded; resolve(): void; reject(error: BusError): void }

/** Shared by all messages for which there is room. */
const SENT: Promise<void> = Promise.resolve()

const QUEUE_LIMITS = { count: MAX_SESSION_QUEUE, bytes: MAX_SESSION_QUEUE_BYTES }

/** Releases handles that are collected without `end`, as dropping a channel does in Tauri. */
const collectedHandles = new FinalizationRegistry<SendingChannel>(channel => channel.releaseHandle())

export class ChannelHandle implements Channel {
  readonly #channel: SendingChannel

  constructor(channel: SendingChannel) {
    this.#channel = channel
    collectedHandles.register(this, channel)
  }

  get id(): number {
    return this.#channel.id
  }

  get signal(): AbortSignal {
    return this.#channel.signal
  }

  send(message: unknown, options?: TransferOptions): Promise<void> {
    return this.#channel.send(message, options)
  }

  end(): void {
    this.#channel.end()
  }
}

export class SendingChannel implements Channel, BatchSource, CallChannel {
  readonly id: number
  readonly #writer: ChannelWriter
  readonly #queue: ChannelQueue
  readonly #closed: () => void
  readonly #queued = new BoundedQueue<QueuedSend>(QUEUE_LIMITS)
  readonly #window: number
  /** Cost of the messages in flight. */
  #inFlight = 0
  /** The part of it for which the frontend was not asked for credit. */
  #unasked = 0
  /** Credit that counts once the link has room. */
  #credited = 0
  #isAwaitingRoom = false
  #index = 0
  #handleCount = 0
  #controller: AbortController | undefined
  /** The handler has ended the channel. Queued messages are still sent. */
  #isEnding = false
  #isOver = false
  /** The reason if the handler did not end the channel. */
  #failure: string | undefined

  /**
   * @param readAhead cost of the messages that can be in flight; the last one can exceed it
   * @param closed is called once, when the id can be used again
   */
  constructor(id: number, writer: ChannelWriter, queue: ChannelQueue, readAhead: number, closed: () => void) {
    this.id = id
    this.#window = readAhead
    this.#writer = writer
    this.#queue = queue
    this.#closed = closed
  }

  /** Number of the next message. */
  get index(): number {
    return this.#index
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#failure !== undefined) this.#controller.abort(this.#createError())
    return this.#controller.signal
  }

  createHandle(): ChannelHandle {
    this.#handleCount++
    return new ChannelHandle(this)
  }

  releaseHandle(): void {
    if (--this.#handleCount === 0) this.end()
  }

  send(message: unknown, options?: TransferOptions): Promise<void> {
    try {
      if (this.#isEnding || this.#isOver) throw this.#createError()
      if (this.#queue.isFull || this.#queued.isFull) {
        const text = `The message was not sent: too many messages of channel ${this.id} are queued`
        throw new BusError('Overloaded', text, { data: { delivered: 'no' } })
      }
      const encoded = this.#writer.encode(this, message, options?.transfer)
      // A `toJSON` of the message can have ended the channel, or closed the link.
      if (this.#isEnding || this.#isOver) throw this.#createError()
      const index = this.#index++
      if (this.#inFlight < this.#window) {
        this.#sendNow(index, encoded)
        return this.#queue.room() ?? SENT
      }
      const bytes = getSize(encoded)
      const sent = new Promise<void>((resolve, reject) => this.#queued.push({ encoded, resolve, reject }, bytes))
      return ignoreRejection(sent)
    } catch (error) {
      return ignoreRejection(Promise.reject(error as BusError))
    }
  }

  createMessage(message: unknown, index: number): CallMessage {
    return { jsonrpc: '2.0', method: METHOD.channel, params: { channel: this.id, index, message } }
  }

  createBatch(index: number): CallMessage {
    return { jsonrpc: '2.0', method: METHOD.channel, params: { channel: this.id, index, messages: null } }
  }

  end(): void {
    this.#isEnding = true
    if (this.#queued.size === 0) this.#finish()
  }

  /** Ends the channel because the call that opened it failed. Holders of a handle see the signal abort. */
  fail(): void {
    this.end()
    this.#failure ??= `The call that opened channel ${this.id} failed`
    this.#controller?.abort(this.#createError())
  }

  /** Takes credit from the frontend. A false claim gains nothing, because credit counts only once the link has room. */
  credit(bytes: number): void {
    this.#credited = Math.min(this.#inFlight, this.#credited + bytes)
    if (this.#isAwaitingRoom) return
    const room = this.#queue.room()
    if (!room) return this.#useCredit()
    this.#isAwaitingRoom = true
    void room.then(() => {
      this.#isAwaitingRoom = false
      this.#useCredit()
    })
  }

  /** Stops the channel because its messages are no longer received. Queued messages are rejected. */
  abandon(reason: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#failure = reason
    this.#closed()
    for (const { reject } of this.#queued.clear()) reject(this.#createError())
    this.#controller?.abort(this.#createError())
  }

  #useCredit(): void {
    if (this.#isOver) return
    this.#inFlight -= this.#credited
    this.#credited = 0
    while (this.#queued.size > 0 && this.#inFlight < this.#window) {
      const index = this.#nextIndex
      const { encoded, resolve } = this.#queued.shift()!
      this.#sendNow(index, encoded)
      resolve()
    }
    if (this.#isEnding && this.#queued.size === 0) this.#finish()
  }

  /** Number of the next message to be sent. */
  get #nextIndex(): number {
    return this.#index - this.#queued.size
  }

  #sendNow(index: number, encoded: Encoded): void {
    this.#queue.sendValue(this, index, encoded)
    const cost = getSize(encoded) + CHANNEL_MESSAGE_COST
    this.#inFlight += cost
    this.#unasked += cost
    if (this.#unasked < this.#window / 4) return
    this.#writer.send({ jsonrpc: '2.0', method: METHOD.channel, params: { channel: this.id, credit: this.#unasked } })
    this.#unasked = 0
  }

  /** Errors are created only when needed, because creating one takes as long as a whole call. */
  #createError(): BusError {
    const reason = this.#failure ?? `Channel ${this.id} has ended`
    return new BusError('Disconnected', reason, { data: { delivered: 'no' } })
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#closed()
    const params = { channel: this.id, index: this.#index, end: true }
    this.#writer.send({ jsonrpc: '2.0', method: METHOD.channel, params })
  }
}

/** Keeps a `send` that is not awaited from ending core when the frontend disconnects. */
function ignoreRejection(sent: Promise<void>): Promise<void> {
  sent.catch(() => {})
  return sent
}

/**
 * The open channels of one session, and the streams among the arguments of its calls. A frontend declares both among the top-level
 * arguments of a call.
 */
export class ChannelTable {
  readonly #open = new Map<number, SendingChannel>()
  readonly #writer: ChannelWriter
  readonly #queue: ChannelQueue
  readonly #caller: StreamCaller
  readonly #readAhead: number
  readonly #getTotal: () => number
  /** The streams of calls in flight. */
  readonly #streams = new Set<ReceivedStream>()

  /** @param getTotal - returns the size of this table, with those of other sessions that share the limit */
  constructor(
    writer: ChannelWriter,
    queue: ChannelQueue,
    caller: StreamCaller,
    readAhead: number = CHANNEL_READ_AHEAD,
    getTotal: () => number = () => this.size,
  ) {
    this.#getTotal = getTotal
    this.#caller = caller
    this.#writer = writer
    this.#queue = queue
    this.#readAhead = readAhead
  }

  /** Number of open channels and streams. */
  get size(): number {
    return this.#open.size + this.#streams.size
  }

  /**
   * Replaces the references of declared channels and streams in `args`. Returns those that this call opened.
   *
   * @throws {BusError} `Overloaded`
   */
  bind(args: unknown, declared: CallChannels): readonly CallChannel[] {
    const members = args as Record<string, unknown>
    const entries = Object.entries(declared)
    const channels = entries.filter(([name, id]) => members[name] !== toStreamReference(id))
    const unopened = new Set(channels.map(([, id]) => id).filter(id => !this.#open.has(id)))
    const streamCount = entries.length - channels.length
    if (this.#getTotal() + unopened.size + streamCount > MAX_CHANNELS) throw createLimitError()
    const opened: CallChannel[] = Array.from(unopened, id => this.#create(id))
    for (const [name, id] of channels) members[name] = this.#open.get(id)!.createHandle()
    if (streamCount === 0) return opened
    for (const [name, id] of entries) {
      if (members[name] !== toStreamReference(id)) continue
      const stream = new ReceivedStream(id, this.#caller)
      this.#streams.add(stream)
      opened.push(new CallStream(stream, () => this.#streams.delete(stream)))
      members[name] = stream
    }
    return opened
  }

  /** Opens the channel of a call that wants a stream, or ends `opened`, the call's other channels. @throws {BusError} */
  openStream(headers: CallHeaders, opened: readonly CallChannel[]): SendingChannel | undefined {
    const reference = headers[STREAM_HEADER]
    if (reference === undefined) return undefined
    const id = parseChannelReference(reference)
    const isFull = this.#getTotal() >= MAX_CHANNELS
    if (!isFull && id !== undefined && !this.#open.has(id)) return this.#create(id)
    for (const channel of opened) channel.end()
    if (isFull) throw createLimitError()
    throw new BusError('InvalidRequest', `The header ${STREAM_HEADER} must refer to a channel that is not open yet`)
  }

  close(id: number): void {
    this.#open.get(id)?.abandon(`The frontend closed channel ${id}`)
  }

  credit(id: number, bytes: number): void {
    this.#open.get(id)?.credit(bytes)
  }

  abandonAll(reason: string): void {
    for (const channel of this.#open.values()) channel.abandon(reason)
    this.#open.clear()
  }

  #create(id: number): SendingChannel {
    const channel = new SendingChannel(id, this.#writer, this.#queue, this.#readAhead, () => this.#open.delete(id))
    this.#open.set(id, channel)
    return channel
  }
}

const createLimitError = (): BusError =>
  new BusError('Overloaded', `More than ${MAX_CHANNELS} channels and streams of one frontend are open`)
