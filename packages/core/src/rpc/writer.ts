// Writes what core sends to one frontend: answers, calls, events and messages of channels. The frontend's codec encodes them.
// The outbox batches them; while the link has no room, they wait.
import { type Codec, type EncodedValue, getSize, WithBytes } from '@sallyport/protocol/internal/codec'
import {
  BusError,
  type CausedErrorObject,
  CommandError,
  describeCommand,
  notSerializable,
  toCausedErrorObject,
  toErrorObject,
  withoutData,
} from '@sallyport/protocol/internal/errors'
import {
  addTraceContext,
  type CallChannels,
  FIRST_CORE_CHANNEL,
  type Message,
  type RequestId,
  type RequestMessage,
  type TraceContext,
} from '@sallyport/protocol/internal/message'
import {
  type BatchSource,
  checkPacked,
  checkTransfer,
  detachAttachments,
  type Encoded,
  encodeMessage,
  FULL_BATCH_BYTES,
  isPacked,
  Outbox,
  type Outcome,
  type ScheduleFlush,
  type StreamSender,
  type StreamWriter,
  toPacked,
  ValueBatch,
} from '@sallyport/protocol/internal/rpc'
import {
  BoundedQueue,
  discard,
  isAsyncIterable,
  isError,
  nextTick,
  onNextTick,
  queueMicrotask,
  type QueueSlot,
} from '@sallyport/protocol/internal/util'
import {
  type Link,
  MAX_EVENT_QUEUE,
  MAX_EVENT_QUEUE_BYTES,
  MAX_SESSION_QUEUE,
  MAX_SESSION_QUEUE_BYTES,
} from '@sallyport/protocol/internal/wire'
import { takeTransfer } from '../api/transfer.js'
import type { Delivery, Payload } from '../events/router.js'
import { COUNT, type Counts } from '../shared/metrics.js'

type Buffers = readonly ArrayBufferLike[]

export interface SessionWriterEvents {
  /** The link has no room: messages wait from now on. */
  congested(): void
  /** The link has room again, and no message waits. */
  drained(): void
  dropped(count: number): void
  /** The link has room again after this many events were dropped. Messages sent from here leave before those that wait. */
  recovered(count: number): void
}

export class SessionWriter implements StreamWriter {
  /** True if errors have what a handler or a function threw: only the host and its own code learn where. */
  sendsCauses = false
  /** True if errors have the command, which the report of a run names. */
  sendsCommands = false
  readonly #link: Link
  readonly #codec: Codec
  readonly #counts: Counts
  readonly #listener: SessionWriterEvents
  readonly #outbox: Outbox
  readonly #values: ValueBatch
  readonly #waiting = new WaitingMessages()
  #droppedCount = 0
  #isCongested = false

