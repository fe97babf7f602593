// The listeners of one client. Core knows them by the ids that it gave out; an event comes once per frontend, with the
// ids of all the listeners it is for.
import { BusError, describeName, type BusEvent, type EventParams } from '@sallyport/protocol'

/** What it returns is not looked at. */
export type EventHandler<T = unknown> = (event: BusEvent<T>) => unknown

/** @throws BusError `InvalidParams` */
export function checkHandler(event: string, handler: unknown): void {
  if (typeof handler === 'function') return
  throw new BusError(
    'InvalidParams',
    `The handler of event ${describeName(event)} must be a function: got ${typeof handler}`,
  )
}

export class Listeners {
  readonly #handlers = new Map<number, EventHandler>()

  add(id: number, handler: EventHandler): void {
    this.#handlers.set(id, handler)
  }

  /** False where it was gone already. */
  remove(id: number): boolean {
    return this.#handlers.delete(id)
  }

  clear(): void {
    this.#handlers.clear()
  }

  /** Each handler gets an event of its own. One that throws stops no other: its error is the thread's, as in a browser. */
  dispatch(params: EventParams): void {
    const { event, ids } = params
    if (!Array.isArray(ids)) return
    if (!('payloads' in params)) return this.#dispatch(event, ids, params.payload)
    if (!Array.isArray(params.payloads)) return
    for (const payload of params.payloads) this.#dispatch(event, ids, payload)
  }

  #dispatch(event: string, ids: readonly number[], payload: unknown): void {
    for (const id of ids) {
      try {
        void this.#handlers.get(id)?.({ event, id, payload })
      } catch (error) {
        throwLater(error)
      }
    }
  }
}

/** What a handler throws is its thread's, but what came in the same frame is still taken. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
