// The outbound queue of one session. Messages leave in order, batched into few messages and few frames at the end of the tick.
// While the link has no room they wait here, encoded. Memory is bounded: the oldest events are dropped, all else is refused.
import {
  type BatchSource,
  BoundedQueue,
  type Codec,
  detachAttachments,
  type EncodedMessage,
  isUint8Array,
  type Link,
  MAX_SESSION_QUEUE,
  MAX_SESSION_QUEUE_BYTES,
  MAX_EVENT_QUEUE_BYTES,
  MAX_EVENT_QUEUE,
  Outbox,
  type PackedMessage,
  spliceLastParam,
  type QueueSlot,
  type SendBatch,
} from '@sallyport/protocol/internal'
import { COUNT } from '../shared/metrics.js'
import { onEndOfTick } from './tick.js'

/** Values after which a batch is sent: the receiver reads it while the next one is written. */
const FULL_BATCH_COUNT = 64
const FULL_BATCH_BYTES = 16 * 1024

const NO_ATTACHMENTS: readonly never[] = []

/** An encoded value, which can be batched, or a whole message, which is sent alone. */
export type Encoded = EncodedMessage | PackedMessage

/** True for a value that can be batched, false for a message. */
export const isValue = (encoded: Encoded): encoded is EncodedMessage =>
  typeof encoded === 'string' || isUint8Array(encoded)

/** Returns about how much memory `encoded` takes, in bytes. */
export function getSize(encoded: Encoded): number {
  if (isValue(encoded)) return encoded.length
  return encoded.attachments.reduce((sum, { byteLength }) => sum + byteLength, encoded.encoded.length)
}

interface QueuedMessage {
  /** `undefined` for a message that is neither an event nor a channel's. */
  readonly source: BatchSource | undefined
  readonly index: number
  readonly encoded: Encoded
  readonly isEvent: boolean
}

export interface SendQueueEvents {
  congested(): void
  /** The link has room again, and no message waits. */
  drained(): void
  dropped(count: number): void
  /** The link has room again after this many events were dropped. Messages sent from here leave before those that wait. */
  recovered(count: number): void
}

export class SendQueue {
  readonly #link: Link
  readonly #listener: SendQueueEvents
  readonly #outbox: Outbox
  /** The batch: consecutive values of one source, for one message. Any other message ends it, so order is preserved. */
  #values: EncodedMessage[] = []
  #source: BatchSource | undefined
  /** The number of the first value. */
  #index = 0
  #bytes = 0
  readonly #waiting = new BoundedQueue<QueuedMessage>()
  /** The events among the waiting messages. They are bounded on their own, and the oldest ones are dropped. */
  readonly #events = new BoundedQueue<QueueSlot<QueuedMessage>>()
  /** Events that were dropped since the link last had room. */
  #droppedCount = 0
  #isCongested = false
  #isFlushScheduled = false
  #isCorked = false

