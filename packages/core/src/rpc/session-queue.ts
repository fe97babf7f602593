// The outbound messages of one session, in order. `send…` hands a message to the outbox, which batches it. While the link has no
// room, messages wait here, encoded. Memory is bounded: the oldest events are dropped, all else is refused.
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
  type QueueSlot,
  ValueBatch,
} from '@sallyport/protocol/internal'
import { COUNT } from '../shared/metrics.js'
import { answerScheduler } from './answer-scheduler.js'

/** An encoded value, which can be batched, or a whole message, which is sent alone. */
export type Encoded = EncodedMessage | PackedMessage

/** True for a value that can be batched, false for a message. */
const isValue = (encoded: Encoded): encoded is EncodedMessage => typeof encoded === 'string' || isUint8Array(encoded)

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

export interface SessionQueueEvents {
  congested(): void
  /** The link has room again, and no message waits. */
  drained(): void
  dropped(count: number): void
  /** The link has room again after this many events were dropped. Messages sent from here leave before those that wait. */
  recovered(count: number): void
}

export class SessionQueue {
  readonly #link: Link
  readonly #counts: Float64Array
  readonly #listener: SessionQueueEvents
  readonly #outbox: Outbox
  readonly #values: ValueBatch
  readonly #waiting = new BoundedQueue<QueuedMessage>()
  /** The events among the waiting messages. They are bounded on their own, and the oldest ones are dropped. */
  readonly #events = new BoundedQueue<QueueSlot<QueuedMessage>>()
  /** Events that were dropped since the link last had room. */
  #droppedCount = 0
  #isCongested = false

  /** @param codec encodes the messages of values */
  constructor(link: Link, codec: Codec, counts: Float64Array, listener: SessionQueueEvents) {
    this.#link = link
    this.#counts = counts
    this.#listener = listener
    this.#outbox = new Outbox(frame => {
      counts[COUNT.bytesOut]! += frame.body.length
      link.send(frame)
      const room = this.#isCongested ? undefined : link.room()
      if (room) this.#waitFor(room)
    }, answerScheduler)
    this.#values = new ValueBatch(this.#outbox, codec)
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

  /** Sends a message. Borrowed attachments are copied if they have to wait. */
  send(codec: Codec, encoded: EncodedMessage, attachments?: readonly Uint8Array[], borrowed?: boolean): void {
    if (!this.#isCongested) return this.#outbox.put(codec, encoded, attachments, borrowed)
    const packed: PackedMessage = { codec, encoded, attachments: attachments ?? [] }
    this.#wait(undefined, 0, borrowed ? detachAttachments({ ...packed, borrowed }) : packed)
  }

  /** Sends a value, batched with those that its source sends before and after. */
  sendValue(source: BatchSource, index: number, encoded: Encoded): void {
    if (this.#isCongested) this.#wait(source, index, encoded)
    else this.#put(source, index, encoded)
  }

  /** Sends an event. While the link has no room, this event or earlier ones can be dropped. */
  sendEvent(source: BatchSource, encoded: Encoded): void {
    if (!this.#isCongested) return this.#put(source, 0, encoded)
    const events = this.#events
    const slot = this.#wait(source, 0, encoded, true)
    events.push(slot, slot.bytes)
    let count = 0
    for (; events.size > MAX_EVENT_QUEUE || (events.bytes > MAX_EVENT_QUEUE_BYTES && events.size > 1); count++) {
      this.#waiting.remove(events.shift()!)
    }
    if (count === 0) return
    this.#droppedCount += count
    this.#counts[COUNT.dropped]! += count
    this.#listener.dropped(count)
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
    for (const { source, index, encoded } of this.#waiting.clear()) this.#put(source, index, encoded)
    this.#events.clear()
    this.#outbox.flush()
  }

  #wait(source: BatchSource | undefined, index: number, encoded: Encoded, isEvent = false): QueueSlot<QueuedMessage> {
    return this.#waiting.push({ source, index, encoded, isEvent }, getSize(encoded))
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
      const message = this.#waiting.shift()
      if (!message) break
      if (message.isEvent) this.#events.shift()
      this.#put(message.source, message.index, message.encoded)
    }
    if (!this.#isCongested) this.#outbox.flush()
    if (!this.#isCongested) this.#listener.drained()
  }

  #put(source: BatchSource | undefined, index: number, encoded: Encoded): void {
    if (!isValue(encoded)) this.#outbox.put(encoded.codec, encoded.encoded, encoded.attachments)
    else this.#values.add(source!, index, encoded)
  }
}
