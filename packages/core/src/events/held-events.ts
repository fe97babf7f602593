// Events that core keeps for its host until `createBus` or `bus.open` has resolved and the host can listen.
import { type CodecName, MAX_EVENT_QUEUE, MAX_EVENT_QUEUE_BYTES } from '@sallyport/protocol/internal'
import { type Accepts, Delivery, type Listener, type Payload, type Subscriber } from './delivery.js'

/** A hostile frontend could emit any number of names. */
const MAX_UNHEARD = 100

interface HeldEvent {
  readonly event: string
  readonly payload: Payload
  readonly accepts: Accepts | undefined
  readonly bytes: number
}

export class HeldEvents {
  #events: HeldEvent[] = []
  #bytes = 0
  /** Listeners whose registration core is about to answer. Their events follow the answer. */
  #awaited: (() => void)[] = []
  /** Number of the oldest events that were dropped because too many were held. */
  droppedCount = 0

  /** Names of events that had no listener when they were emitted. */
  readonly unheard: Set<string> = new Set<string>()

  addUnheard(event: string): void {
    if (this.unheard.size < MAX_UNHEARD) this.unheard.add(event)
  }

  /** Ignores an event that cannot be serialized. */
  add(event: string, payload: Payload, accepts: Accepts | undefined): void {
    const bytes = measure(event, payload, 'json') ?? measure(event, payload, 'msgpack')
    if (bytes === undefined) return
    this.#events.push({ event, payload, accepts, bytes })
    this.#bytes += bytes
    while (this.#events.length > MAX_EVENT_QUEUE || (this.#bytes > MAX_EVENT_QUEUE_BYTES && this.#events.length > 1)) {
      this.#bytes -= this.#events.shift()!.bytes
      this.droppedCount++
    }
  }

  /** Delivers the events that a new listener has missed, once its registration is answered. */
  replay(id: number, event: string, { target, subscriber }: Listener): void {
    const missed = this.#events.filter(
      held => held.event === event && (held.accepts === undefined || held.accepts(target, subscriber)),
    )
    if (missed.length === 0) return
    this.#awaited.push(() => missed.forEach(({ payload }) => deliver(id, event, subscriber, payload)))
    queueMicrotask(() => this.flush())
  }

  /** Delivers what `replay` still owes: called before any later event, so that order is preserved. */
  flush(): void {
    for (const deliverMissed of this.#awaited.splice(0)) deliverMissed()
  }
}

/** Returns `undefined` if the codec cannot encode the payload. */
function measure(event: string, payload: Payload, codec: CodecName): number | undefined {
  try {
    return payload.measure(event, codec)
  } catch {
    return undefined
  }
}

function deliver(id: number, event: string, subscriber: Subscriber, payload: Payload): void {
  const delivery = new Delivery(event, subscriber)
  delivery.ids.push(id)
  subscriber.deliver(delivery, payload)
}
