// Sends the messages of a connection. Calls and events wait in a bounded queue while the link has no room, or while too many
// calls are in flight. Responses, cancels, credit and streams, which wait by themselves, bypass the queue: the peer may be waiting for them.
import {
  type Codec,
  type CodecName,
  codecs,
  type EncodedMessage,
  type Framing,
  getSize,
  type PackedMessage,
} from '@sallyport/protocol/internal/codec'
import {
  BusError,
  describeCommand,
  isBusError,
  notSerializable,
  toSentErrorObject,
  whyNotSerializable,
} from '@sallyport/protocol/internal/errors'
import type { CallMessage, Message } from '@sallyport/protocol/internal/message'
import {
  checkSize,
  countBytes,
  detachAttachments,
  type EncodedEvent,
  encodeMessage,
  isPacked,
  isStream,
  Outbox,
  type PendingCalls,
  type StreamSender,
  type StreamWriter,
  toPacked,
} from '@sallyport/protocol/internal/rpc'
import { BoundedQueue, IS_NODE, type QueueSlot } from '@sallyport/protocol/internal/util'
import { type Link, MAX_CLIENT_QUEUE, MAX_CLIENT_QUEUE_BYTES } from '@sallyport/protocol/internal/wire'
import { sendError } from './exposed-functions.js'
import { eventBatch } from '#node-features'

export interface FlowOptions {
  /** Calls that can be in flight at a time, 1 to 16384. Core refuses more. @default 16384 */
  maxInFlight?: number
  /**
   * The handling of calls beyond the window, and of calls and events when the link has no room. With `wait` they are
   * queued in the client, up to 65536 messages or 64 MiB. With `reject` they reject with `Overloaded`.
   *
   * @default 'wait'
   */
  overflow?: 'wait' | 'reject'
}

/** A call or an event, encoded when it was made: later changes of its arguments have no effect. */
export interface QueuedMessage extends PackedMessage {
  readonly id: number | undefined
  /** Notifications to send right after a call. */
  followers?: EncodedMessage[]
  /** Settles the promise of an event's sender. */
  sender?: { resolve(): void; reject(error: BusError): void }
}

export type CallCount = Pick<PendingCalls, 'size' | 'isFull'>

/** Buffers to transfer, already checked. They are detached when nothing else can fail. */
export type Transfer = readonly ArrayBufferLike[] | undefined

const NO_ATTACHMENTS: readonly Uint8Array[] = []

export class ClientQueue implements StreamWriter {
  readonly #link: Link
  readonly #codec: Codec
  readonly #pending: CallCount
  readonly #overflow: FlowOptions['overflow']
  readonly #outbox: Outbox
  #events: InstanceType<NonNullable<typeof eventBatch>> | undefined
  readonly #queue = new BoundedQueue<QueuedMessage>({ count: MAX_CLIENT_QUEUE, bytes: MAX_CLIENT_QUEUE_BYTES })
  /** Calls that were not sent, by id: those in the queue, and those that `finish` has dropped. */
  readonly #unsentCalls = new Map<number, QueueSlot<QueuedMessage>>()
  #isAwaitingRoom = false
  #isFinished = false

  /** @param pending calls without a response, those in the queue included */
  constructor(link: Link, codec: CodecName, pending: CallCount, { overflow = 'wait' }: FlowOptions = {}) {
    this.#link = link
    this.#codec = codecs[codec]
    this.#pending = pending
    this.#overflow = overflow
    this.#outbox = new Outbox(frame => link.send(frame))
  }

  get isEmpty(): boolean {
    return this.#queue.size === 0
  }

