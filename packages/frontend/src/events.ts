// The listeners of one client. Core knows them by the ids that it gave out; an event comes once per frontend, with the
// ids of all the listeners it is for.
import type { BusEvent, EventParams } from '@sallyport/protocol'

export type EventHandler<T = unknown> = (event: BusEvent<T>) => void | Promise<void>

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
  dispatch({ event, ids, payload }: EventParams): void {
    for (const id of ids) {
      try {
        void this.#handlers.get(id)?.({ event, id, payload })
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
