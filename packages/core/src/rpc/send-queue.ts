// The way out of core to one frontend: what is said goes in runs and frames at the end of the turn, while the link has room,
// and waits in order while it has none.
import {
  type Codec,
  createOutbox,
  type EncodedMessage,
  isUint8Array,
  type Link,
  MAX_KEPT,
  MAX_KEPT_BYTES,
  MAX_WAITING_EVENT_BYTES,
  MAX_WAITING_EVENTS,
  type Outbox,
  type PackedMessage,
  type SendBatch,
} from '@sallyport/protocol'
import { COUNT } from '../shared/metrics.js'
import { onEndOfTick, type BatchSource, Batcher } from './batching.js'

// What core has to say to a frontend whose link has no room: it waits here, in order, encoded. Of events the oldest go where
// they are too many; what must not be lost is refused to whoever says it. So a frontend that takes nothing costs a bounded
// amount, whatever the others do.

/** A value of a run, or a message that goes alone. */
export type Encoded = EncodedMessage | PackedMessage

/** Says one thing, once there is room. */
export interface QueuedMessage {
  /** Of an event or a channel's message; else none. */
  readonly home: BatchSource | undefined
  readonly index: number
  readonly encoded: Encoded
}

interface Waiting extends QueuedMessage {
  readonly bytes: number
  readonly isEvent: boolean
  dropped: boolean
}

class MessageQueue {
  #line: Waiting[] = []
  #next = 0
  /** The oldest event that is still in the line stands here, or after. */
  #oldest = 0
  #events = 0
  #eventBytes = 0
  #bytes = 0
  /** Those that are no events. */
  #kept = 0
  #dropped = 0

  /** Bytes, of events and of all else. */
  get bytes(): number {
    return this.#eventBytes + this.#bytes
  }

  /** No more that must not be lost is to be said. */
  get isFull(): boolean {
    return this.#bytes >= MAX_KEPT_BYTES || this.#kept >= MAX_KEPT
  }

  /** The events that were dropped since this was last asked. */
  takeDropped(): number {
    const dropped = this.#dropped
    this.#dropped = 0
    return dropped
  }

  /** Gives how many were dropped for it. */
  addEvent(home: BatchSource, encoded: Encoded): number {
    const before = this.#dropped
    const bytes = getSize(encoded)
    this.#line.push({ home, index: 0, encoded, bytes, isEvent: true, dropped: false })
    this.#events++
    this.#eventBytes += bytes
    while (this.#events > MAX_WAITING_EVENTS || (this.#eventBytes > MAX_WAITING_EVENT_BYTES && this.#events > 1)) {
      this.#dropOldest()
    }
    return this.#dropped - before
  }

  add(said: QueuedMessage): void {
    const bytes = getSize(said.encoded)
    this.#line.push({ ...said, bytes, isEvent: false, dropped: false })
    this.#bytes += bytes
    this.#kept++
  }