  /** Sends a call or an event, or queues and returns it. @throws {BusError} `Overloaded` if it must wait and cannot, `InvalidParams` */
  enqueue(message: CallMessage, transfer: Transfer): QueuedMessage | undefined {
    const mustWait = this.#mustWait(message.id !== undefined)
    if (mustWait && (this.#overflow === 'reject' || this.#queue.isFull)) throw this.overloaded(message)
    try {
      return this.#write(message, transfer, mustWait)
    } catch (cause) {
      if (isBusError(cause)) throw cause
      const problem = `cannot be serialized as ${this.#codec.name}: ${whyNotSerializable(cause, message.params)}`
      throw new BusError('InvalidParams', `Arguments of ${describeCommand(message.method)} ${problem}`, { cause })
    }
  }

  /** Sends an event, in a batch with those before it unless it is large. Returns false if it must be enqueued instead. @throws {BusError} */
  emit(event: string, payload: unknown): boolean {
    if (!eventBatch || this.#codec.name !== 'json' || this.#mustWait(false)) return false
    let encoded: EncodedEvent | string | undefined
    try {
      encoded = eventBatch.encode(event, payload)
    } catch {
      // The message is encoded again, and its error has the path of the value.
    }
    if (encoded === undefined) return false
    if (typeof encoded === 'string') {
      this.#checkLimit(encoded)
      this.#put(this.#codec, encoded)
    } else {
      this.#events ??= new eventBatch(this.#outbox)
      this.#events.add(encoded)
    }
    return true
  }

  /** Sends a call whose text is its message, as the codec writes it. Returns false if it must be enqueued instead. Not in pages. */
  declare sendCall: (text: string) => boolean

  static {
    if (IS_NODE) {
      ClientQueue.prototype.sendCall = function (this: ClientQueue, text) {
        if (this.#codec.name !== 'json' || this.#mustWait(true)) return false
        this.#outbox.put(this.#codec, text)
        return true
      }
    }
  }

  /** Sends or queues a call of the bus itself, which is never refused. */
  enqueueInternal(message: CallMessage): void {
    this.#write(message, undefined, this.#mustWait(true))
  }

  /** Sends a message without waiting in the queue. @throws what the codec throws if it cannot be serialized */
  sendNow(message: Message): void {
    this.#write(message, undefined, false)
  }

  /** Sends a message of the bus itself now, because queued calls can depend on it, or right after a queued call. */
  send(message: CallMessage, after?: number): void {
    const call = after === undefined ? undefined : this.#unsentCalls.get(after)?.item
    if (!call) return this.sendNow(message)
    call.followers ??= []
    call.followers.push(encodeMessage(this.#codec, message, true) as EncodedMessage)
  }

  room(): Promise<void> | undefined {
    return this.#link.room()
  }

  encode(stream: StreamSender, value: unknown): PackedMessage {
    const codec = this.#codec
    try {
      if (isStream(value)) throw new TypeError('an async iterable is not a value')
      const message = stream.createMessage(value ?? null, stream.index)
      return this.#pack(codec, encodeMessage(codec, message, true))
    } catch (cause) {
      throw notSerializable('A value of the stream', 'InvalidParams', cause, value)
    }
  }

  put({ codec, encoded, attachments, borrowed }: PackedMessage): void {
    this.#put(codec, encoded, attachments, borrowed)
  }

  fail(stream: StreamSender, error: BusError): void {
    sendError(this, object => stream.toMessage('error', object), error, toSentErrorObject)
  }

  /** Resolves once a queued event was sent and the link has room. */
  async waitForEvent(event: QueuedMessage): Promise<void> {
    await new Promise<void>((resolve, reject) => (event.sender = { resolve, reject }))
    await this.#link.room()
  }

  isUnsent(id: number): boolean {
    return this.#unsentCalls.has(id)
  }

  /** Removes a call. Returns false if it was sent before. */
  remove(id: number): boolean {
    const slot = this.#unsentCalls.get(id)
    if (!slot) return false
    this.#unsentCalls.delete(id)
    this.#queue.remove(slot)
    return true
  }

  /** Sends queued messages in order. Must be called after calls were settled while the queue is not empty. */
  drain(): void {
    if (this.#isFinished) return
    for (let message = this.#queue.peek(); message; message = this.#queue.peek()) {
      const isWindowFull = message.id !== undefined && this.#pending.isFull(this.#unsentCalls.size)
      if (isWindowFull) return
      if (this.#link.room() !== undefined) return this.#drainWhenRoom()
      this.#queue.shift()
      this.#putQueued(message)
    }
  }

  /** Sends queued events, and drops queued calls: the link closes next, so their responses could not arrive. */
  finish(): void {
    this.#isFinished = true
    for (const message of this.#queue.clear()) if (message.id === undefined) this.#putQueued(message)
    this.#outbox.flush()
  }

  /** Drops everything that was not sent: the link has closed. */
  end(createReason: () => BusError): void {
    // Only an event has a sender.
    for (const { sender } of this.#queue.clear()) sender?.reject(createReason())
    this.#unsentCalls.clear()
  }

  #mustWait(isCall: boolean): boolean {
    if (this.#queue.size > 0) return true
    // Calls that `finish` has dropped hold back later calls although the queue is empty.
    if (this.#isFinished && this.#unsentCalls.size > 0) return true
    return (isCall && this.#pending.isFull()) || this.#link.room() !== undefined
  }

  #write(message: Message, transfer: Transfer, mustWait: boolean): QueuedMessage | undefined {
    const codec = this.#codec
    const encoded = encodeMessage(codec, message, true)
    // Most messages need no object.
    if (!mustWait && transfer === undefined && (typeof encoded === 'string' || !isPacked(encoded))) {
      if (this.#link.maxMessageBytes !== undefined) this.#checkLimit(encoded, 0)
      this.#put(codec, encoded)
      return undefined
    }
    const borrowed = this.#pack(codec, encoded)
    // Only what is sent immediately can stay the caller's memory.
    const owned = mustWait || transfer !== undefined ? detachAttachments(borrowed, transfer) : borrowed
    if (!mustWait) {
      this.put(owned)
      return undefined
    }
    const id = message.id as number | undefined
    const queued: QueuedMessage = { id, ...owned }
    const slot = this.#queue.push(queued, getSize(owned))
    if (id !== undefined) this.#unsentCalls.set(id, slot)
    this.#drainWhenRoom()
    return queued
  }

  /** @throws {BusError} InvalidParams if the peer would refuse the message, and end the link for it */
  #checkLimit(encoded: EncodedMessage, attached = 0): void {
    const limit = this.#link.maxMessageBytes
    if (limit !== undefined) checkSize(encoded, limit, attached)
  }

  /** Its attachments are the caller's memory. */
  #pack(codec: Codec, encoded: EncodedMessage | PackedMessage): PackedMessage {
    const packed = toPacked(codec, encoded)
    this.#checkLimit(packed.encoded, countBytes(packed.attachments))
    return packed
  }

  #putQueued(queued: QueuedMessage): void {
    const { id, followers, sender } = queued
    if (id !== undefined) this.#unsentCalls.delete(id)
    this.put(queued)
    for (const follower of followers ?? []) this.#put(this.#codec, follower)
    sender?.resolve()
  }

  #put(codec: Framing, encoded: EncodedMessage, attachments = NO_ATTACHMENTS, borrowed?: boolean): void {
    const { frameMessages = Infinity } = this.#link
    // More calls in flight pay for larger frames.
    this.#outbox.maxMessages = Math.max(frameMessages, this.#pending.size >> 3)
    this.#outbox.put(codec, encoded, attachments, borrowed)
  }

  #drainWhenRoom(): void {
    if (this.#isAwaitingRoom) return
    this.#isAwaitingRoom = true
    // There can be room by now, since the link was asked before: nothing else would drain the queue then.
    void Promise.resolve(this.#link.room()).then(() => {
      this.#isAwaitingRoom = false
      this.drain()
    })
  }

  protected overloaded({ id }: CallMessage): BusError {
    const isCall = id !== undefined
    const isFull = isCall && this.#pending.isFull()
    let reason = 'too many messages wait'
    if (this.#overflow === 'reject') {
      reason = isFull ? `${this.#pending.size} calls are in flight (option "maxInFlight")` : 'the link has no room'
    }
    return new BusError('Overloaded', `${isCall ? 'Call' : 'Event'} not sent: ${reason}`, {
      ...(isFull && { code: 'TOO_MANY_CALLS' }),
      data: { delivered: 'no' },
    })
  }
}
