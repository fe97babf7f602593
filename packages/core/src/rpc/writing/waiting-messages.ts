// The messages of one session that wait until its link has room, encoded, in order. Memory is bounded: the oldest events are dropped,
// all else is refused.
import { getSize } from '@sallyport/protocol/internal/codec'
import type { BatchSource, Encoded } from '@sallyport/protocol/internal/rpc'
import { BoundedQueue, type QueueSlot } from '@sallyport/protocol/internal/util'
import {
  MAX_EVENT_QUEUE,
  MAX_EVENT_QUEUE_BYTES,
  MAX_SESSION_QUEUE,
  MAX_SESSION_QUEUE_BYTES,
} from '@sallyport/protocol/internal/wire'

interface WaitingMessage {
  readonly encoded: Encoded
  /** `undefined` for a message that is neither an event nor a channel's. */
  readonly source: BatchSource | undefined
  readonly index: number
  readonly isEvent: boolean
}

export class WaitingMessages {
  readonly #all = new BoundedQueue<WaitingMessage>()
  /** The events among them. They are bounded on their own. */
  readonly #events = new BoundedQueue<QueueSlot<WaitingMessage>>()

  /** True if no further message other than an event can wait. */
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
