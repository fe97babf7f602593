// Events that core keeps for its host until `createBus` or `bus.open` has resolved and the host can listen.
import { queueMicrotask } from '@sallyport/protocol/internal/util'
import { MAX_EVENT_QUEUE, MAX_EVENT_QUEUE_BYTES, MAX_HELD_NAMES } from '@sallyport/protocol/internal/wire'
import type { CodecName } from '@sallyport/protocol/internal/codec'
import { type Accepts, Delivery, type Listener, type Payload } from './delivery.js'

type HeldEvent = { event: string; payload: Payload; accepts: Accepts | undefined; bytes: number }

export class HeldEvents {
  readonly #codec: CodecName
  #events: HeldEvent[] = []
  #bytes = 0
  /** Events that a listener of the host got before it was removed, as `once` removes it: later listeners do not get them again. */
  #taken: ReadonlySet<HeldEvent> = new Set()
  /** The taken events when a listener was added, by its id. */
  readonly #takenBefore = new Map<number, ReadonlySet<HeldEvent>>()
  /** Listeners whose registration core is about to answer. Their events follow the answer. */
  #awaited: (() => void)[] = []
  /** Number of the oldest events that were dropped because too many were held. */
  droppedCount = 0
  /** Names of events that had no listener when they were emitted. */
  readonly unheard: Set<string> = new Set<string>()

  constructor(codec: CodecName) {
    this.#codec = codec
  }

  addUnheard(event: string): void {
    if (this.unheard.size < MAX_HELD_NAMES) this.unheard.add(event)
  }

  /** Ignores an event that cannot be serialized. */
  add(event: string, payload: Payload, accepts: Accepts | undefined): void {
    let bytes: number
    try {
      bytes = payload.hold(this.#codec)
    } catch {
      return
    }
    this.#events.push({ event, payload, accepts, bytes })
    this.#bytes += bytes
    while (this.#events.length > MAX_EVENT_QUEUE || (this.#bytes > MAX_EVENT_QUEUE_BYTES && this.#events.length > 1)) {
      this.#bytes -= this.#events.shift()!.bytes
      this.droppedCount++
    }
  }

  /** Delivers the events that a new listener has missed, once its registration is answered. */
  replay(id: number, event: string, listener: Listener): void {
    this.#takenBefore.set(id, this.#taken)
    const missed = this.#getEvents(id, event, listener)
    if (missed.length === 0) return
    const delivery = new Delivery(event, listener.subscriber)
    delivery.ids.push(id)
    this.#awaited.push(() => missed.forEach(({ payload }) => listener.subscriber.deliver(delivery, payload)))
    queueMicrotask(() => this.flush())
  }

  /** Marks the first event of a listener that is removed: a later `once` gets the next one. */
  take(id: number, event: string, listener: Listener): void {
    const [first] = this.#getEvents(id, event, listener)
    if (first) this.#taken = new Set(this.#taken).add(first)
  }

  /** Returns the events for a listener, from the first that no listener had taken when it was added. */
  #getEvents(id: number, event: string, { target, subscriber }: Listener): HeldEvent[] {
    const taken = this.#takenBefore.get(id)
    const candidates = this.#events.filter(held => held.event === event && !taken?.has(held))
    return candidates.filter(({ accepts }) => !accepts || accepts(target, subscriber))
  }

  /** Delivers what `replay` still owes: called before any later event, so that order is preserved. */
  flush(): void {
    for (const deliverMissed of this.#awaited.splice(0)) deliverMissed()
  }
}