  constructor(
    link: Link,
    protected readonly codec: Codec,
    protected readonly counts: Float64Array,
    listener: SendQueueEvents,
  ) {
    this.#link = link
    this.#listener = listener
    const send: SendBatch = (kind, body, _count, borrowed) => {
      counts[COUNT.bytesOut]! += body.length
      if (borrowed) link.send({ kind, body, borrowed })
      else link.send({ kind, body })
      if (!this.#isCongested) this.#checkRoom()
    }
    this.#outbox = new Outbox(send, undefined, () => this.#scheduleFlush())
  }

  /** True if the link has no room and no further message other than an event can wait. */
  get isFull(): boolean {
    if (!this.#isCongested) return false
    const keptCount = this.#waiting.size - this.#events.size
    const keptBytes = this.#waiting.bytes - this.#events.bytes
    return keptBytes >= MAX_SESSION_QUEUE_BYTES || keptCount >= MAX_SESSION_QUEUE
  }

  /** Bytes that wait here, in addition to those of the link. */
  get waitingBytes(): number {
    return this.#waiting.bytes
  }

  /** Returns `undefined` while the link has room, else a promise that resolves once it has. */
  room(): Promise<void> | undefined {
    return this.#isCongested ? this.#link.room() : undefined
  }

  sendMessage(codec: Codec, encoded: EncodedMessage): void {
    if (this.#isCongested) this.#wait(undefined, 0, { codec, encoded, attachments: NO_ATTACHMENTS })
    else this.#putMessage(codec, encoded, NO_ATTACHMENTS)
  }

  /** Sends a message with attachments. Borrowed ones are copied if they have to wait. */
  sendPacked(packed: PackedMessage): void {
    const { codec, encoded, attachments, borrowed } = packed
    if (!this.#isCongested) return this.#putMessage(codec, encoded, attachments, borrowed)
    this.#wait(undefined, 0, borrowed ? detachAttachments(packed) : packed)
  }

  /** Sends a value, batched with those that its source sends before and after. */
  sendValue(source: BatchSource, index: number, encoded: Encoded): void {
    if (this.#isCongested) this.#wait(source, index, encoded)
    else this.#putValue(source, index, encoded)
  }

  /** Sends an event. While the link has no room, this event or earlier ones can be dropped. */
  sendEvent(source: BatchSource, encoded: Encoded): void {
    if (!this.#isCongested) return this.#putValue(source, 0, encoded)
    const events = this.#events
    const slot = this.#wait(source, 0, encoded, true)
    events.push(slot, slot.bytes)
    let count = 0
    for (; events.size > MAX_EVENT_QUEUE || (events.bytes > MAX_EVENT_QUEUE_BYTES && events.size > 1); count++) {
      this.#waiting.remove(events.shift()!)
    }
    if (count === 0) return
    this.#droppedCount += count
    this.counts[COUNT.dropped]! += count
    this.#listener.dropped(count)
  }

  /** Holds messages back until `uncork`, so that they share frames. */
  cork(): void {
    this.#isCorked = true
  }

  uncork(): void {
    this.#isCorked = false
    this.#flush()
  }

  /** Hands all waiting messages to the link, even if it has no room. The link has to be closed next. */
  finish(): void {
    this.#isCongested = true
    for (const message of this.#waiting.clear()) this.#put(message)
    this.#events.clear()
    this.#flush()
  }

  #wait(source: BatchSource | undefined, index: number, encoded: Encoded, isEvent = false): QueueSlot<QueuedMessage> {
    return this.#waiting.push({ source, index, encoded, isEvent }, getSize(encoded))
  }

  #checkRoom(): void {
    const room = this.#link.room()
    if (!room) return
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
      const message = this.#waiting.shift()
      if (!message) break
      if (message.isEvent) this.#events.shift()
      this.#put(message)
    }
    if (!this.#isCongested) this.#flush()
    if (!this.#isCongested) this.#listener.drained()
  }

  #put({ source, index, encoded }: QueuedMessage): void {
    if (source) return this.#putValue(source, index, encoded)
    const message = encoded as PackedMessage
    this.#putMessage(message.codec, message.encoded, message.attachments)
  }

  #putValue(source: BatchSource, index: number, encoded: Encoded): void {
    if (!isValue(encoded)) return this.#putMessage(encoded.codec, encoded.encoded, encoded.attachments)
    if (source !== this.#source) {
      this.#closeBatch()
      this.#source = source
      this.#index = index
      this.#scheduleFlush()
    }
    this.#bytes += encoded.length
    if (this.#values.push(encoded) >= FULL_BATCH_COUNT || this.#bytes >= FULL_BATCH_BYTES) this.#flush()
  }

  #putMessage(codec: Codec, encoded: EncodedMessage, attachments: readonly Uint8Array[], borrowed?: boolean): void {
    this.#closeBatch()
    this.#outbox.put(codec, encoded, attachments, borrowed)
  }

  #closeBatch(): void {
    const source = this.#source
    if (!source) return
    const { codec } = this
    const values = this.#values
    this.#source = undefined
    this.#values = []
    this.#bytes = 0
    const message = values.length === 1 ? source.createMessage(null, this.#index) : source.createBatch(this.#index)
    this.#outbox.put(codec, spliceLastParam(codec.encode(message), codec.join(values)))
  }

  #flush(): void {
    this.#closeBatch()
    this.#outbox.flush()
  }

  #scheduleFlush(): void {
    if (this.#isFlushScheduled || this.#isCorked) return
    this.#isFlushScheduled = true
    onEndOfTick(this.#flushScheduled)
  }

  readonly #flushScheduled = (): void => {
    this.#isFlushScheduled = false
    this.#flush()
  }
}
