// The order and the back-pressure of a gate. A message whose verdict is late holds back the messages behind it, but not their hooks. The
// gate reads no more while core's link has no room, or while it holds too much.
import {
  detachAttachments,
  type Frame,
  type Link,
  MAX_IN_FLIGHT,
  type PackedMessage,
  type RequestId,
} from '@sallyport/protocol/internal'

/** A message that waits for its verdict, or behind such a message. */
export interface QueuedMessage {
  readonly id: RequestId | undefined
  /** Approximate size. */
  readonly bytes: number
  /** The message to seal once all before it have left; `null` if nothing is sealed; `undefined` until the verdict. */
  outcome: PackedMessage | null | undefined
}

/** Bytes of messages in the hook, or behind it, from which on the link is paused. */
const MAX_HELD_BYTES: number = 16 * 2 ** 20

export class VerdictQueue {
  readonly #link: Link
  readonly #seal: (outcome: PackedMessage) => void
  readonly #queue: QueuedMessage[] = []
  #heldBytes = 0
  /** True while core has no room for records. */
  #isLinkFull = false
  #isPaused = false

  constructor(link: Link, seal: (outcome: PackedMessage) => void) {
    this.#link = link
    this.#seal = seal
  }

  /** True if as many messages wait as a frontend can have calls in flight. */
  get isFull(): boolean {
    return this.#queue.length >= MAX_IN_FLIGHT
  }

  /** Queues a message without a verdict. Messages after it wait until it is decided. */
  enqueue(id: RequestId | undefined, bytes: number): QueuedMessage {
    return this.#push(id, bytes, undefined)
  }

  /** @param outcome - the message to seal, or `null` to seal nothing */
  decide(message: QueuedMessage, outcome: PackedMessage | null): void {
    message.outcome = outcome
    this.#release()
  }

  /** Seals a message, or queues it behind others. A queued message is copied, because the hook can change its attachments. */
  pass(outcome: PackedMessage, id: RequestId | undefined, bytes: number): void {
    if (this.#queue.length === 0) this.#seal(outcome)
    else this.#push(id, bytes, detachAttachments(outcome))
  }

  /** Drops a message. Returns false if no message of this id is queued. */
  cancel(id: number): boolean {
    const message = this.#queue.find(queued => queued.id === id)
    if (!message) return false
    message.outcome = null
    this.#release()
    return true
  }

  /** Sends a record to core, and pauses the link until core has room for more. */
  send(record: Frame): void {
    this.#link.send(record)
    const room = this.#isLinkFull ? undefined : this.#link.room()
    if (!room) return
    this.#isLinkFull = true
    this.#updatePause()
    void room.then(() => {
      this.#isLinkFull = false
      this.#updatePause()
    })
  }

  #push(id: RequestId | undefined, bytes: number, outcome: QueuedMessage['outcome']): QueuedMessage {
    const message = { id, bytes, outcome }
    this.#queue.push(message)
    this.#heldBytes += bytes
    this.#updatePause()
    return message
  }

  #release(): void {
    while (this.#queue[0]?.outcome !== undefined) {
      const { outcome, bytes } = this.#queue.shift()!
      this.#heldBytes -= bytes
      this.#updatePause()
      if (outcome) this.#seal(outcome)
    }
  }

  #updatePause(): void {
    const mustPause = this.#isLinkFull || this.#heldBytes >= MAX_HELD_BYTES
    if (mustPause === this.#isPaused) return
    this.#isPaused = mustPause
    if (mustPause) this.#link.pause()
    else this.#link.resume()
  }
}