  /** The next to say, and no longer here; none where nothing waits. */
  take(): QueuedMessage | undefined {
    while (this.#next < this.#line.length) {
      const said = this.#line[this.#next]!
      this.#line[this.#next++] = undefined as never
      if (said.dropped) continue
      if (said.isEvent) {
        this.#events--
        this.#eventBytes -= said.bytes
      } else {
        this.#kept--
        this.#bytes -= said.bytes
      }
      if (this.#next > MANY && this.#next * 2 > this.#line.length) this.#clearAway()
      return said
    }
    this.clear()
    return undefined
  }

  clear(): void {
    this.#line = []
    this.#next = this.#oldest = this.#events = this.#eventBytes = this.#kept = this.#bytes = 0
  }

  #dropOldest(): void {
    let at = Math.max(this.#oldest, this.#next)
    while (!this.#line[at]!.isEvent) at++
    const { bytes } = this.#line[at]!
    // Its place is kept for a while, and none of its memory.
    this.#line[at] = TOMBSTONE
    this.#oldest = at + 1
    this.#events--
    this.#eventBytes -= bytes
    this.#dropped++
    if (this.#oldest > MAX_WAITING_EVENTS) this.#clearAway()
  }

  #clearAway(): void {
    this.#line = this.#line.slice(this.#next).filter(({ dropped }) => !dropped)
    this.#next = this.#oldest = 0
  }
}

/** So many that have gone are worth clearing away, where they are most of the line. */
const MANY = 1024

const TOMBSTONE: Waiting = { home: undefined, index: 0, encoded: '', bytes: 0, isEvent: false, dropped: true }

/** About what it takes of memory. */
export function getSize(encoded: Encoded): number {
  if (typeof encoded === 'string' || isUint8Array(encoded)) return encoded.length
  return encoded.attachments.reduce((sum, { byteLength }) => sum + byteLength, encoded.encoded.length)
}

/** Told of a link that has no room. */
export interface SendQueueEvents {
  /** What is said waits; or does no longer. */
  stalled(on: boolean): void
  /** Events that will not arrive, as they are dropped; */
  dropped(count: number): void
  /** and how many they were, when there is room to say so, before anything else. */
  tellDropped(count: number): void
}

const NONE: readonly never[] = []

export class SendQueue {
  readonly #codec: Codec
  readonly #link: Link
  readonly #counts: Float64Array
  readonly #events: SendQueueEvents
  readonly #outbox: Outbox
  readonly #runs: Batcher
  readonly #backlog = new MessageQueue()
  #stalled = false
  #armed = false
  #held = false

  constructor(link: Link, codec: Codec, counts: Float64Array, events: SendQueueEvents) {
    this.#codec = codec
    this.#link = link
    this.#counts = counts
    this.#events = events
    const arm = (): void => this.#arm()
    const send: SendBatch = (kind, body) => {
      counts[COUNT.bytesOut]! += body.length
      link.send({ kind, body })
      if (!this.#stalled) this.#look()
    }
    this.#outbox = createOutbox(send, undefined, arm)
    this.#runs = new Batcher(this.#outbox, arm)
  }

  /** The frontend takes nothing, and no more can wait for it. */
  get isFull(): boolean {
    return this.#stalled && this.#backlog.isFull
  }

  /** Bytes that wait here, beside those of the link. */
  get waiting(): number {
    return this.#backlog.bytes
  }

  /** Resolves once there is room for more; none while there is. */
  room(): Promise<void> | undefined {
    return this.#stalled ? this.#link.room() : undefined
  }

  /** Says a message. */
  post(message: PackedMessage): void {
    if (this.#stalled) this.#backlog.add({ home: undefined, index: 0, encoded: message })
    else this.#postNow(message.codec, message.encoded, message.attachments)
  }

  /** Says a value of a run, or what goes alone. */
  put(home: BatchSource, index: number, encoded: Encoded): void {
    if (this.#stalled) this.#backlog.add({ home, index, encoded })
    else this.#putNow(home, index, encoded)
  }

  /** Says an event: it, or one before it, may be dropped. */
  event(home: BatchSource, encoded: Encoded): void {
    if (!this.#stalled) return this.#putNow(home, 0, encoded)
    const dropped = this.#backlog.addEvent(home, encoded)
    if (dropped === 0) return
    this.#counts[COUNT.dropped]! += dropped
    this.#events.dropped(dropped)
  }

  /** What is said until the next `flush` waits for it. */
  hold(): void {
    this.#held = true
  }

  flush(): void {
    this.#held = false
    this.#runs.close()
    this.#outbox.flush()
  }

  /** All that waits goes to the link, room or not, which is closed next. */
  finish(): void {
    this.#stalled = true
    for (let said = this.#backlog.take(); said; said = this.#backlog.take()) this.#say(said)
    this.flush()
  }

  #look(): void {
    const room = this.#link.room()
    if (!room) return
    this.#stalled = true
    this.#events.stalled(true)
    void room.then(() => this.#goOn())
  }

  #goOn(): void {
    this.#stalled = false
    const dropped = this.#backlog.takeDropped()
    if (dropped > 0) this.#events.tellDropped(dropped)
    while (!this.#stalled) {
      const said = this.#backlog.take()
      if (!said) break
      this.#say(said)
    }
    if (!this.#stalled) this.flush()
    if (!this.#stalled) this.#events.stalled(false)
  }

  #say({ home, index, encoded }: QueuedMessage): void {
    if (home) this.#putNow(home, index, encoded)
    else {
      const { codec, encoded: message, attachments } = encoded as PackedMessage
      this.#postNow(codec, message, attachments)
    }
  }

  #putNow(home: BatchSource, index: number, encoded: Encoded): void {
    if (typeof encoded === 'string' || isUint8Array(encoded)) this.#runs.add(home, index, this.#codec, encoded)
    else this.#postNow(encoded.codec, encoded.encoded, encoded.attachments)
  }

  #postNow(codec: Codec, encoded: EncodedMessage, attachments: readonly Uint8Array[] = NONE): void {
    this.#runs.close()
    this.#outbox.put(codec, encoded, attachments)
  }

  #arm(): void {
    if (this.#armed || this.#held) return
    this.#armed = true
    onEndOfTick(this.#endTurn)
  }

  readonly #endTurn = (): void => {
    this.#armed = false
    this.flush()
  }
}
