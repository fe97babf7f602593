// The sending end of a channel. It keeps order, and makes `send` wait while the frontend is behind. What handlers hold is a
// handle of it: when nobody holds one any more, nobody can send, and the channel ends.
import {
  BusError,
  type CallHeaders,
  type CallMessage,
  CHANNEL_WINDOW,
  isUint8Array,
  MAX_CHANNELS,
  MAX_KEPT,
  MAX_KEPT_BYTES,
  METHOD,
  parseChannelReference,
  STREAM_HEADER,
} from '@sallyport/protocol'
import type { BatchSource } from './batching.js'
import { type Encoded, getSize } from './send-queue.js'
import type { SessionWriter } from './writer.js'

/** An ordered stream to the frontend that passed the channel as an argument. */
export interface Channel<T = unknown> {
  readonly id: number
  /**
   * Aborts when nobody receives any more: the frontend has closed the channel, given up its call, or is gone; and where the call
   * that opened it has failed.
   */
  readonly signal: AbortSignal
  /**
   * Sends a message, as it is now; resolves when there is room for the next. At most 256 messages are under way at a time. Of
   * a sender that does not wait, 65 536 messages or 64 MiB wait here.
   *
   * @param options.transfer buffers to give away rather than copy: each that of the whole message, or of a top-level member
   * @throws BusError `Disconnected` when the channel has ended or been closed, or its frontend is gone; `InvalidParams` for a
   * value that can't be carried; `Overloaded` where too much waits already.
   */
  send(message: T, options?: SendOptions): Promise<void>
  /** Ends the stream, after all that was sent. The frontend's iterators finish. */
  end(): void
}

export interface SendOptions {
  transfer?: readonly ArrayBufferLike[]
}

/** What a channel needs of its frontend's session. */
export type ChannelSender = Pick<SessionWriter, 'encode' | 'put' | 'post' | 'room' | 'isFull'>

interface Waiting {
  index: number
  encoded: Encoded
  resolve(): void
  reject(error: BusError): void
}

/** Of every message for which there is room. */
const SENT: Promise<void> = Promise.resolve()

/** A handle that is collected without `end` ends the channel, where it was the last: as the drop of a channel in Tauri. */
const collected = new FinalizationRegistry<SendingChannel>(channel => channel.release())

/** What a handler holds. */
export class ChannelHandle implements Channel {
  readonly #channel: SendingChannel

  constructor(channel: SendingChannel) {
    this.#channel = channel
    collected.register(this, channel)
  }

  get id(): number {
    return this.#channel.id
  }

  get signal(): AbortSignal {
    return this.#channel.signal
  }

  send(message: unknown, options?: SendOptions): Promise<void> {
    return this.#channel.send(message, options)
  }

  end(): void {
    this.#channel.end()
  }
}

export class SendingChannel implements Channel, BatchSource {
  readonly id: number
  readonly #sender: ChannelSender
  readonly #forget: () => void
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #room: number = CHANNEL_WINDOW
  /** What the frontend says that it has taken, while the link waits for it to take what was sent. */
  #credited = 0
  #awaitsRoom = false
  #index = 0
  #handles = 0
  #controller: AbortController | undefined
  /** The handler has ended it; what waits is still sent. */
  #ending = false
  #over = false
  /** What ended it before its handler did. */
  #why: string | undefined

  constructor(id: number, sender: ChannelSender, forget: () => void) {
    this.id = id
    this.#sender = sender
    this.#forget = forget
  }

  /** The number of the next message. */
  get index(): number {
    return this.#index
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#why !== undefined) this.#controller.abort(this.#disconnected())
    return this.#controller.signal
  }

  handle(): ChannelHandle {
    this.#handles++
    return new ChannelHandle(this)
  }

