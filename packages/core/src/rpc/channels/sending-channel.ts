// The sending end of a channel, which keeps order and makes `send` wait while the frontend is behind.
import { type Codec, getSize } from '@sallyport/protocol/internal/codec'
import { BusError, isBusError } from '@sallyport/protocol/internal/errors'
import { type CallMessage, METHOD, type TransferOptions } from '@sallyport/protocol/internal/message'
import type { BatchSource } from '@sallyport/protocol/internal/rpc'
import { BoundedQueue } from '@sallyport/protocol/internal/util'
import { CHANNEL_MESSAGE_COST, MAX_SESSION_QUEUE, MAX_SESSION_QUEUE_BYTES } from '@sallyport/protocol/internal/wire'
import type { CallChannel, Channel } from './channel.js'
import { ChannelHandle } from './channel-handle.js'
import type { Encoded } from '../writing/waiting-messages.js'
import type { SessionWriter } from '../writing/writer.js'

/** The parts of a session's writer that channels use. */
export type ChannelWriter = Pick<SessionWriter, 'encode' | 'send' | 'put' | 'room' | 'isFull'>

type QueuedSend = { encoded: Encoded; resolve(): void; reject(error: BusError): void }

/** Shared by all messages for which there is room. */
const SENT: Promise<void> = Promise.resolve()

const QUEUE_LIMITS = { count: MAX_SESSION_QUEUE, bytes: MAX_SESSION_QUEUE_BYTES }

export class SendingChannel implements Channel, BatchSource, CallChannel {
  readonly id: number
  /** The codec of the messages, if that is not the codec of the link. */
  codec: Codec | undefined
  readonly #writer: ChannelWriter
  readonly #closed: () => void
  readonly #lost: (error: BusError) => void
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
   * @param lost is called with the error of a message that cannot be serialized, which the handler may not await
   */
  constructor(
    id: number,
    writer: ChannelWriter,
    readAhead: number,
    closed: () => void,
    lost: (error: BusError) => void,
  ) {
    this.id = id
    this.#window = readAhead
    this.#writer = writer
    this.#closed = closed
    this.#lost = lost
  }

  get isOpen(): boolean {
    return !this.#isOver
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
      if (this.#writer.isFull || this.#queued.isFull) {
        const text = `The message was not sent: too many messages of channel ${this.id} are queued`
        throw new BusError('Overloaded', text, { data: { delivered: 'no' } })
      }
      const encoded = this.#writer.encode(this, message, options?.transfer)
      // A `toJSON` of the message can have ended the channel, or closed the link.
      if (this.#isEnding || this.#isOver) throw this.#createError()
      const index = this.#index++
      if (this.#inFlight < this.#window) {
        this.#sendNow(index, encoded)
        return this.#writer.room() ?? SENT
      }
      const bytes = getSize(encoded)
      const sent = new Promise<void>((resolve, reject) => this.#queued.push({ encoded, resolve, reject }, bytes))
      return ignoreRejection(sent)
    } catch (error) {
      // A stream, which has no handle, fails with it.
      if (this.#handleCount > 0 && isBusError(error, 'InvalidParams')) this.#lost(error)
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
    const room = this.#writer.room()
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
    // Before the link can transfer the bytes, which leaves none here.
    const cost = getSize(encoded) + CHANNEL_MESSAGE_COST
    this.#writer.put(encoded, this, index)
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