  constructor(link: Link, codec: Codec, counts: Counts, schedule: ScheduleFlush, listener: SessionWriterEvents) {
    this.#link = link
    this.#codec = codec
    this.#counts = counts
    this.#listener = listener
    this.#outbox = new Outbox(frame => {
      counts[COUNT.bytesOut] += frame.body.length
      link.send(frame)
      const room = this.#isCongested ? undefined : link.room()
      if (room) this.#waitFor(room)
    }, schedule)
    this.#values = new ValueBatch(this.#outbox, codec)
  }

  /** True if the link has no room and no further message other than an event can wait. */
  get isFull(): boolean {
    return this.#isCongested && this.#waiting.isFull
  }

  /** Bytes that wait here, in addition to those of the link. */
  get waitingBytes(): number {
    return this.#waiting.bytes
  }

  /** Returns `undefined` while the link has room, else a promise that resolves once it has. */
  room(): Promise<void> | undefined {
    return this.#isCongested ? this.#link.room() : undefined
  }

  /** Holds messages back until `uncork`, so that they share frames. A full batch is sent nevertheless. */
  cork(): void {
    this.#outbox.isCorked = true
  }

  uncork(): void {
    this.#outbox.isCorked = false
    this.#outbox.flush()
  }

  /** Hands all waiting messages to the link, even if it has no room. The link has to be closed next. */
  finish(): void {
    this.#isCongested = true
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      this.#write(next.encoded, next.source, next.index)
    }
    this.#outbox.flush()
  }

  /** Answers with a result, or with an error if the result cannot be serialized. Returns the error in that case. */
  result(id: RequestId, method: string, value: unknown): Outcome {
    if (this.isFull) return this.error(id, method, createOverload(`The result of ${describeCommand(method)}`))
    const result = value ?? null
    try {
      const isObject = typeof result === 'object'
      if (isObject && isAsyncIterable(result)) {
        void discard(result)
        throw new TypeError('an async iterable is not a value. Call the command with stream instead of invoke')
      }
      this.#send({ jsonrpc: '2.0', id, result }, isObject ? takeTransfer(result) : undefined)
      return undefined
    } catch (cause) {
      const error = notSerializable(`The result of ${describeCommand(method)}`, 'InternalError', cause, value)
      return this.error(id, method, error)
    }
  }

  /** Answers with an error, without its data if they cannot be serialized. Returns the error that was sent. */
  error(id: RequestId | null, method: string, failure: BusError, command: string = method): BusError {
    const error = this.isFull ? createOverload(`The answer to ${describeCommand(method)}`) : failure
    const subject = `The error of ${describeCommand(method)}`
    const more = this.sendsCommands ? { command } : {}
    return this.#sendError(error, subject, object => ({ jsonrpc: '2.0', id, error: { ...object, ...more } }))
  }

  fail(stream: StreamSender, error: BusError): void {
    this.#sendError(error, 'The error of a stream', object => stream.toMessage('error', object))
  }

  /** Calls a function of the frontend. @throws {BusError} `InvalidParams` if the arguments cannot be serialized */
  request(
    id: number,
    method: string,
    params: unknown,
    transfer: Buffers | undefined,
    context: TraceContext | undefined,
    channels?: CallChannels,
  ): void {
    if (this.isFull) throw createOverload(`The call of ${describeCommand(method)}`)
    const message: RequestMessage = { jsonrpc: '2.0', id, method }
    if (params !== undefined) message.params = params
    if (channels !== undefined) message.channels = channels
    if (context !== undefined) addTraceContext(message, context)
    try {
      this.#send(message, transfer)
    } catch (cause) {
      throw notSerializable(`Arguments of ${describeCommand(method)}`, 'InvalidParams', cause, params)
    }
  }

  /** @throws {BusError} `InvalidParams` if the payload cannot be serialized */
  event(delivery: Delivery, payload: Payload): void {
    this.#counts[COUNT.eventsOut] += 1
    try {
      this.put(this.#encodeAlone(delivery, 0, payload.encode(this.#codec.name)), delivery, 0, true)
    } catch (cause) {
      const subject = `The payload of event ${JSON.stringify(delivery.event)}`
      throw notSerializable(subject, 'InvalidParams', cause, payload.value)
    }
  }

  /** Encodes a channel's next message, for `put` now or later. @throws {BusError} `InvalidParams` */
  encode(channel: StreamSender, value: unknown, transfer?: Buffers): Encoded {
    try {
      if (transfer !== undefined) checkTransfer({ transfer }, value)
      // Before the index is read: a `toJSON` can send messages.
      const encoded = this.#codec.encodeValue(value)
      const message = this.#encodeAlone(channel, channel.index, encoded, transfer !== undefined)
      const isBorrowed = transfer !== undefined || (isPacked(message) && message.borrowed)
      return isBorrowed ? detachAttachments(toPacked(this.#codec, message), transfer) : message
    } catch (cause) {
      const subject = channel.id < FIRST_CORE_CHANNEL ? `A message of channel ${channel.id}` : 'A value of the stream'
      throw notSerializable(subject, 'InvalidParams', cause, value)
    }
  }

  send(message: Message): void {
    this.#send(message)
  }

  /** @throws what the codec throws, and {BusError} `InvalidParams` if a buffer cannot be transferred */
  #send(message: Message, transfer?: Buffers): void {
    const codec = this.#codec
    const encoded = encodeMessage(codec, message)
    // A message that does not wait needs no object: most answers go this way.
    const isPlain = typeof encoded === 'string' || !isPacked(encoded)
    if (isPlain && !this.#isCongested && transfer === undefined) return this.#outbox.put(codec, encoded)
    const packed = toPacked(codec, encoded)
    this.put(transfer === undefined ? packed : detachAttachments(packed, transfer))
  }

  /**
   * Sends a message, or a value in a batch with those that its source sends before and after. While the link has no room, an event,
   * or earlier ones, can be dropped. Borrowed attachments are copied if they have to wait.
   */
  put(encoded: Encoded, source?: BatchSource, index = 0, isEvent = false): void {
    if (!this.#isCongested) return this.#write(encoded, source, index)
    const owned = isPacked(encoded) && encoded.borrowed ? detachAttachments(encoded) : encoded
    const dropped = this.#waiting.add({ encoded: owned, source, index, isEvent })
    if (dropped === 0) return
    this.#droppedCount += dropped
    this.#counts[COUNT.dropped] += dropped
    this.#listener.dropped(dropped)
  }

  /** The stacks of core's own errors stay here. */
  #toErrorObject(error: BusError): CausedErrorObject {
    // The cause of a `CommandError` stays in this thread.
    const hasCause = isError(error.cause) && !(error instanceof CommandError)
    return this.sendsCauses && hasCause ? toCausedErrorObject(error) : toErrorObject(error)
  }

  /** Sends an error, without its data if they cannot be serialized. Returns the error that was sent. */
  #sendError(error: BusError, subject: string, createMessage: (object: CausedErrorObject) => Message): BusError {
    try {
      this.#send(createMessage(this.#toErrorObject(error)))
      return error
    } catch (cause) {
      const bare = withoutData(error, subject, cause)
      this.#send(createMessage(toErrorObject(bare)))
      return bare
    }
  }

  #write(encoded: Encoded, source: BatchSource | undefined, index: number): void {
    if (isPacked(encoded)) this.#outbox.put(encoded.codec, encoded.encoded, encoded.attachments, encoded.borrowed)
    else this.#values.add(source!, index, encoded)
  }

  #waitFor(room: Promise<void>): void {
    this.#isCongested = true
    this.#listener.congested()
    void room.then(() => this.#drain())
  }

  #drain(): void {
    this.#isCongested = false
    const count = this.#droppedCount
    this.#droppedCount = 0
    if (count > 0) this.#listener.recovered(count)
    while (!this.#isCongested) {
      const next = this.#waiting.shift()
      if (!next) break
      this.#write(next.encoded, next.source, next.index)
    }
    if (!this.#isCongested) this.#outbox.flush()
    if (!this.#isCongested) this.#listener.drained()
  }

  /** Returns a value as it is if it can be batched. One that is large, has bytes, transfers some, or has no text in JSON, gets its own message. */
  #encodeAlone(source: BatchSource, index: number, value: EncodedValue | undefined, transfers = false): Encoded {
    const codec = this.#codec
    const isSmall = value !== undefined && !(value instanceof WithBytes) && value.length < FULL_BATCH_BYTES
    if (isSmall && !transfers) return value
    const encoded =
      value === undefined
        ? codec.encode(source.createMessage(undefined, index))
        : codec.encodeAround(source.createMessage(null, index), value)
    return toPacked(codec, checkPacked(encoded))
  }
}

