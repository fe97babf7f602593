// Listeners that are functions of this thread: those of core.
import type { BusEvent, EventTarget } from '@sallyport/protocol'
import type { Delivery, ListenerHome } from './delivery.js'
import type { EventRouter } from './events.js'
import type { Payload } from './payload.js'

export class LocalListeners implements ListenerHome {
  readonly label = undefined
  readonly sharesPayload = true
  readonly #router: EventRouter
  readonly #handlers = new Map<number, { event: string; handler: (event: BusEvent) => unknown }>()

  constructor(router: EventRouter) {
    this.#router = router
  }

  listen(event: string, handler: (event: BusEvent) => unknown, target: EventTarget): number {
    const id = this.#router.listen(event, target, this)
    this.#handlers.set(id, { event, handler })
    return id
  }

  unlisten(id: number): void {
    const listener = this.#handlers.get(id)
    if (!listener) return
    this.#handlers.delete(id)
    this.#router.unlisten(listener.event, id, this)
  }

  deliver({ event, ids }: Delivery, { value: payload }: Payload): void {
    for (const id of ids) this.#handlers.get(id)?.handler({ event, id, payload })
  }
}
