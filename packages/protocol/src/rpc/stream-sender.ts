// The sending end of a stream: its messages leave in order, while the receiver gives credit for them. Channels, the values that a handler
// yields, and the streams among the arguments or the results of calls are sent by it, from core and from frontends.
//
//   const progress = new StreamSender(7, writer, CHANNEL_READ_AHEAD, closed)
//   await progress.send({ percent: 50 }) // $/channel { channel: 7, index: 0, message }, once there is room
//   progress.end()                       // $/channel { channel: 7, index: 1, end: true }
import { IS_NODE } from '#platform'
import { type EncodedMessage, getSize, type PackedMessage } from '../codec/codec.js'
import { BusError } from '../errors/bus-error.js'
import type { CallProgress } from './call-options.js'
import { type CallMessage, type Message, METHOD } from '../wire/messages.js'
import { leaveIterator } from '../util/async-iterable.js'
import { BoundedQueue } from '../util/bounded-queue.js'
import { CHANNEL_MESSAGE_COST, MAX_SESSION_QUEUE, MAX_SESSION_QUEUE_BYTES } from '../wire/limits.js'
import { type BatchSource, detachAttachments, isPacked } from './outbox.js'

/** An encoded value, which can be batched, or a whole message, which is sent alone. */
export type Encoded = EncodedMessage | PackedMessage

type Buffers = readonly ArrayBufferLike[]

/** What streams need of the side of the link that sends them. */
export interface StreamWriter {
  /** True if the link has no room, and no further message can wait for it. */
  readonly isFull?: boolean
  /** Encodes the next message, for `put` now or later. @throws {BusError} `InvalidParams` */
  encode(stream: StreamSender, message: unknown, transfer?: Buffers): Encoded
  put(encoded: Encoded, stream: StreamSender, index: number): void
  /** Sends a message of the bus itself. @param after - the id of a call that it must not overtake */
  send(message: Message, after?: number): void
  /** Sends the end of a stream that has failed, with this error. */
  fail(stream: StreamSender, error: BusError): void
  /** Returns `undefined` while the link has room, else a promise that resolves once it has. */
  room(): Promise<void> | undefined
}

type QueuedSend = { encoded: Encoded; resolve(): void; reject(error: BusError): void }

/** Shared by all messages for which there is room. */
export const SENT: Promise<void> = Promise.resolve()

const QUEUE_LIMITS = { count: MAX_SESSION_QUEUE, bytes: MAX_SESSION_QUEUE_BYTES }

export class StreamSender implements BatchSource {
  readonly id: number
  /** Called with the message of the error when the messages are no longer received. */
  declare left: ((message: string) => void) | undefined
  /** The deadline of a call that each message extends once it was read: see `watchSenders`. */
  declare progress: CallProgress | undefined
  readonly #writer: StreamWriter
  readonly #closed: (wasLeft: boolean) => void
  readonly #window: number
  #begin: (() => void) | undefined
  readonly #queued = new BoundedQueue<QueuedSend>(QUEUE_LIMITS)
  #inFlight = 0
  /** The part of it for which the receiver was not asked for credit. */
  #unasked = 0
  /** Credit that counts once the link has room. */
  #credited = 0
  #index = 0
  /** The sender has ended the stream. Queued messages are still sent. */
  #isEnding = false
  #isOver = false
  #failureMessage: string | undefined
  #error: BusError | undefined
  /** Resolves once the latest message that had to wait was sent, or nobody reads it. */
  #latest: Promise<void> | undefined
  /** A message was refused because too many waited, and no call has failed for it yet. */
  #hasRefused = false

  /**
   * @param window cost of the messages that can be in flight; the last one can exceed it
   * @param closed is called once, when the id can be used again: with true if the receiver, or the end of the call, has ended the stream
   * @param begin is called with the first credit, if nothing is sent before
   */
  constructor(
    id: number,
    writer: StreamWriter,
    window: number,
    closed: (wasLeft: boolean) => void,
    begin?: () => void,
  ) {
    this.id = id
    this.#window = window
    this.#begin = begin
    this.#writer = writer
    this.#closed = closed
  }

  get isOpen(): boolean {
    return !this.#isOver
  }

  get index(): number {
    return this.#index
  }

  /** Set by what forwards to this stream: returns a promise that resolves once it has sent on what it has by now, or `undefined`. */
  declare held: (() => Promise<void> | undefined) | undefined
  /** See `awaitSent`. Not in pages. */
  declare sent: () => Promise<void> | undefined