const createOverload = (subject: string): BusError =>
  new BusError('Overloaded', `${subject} was not sent: too many messages are queued for the frontend`)

interface WaitingMessage {
  readonly encoded: Encoded
  /** `undefined` for a message that is neither an event nor a channel's. */
  readonly source: BatchSource | undefined
  readonly index: number
  readonly isEvent: boolean
}

/** The messages that wait until the link has room, encoded, in order. Memory is bounded: the oldest events are dropped, all else is refused. */
class WaitingMessages {
  readonly #all = new BoundedQueue<WaitingMessage>()
  /** The events among them. They are bounded on their own. */
  readonly #events = new BoundedQueue<QueueSlot<WaitingMessage>>()

  get isFull(): boolean {
    const keptCount = this.#all.size - this.#events.size
    const keptBytes = this.#all.bytes - this.#events.bytes
    return keptBytes >= MAX_SESSION_QUEUE_BYTES || keptCount >= MAX_SESSION_QUEUE
  }

  get bytes(): number {
    return this.#all.bytes
  }

  /** Returns the number of events that were dropped for an event. */
  add(message: WaitingMessage): number {
    const slot = this.#all.push(message, getSize(message.encoded))
    if (!message.isEvent) return 0
    const events = this.#events
    events.push(slot, slot.bytes)
    let dropped = 0
    for (; events.size > MAX_EVENT_QUEUE || (events.bytes > MAX_EVENT_QUEUE_BYTES && events.size > 1); dropped++) {
      this.#all.remove(events.shift()!)
    }
    return dropped
  }

  shift(): WaitingMessage | undefined {
    const message = this.#all.shift()
    if (message?.isEvent) this.#events.shift()
    return message
  }
}

/**
 * Decides when late answers leave. Those of one tick leave in one frame: a frame for each, and a wake-up of the peer, would cost more than
 * the answer. Answers that a received frame leads to by promises alone leave as soon as these settle. It is the scheduler of all sessions of a core. They share it because one session's call can send to another: the event or
 * the call of a function that its handler makes leaves as early as its answer.
 */
export class AnswerScheduler {
  #isFlushingAfterMicrotasks = false

  /** Flushes at the end of the tick, after everything that is ready, or once the promises of a received frame have settled. */
  readonly schedule: ScheduleFlush = flush => {
    if (this.#isFlushingAfterMicrotasks) nextTick(flush)
    else onNextTick(flush)
  }

  /** Called when a received frame has led to promises. Until these have settled, `schedule` flushes after microtasks. */
  flushAfterMicrotasks(): void {
    if (this.#isFlushingAfterMicrotasks) return
    this.#isFlushingAfterMicrotasks = true
    queueMicrotask(this.#afterMicrotask)
  }

  // `nextTick` within a microtask runs after all microtasks. Called outside of one, it would run before them.
  readonly #afterMicrotask = (): void => nextTick(this.#endMicrotasks)

  readonly #endMicrotasks = (): void => {
    this.#isFlushingAfterMicrotasks = false
  }
}
