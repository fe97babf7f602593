// What core has to say to a frontend whose link has no room: it waits here, in order, encoded. Of events the oldest go where
// they are too many; what must not be lost is refused to whoever says it. So a frontend that takes nothing costs a bounded
// amount, whatever the others do.
import {
  MAX_KEPT,
  MAX_KEPT_BYTES,
  MAX_WAITING_EVENTS,
  MAX_WAITING_EVENT_BYTES,
  type EncodedMessage,
  type PackedMessage,
  isUint8Array,
} from '@sallyport/protocol'
import type { RunHome } from './runs.js'

/** A value of a run, or a message that goes alone. */
export type Encoded = EncodedMessage | PackedMessage

/** Says one thing, once there is room. */
export interface Said {
  /** Of an event or a channel's message; else none. */
  readonly home: RunHome | undefined
  readonly index: number
  readonly encoded: Encoded
}

interface Waiting extends Said {
  readonly bytes: number
  readonly isEvent: boolean
  dropped: boolean
}

export class Backlog {
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
  addEvent(home: RunHome, encoded: Encoded): number {
    const before = this.#dropped
    const bytes = sizeOf(encoded)
    this.#line.push({ home, index: 0, encoded, bytes, isEvent: true, dropped: false })
    this.#events++
    this.#eventBytes += bytes
    while (this.#events > MAX_WAITING_EVENTS || (this.#eventBytes > MAX_WAITING_EVENT_BYTES && this.#events > 1)) {
      this.#dropOldest()
    }
    return this.#dropped - before
  }

  add(said: Said): void {
    const bytes = sizeOf(said.encoded)
    this.#line.push({ ...said, bytes, isEvent: false, dropped: false })
    this.#bytes += bytes
    this.#kept++
  }

  /** The next to say, and no longer here; none where nothing waits. */
  take(): Said | undefined {
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
    this.#line[at] = GONE
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

const GONE: Waiting = { home: undefined, index: 0, encoded: '', bytes: 0, isEvent: false, dropped: true }

/** About what it takes of memory. */
export function sizeOf(encoded: Encoded): number {
  if (typeof encoded === 'string' || isUint8Array(encoded)) return encoded.length
  return encoded.attachments.reduce((sum, { byteLength }) => sum + byteLength, encoded.encoded.length)
}