  static {
    if (IS_NODE) {
      StreamSender.prototype.sent = function (this: StreamSender) {
        const getOwn = (): Promise<void> | undefined => {
          if (!this.#hasRefused) return this.#queued.size > 0 ? this.#latest : undefined
          this.#hasRefused = false
          return Promise.reject(this.#createError('unknown'))
        }
        return this.held?.()?.then(getOwn) ?? getOwn()
      }
    }
  }

  /** Sends a message as it is now. Resolves when there is room for the next one. */
  send(message: unknown, transfer?: Buffers): Promise<void> {
    try {
      if (this.#isEnding || this.#isOver) throw this.#createError()
      if (this.#writer.isFull || this.#queued.isFull) {
        if (IS_NODE) this.#hasRefused = true
        throw this.#createError('no')
      }
      const encoded = this.#writer.encode(this, message, transfer)
      // A `toJSON` of the message can have ended the stream, or closed the link.
      if (this.#isEnding || this.#isOver) throw this.#createError()
      const index = this.#index++
      if (this.#inFlight < this.#window) {
        this.#sendNow(index, encoded)
        return this.#writer.room() ?? SENT
      }
      const owned = isPacked(encoded) && encoded.borrowed ? detachAttachments(encoded) : encoded
      const sent = new Promise<void>((resolve, reject) =>
        this.#queued.push({ encoded: owned, resolve, reject }, getSize(owned)),
      )
      const settled = sent.catch(() => {})
      if (IS_NODE) this.#latest = settled
      return sent
    } catch (error) {
      return ignoreRejection(Promise.reject(error))
    }
  }

  createMessage(value: unknown, index: number, isBatch?: boolean): CallMessage {
    return this.toMessage(isBatch ? 'messages' : 'message', value, index)
  }

  toMessage(member: string, value: unknown, index: number = this.#index): CallMessage {
    return { jsonrpc: '2.0', method: METHOD.channel, params: { channel: this.id, index, [member]: value } }
  }

  /** Ends the stream after all messages that were sent. @param error - why it has no more of them, for the receiver */
  end(error?: BusError): void {
    if (this.#isEnding) return
    this.#isEnding = true
    this.#error = error
    if (this.#queued.size === 0) this.#finish()
  }

  /** Takes credit from the receiver. A false claim gains nothing, because credit counts only once the link has room. */
  credit(bytes: number): void {
    if (IS_NODE) this.progress?.record()
    this.#credited = Math.min(this.#inFlight, this.#credited + bytes)
    const room = this.#writer.room()
    if (room) void room.then(() => this.#useCredit())
    else this.#useCredit()
    this.#begin?.()
    this.#begin = undefined
  }

  /** Stops the stream because its messages are no longer received. Queued messages are rejected. */
  abandon(message = `The reader closed channel ${this.id}`): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#failureMessage = message
    this.#closed(true)
    let error: BusError | undefined
    for (const { reject } of this.#queued.clear()) reject((error ??= this.#createError()))
    this.left?.(message)
  }

  #useCredit(): void {
    if (this.#isOver) return
    this.#inFlight -= this.#credited
    this.#credited = 0
    while (this.#queued.size > 0 && this.#inFlight < this.#window) {
      const index = this.#index - this.#queued.size
      const { encoded, resolve } = this.#queued.shift()!
      this.#sendNow(index, encoded)
      resolve()
    }
    if (this.#isEnding && this.#queued.size === 0) this.#finish()
  }

  #sendNow(index: number, encoded: Encoded): void {
    // Before the link can transfer the bytes, which leaves none here.
    const cost = getSize(encoded) + CHANNEL_MESSAGE_COST
    this.#writer.put(encoded, this, index)
    this.#inFlight += cost
    this.#unasked += cost
    // The deadline of a call needs to know of each message that was read.
    if (this.#unasked < this.#window / 4 && !(IS_NODE && this.progress)) return
    this.#writer.send(this.toMessage('credit', this.#unasked))
    this.#unasked = 0
  }

  /** Errors are created only when needed, because creating one takes as long as a whole call. */
  #createError(overload?: 'no' | 'unknown'): BusError {
    const ended = this.#failureMessage ?? `Channel ${this.id} has ended`
    const message = overload ? `Too many messages of channel ${this.id} are queued` : ended
    return new BusError(overload ? 'Overloaded' : 'Disconnected', message, { data: { delivered: overload ?? 'no' } })
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#closed(false)
    if (this.#error) this.#writer.fail(this, this.#error)
    else this.#writer.send(this.toMessage('end', true))
  }
}

/**
 * Returns `undefined` if these streams have sent all messages that they have accepted, else a promise that resolves once they have. The answer of the call
 * that has sent them waits for it, so that a sender that awaits nothing loses nothing.
 *
 * @throws {BusError} Overloaded, by the promise, if a message was refused: its sender need not have looked
 */
export function awaitSent(streams: readonly { sent?(): Promise<void> | undefined }[]): Promise<unknown> | undefined {
  const waiting = streams.flatMap(stream => stream.sent?.() ?? [])
  return waiting.length > 0 ? Promise.all(waiting) : undefined
}

/** Keeps a `send` that is not awaited from ending the thread when the receiver disconnects. */
function ignoreRejection(sent: Promise<void>): Promise<void> {
  sent.catch(() => {})
  return sent
}

/**
 * Sends the values of an iterator. Returns false if the stream was closed before. Leaves the iterator, without waiting for it, if a value
 * cannot be sent.
 *
 * @throws the iterator's own errors, too
 */
export async function sendEach(
  iterator: AsyncIterator<unknown>,
  stream: StreamSender,
  takeTransfer?: (value: unknown) => Buffers | undefined,
): Promise<boolean> {
  for (;;) {
    const { done, value } = await iterator.next()
    if (done || !stream.isOpen) return stream.isOpen
    try {
      await stream.send(value, takeTransfer?.(value))
    } catch (error) {
      if (!stream.isOpen) return false
      void leaveIterator(iterator)
      throw error
    }
  }
}