  /** A handle is gone. */
  release(): void {
    if (--this.#handles === 0) this.end()
  }

  send(message: unknown, options?: SendOptions): Promise<void> {
    try {
      if (this.#ending || this.#over) throw this.#disconnected()
      if (this.#sender.isFull || this.#waiting.length >= MAX_KEPT || this.#waitingBytes >= MAX_KEPT_BYTES) {
        throw new BusError('Overloaded', `Too much of channel ${this.id} waits already`, { data: { delivered: 'no' } })
      }
      const encoded = this.#sender.encode(this, message, options?.transfer)
      // A `toJSON` of the message may have ended it, or closed the link.
      if (this.#ending || this.#over) throw this.#disconnected()
      const index = this.#index++
      if (this.#room === 0) return unwatched(this.#wait(index, encoded))
      this.#put(index, encoded)
      return this.#sender.room() ?? SENT
    } catch (error) {
      return unwatched(Promise.reject(error as BusError))
    }
  }

  one(message: unknown, index: number): CallMessage {
    return { jsonrpc: '2.0', method: METHOD.channel, params: { channel: this.id, index, message } }
  }

  many(index: number): CallMessage {
    return { jsonrpc: '2.0', method: METHOD.channel, params: { channel: this.id, index, messages: null } }
  }

  end(): void {
    this.#ending = true
    if (this.#waiting.length === 0) this.#finish()
  }

  /** The call that has opened it has failed: it ends, and who holds it, and sends nothing just now, hears of it. */
  fail(): void {
    this.end()
    this.#why ??= `The call that has opened channel ${this.id} has failed`
    this.#controller?.abort(this.#disconnected())
  }

  /** The frontend has taken that many messages: it is believed once its link has room. */
  credit(messages: number): void {
    this.#credited = Math.min(CHANNEL_WINDOW, this.#credited + messages)
    if (this.#awaitsRoom) return
    const room = this.#sender.room()
    if (!room) return this.#goOn()
    this.#awaitsRoom = true
    void room.then(() => {
      this.#awaitsRoom = false
      this.#goOn()
    })
  }

  #goOn(): void {
    if (this.#over) return
    this.#room = Math.min(CHANNEL_WINDOW, this.#room + this.#credited)
    this.#credited = 0
    while (this.#room > 0 && this.#waiting.length > 0) {
      const { index, encoded, resolve } = this.#waiting.shift()!
      this.#waitingBytes -= getSize(encoded)
      this.#put(index, encoded)
      resolve()
    }
    if (this.#ending && this.#waiting.length === 0) this.#finish()
  }

  /** Nobody receives any more: nothing more is sent. */
  abandon(why: string): void {
    if (this.#over) return
    this.#over = true
    this.#why = why
    this.#forget()
    for (const { reject } of this.#waiting.splice(0)) reject(this.#disconnected())
    this.#controller?.abort(this.#disconnected())
  }

  #wait(index: number, encoded: Encoded): Promise<void> {
    this.#waitingBytes += getSize(encoded)
    return new Promise((resolve, reject) => this.#waiting.push({ index, encoded, resolve, reject }))
  }

  #put(index: number, encoded: Encoded): void {
    this.#sender.put(this, index, encoded)
    this.#room--
  }

  /** Made where it is needed: an error takes as long to make as a whole call. */
  #disconnected(): BusError {
    const why = this.#why ?? `Channel ${this.id} has ended`
    return new BusError('Disconnected', why, { data: { delivered: 'no' } })
  }

  #finish(): void {
    if (this.#over) return
    this.#over = true
    this.#forget()
    const params = { channel: this.id, index: this.#index, end: true }
    this.#sender.post({ jsonrpc: '2.0', method: METHOD.channel, params })
  }
}

/** A send that nobody awaits must not end core when the frontend goes away. */
function unwatched(sent: Promise<void>): Promise<void> {
  sent.catch(() => {})
  return sent
}

// The channels of one frontend. A channel comes in as a reference among the top-level arguments of a call, and takes its
// place there.

export class ChannelTable {
  readonly #open = new Map<number, SendingChannel>()
  readonly #sender: ChannelSender

  constructor(sender: ChannelSender) {
    this.#sender = sender
  }

  /**
   * Puts channels in the place of their references in `args`, and gives those that this call has opened: with the call they
   * end, where it fails.
   *
   * @throws BusError `Overloaded` beyond the bound
   */
  bind(args: unknown): readonly SendingChannel[] {
    if (typeof args !== 'object' || args === null || isUint8Array(args)) return NONE
    const named = args as Record<string, unknown>
    let opened: SendingChannel[] | undefined
    for (const key of Object.keys(named)) {
      const id = parseChannelReference(named[key])
      if (id === undefined) continue
      let channel = this.#open.get(id)
      if (!channel) {
        if (this.#open.size >= MAX_CHANNELS) throw this.#overloaded(opened)
        channel = this.#create(id)
        ;(opened ??= []).push(channel)
      }
      named[key] = channel.handle()
    }
    return opened ?? NONE
  }

  /**
   * The channel of a call that wants a stream: one of its own.
   *
   * @throws BusError `InvalidRequest`, `Overloaded` beyond the bound; what the call has opened is closed again then
   */
  openStream(headers: CallHeaders, opened: readonly SendingChannel[]): SendingChannel | undefined {
    const reference = headers[STREAM_HEADER]
    if (reference === undefined) return undefined
    if (this.#open.size >= MAX_CHANNELS) throw this.#overloaded(opened)
    const id = parseChannelReference(reference)
    if (id !== undefined && !this.#open.has(id)) return this.#create(id)
    for (const channel of opened) channel.end()
    throw new BusError('InvalidRequest', `The header ${STREAM_HEADER} must refer to a channel that is not open yet`)
  }

  /** Nobody takes its messages any more. */
  close(id: number): void {
    this.#open.get(id)?.abandon(`The frontend has closed channel ${id}`)
  }

  credit(id: number, messages: number): void {
    this.#open.get(id)?.credit(messages)
  }

  abandonAll(why: string): void {
    for (const channel of this.#open.values()) channel.abandon(why)
    this.#open.clear()
  }

  #create(id: number): SendingChannel {
    const channel = new SendingChannel(id, this.#sender, () => this.#open.delete(id))
    this.#open.set(id, channel)
    return channel
  }

  /** A call that is refused has no channels: what it opened is closed again. */
  #overloaded(opened: readonly SendingChannel[] = NONE): BusError {
    for (const channel of opened) channel.end()
    return new BusError('Overloaded', `More than ${MAX_CHANNELS} channels of one frontend are open`)
  }
}

const NONE: readonly SendingChannel[] = []
