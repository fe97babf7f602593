// The listeners of one client. Core knows them by the ids that it gave out; an event comes once per frontend, with the
// ids of all the listeners it is for. They outlast their link: to another core they are made known again, under ids that are
// new there, while here each keeps the id that it had first.
import { throwLater, type CallHeaders, type EventParams, type EventTarget } from '@sallyport/protocol'
import type { EventHandler } from './event-handler.js'

export interface Subscription {
  readonly event: string
  readonly target: EventTarget
  readonly headers: CallHeaders | undefined
  readonly handler: EventHandler
}

/** What it is called here, and by core: `undefined` while core does not know of it. */
interface Listener extends Subscription {
  readonly id: number
  coreId: number | undefined
}

export class Listeners {
  readonly #byId = new Map<number, Listener>()
  readonly #byCoreId = new Map<number, Listener>()

  /** Gives the id by which it is known here: core's, unless a listener from before has that. */
  add(coreId: number, listening: Subscription): number {
    let id = coreId
    while (this.#byId.has(id)) id++
    const listener: Listener = { ...listening, id, coreId }
    this.#byId.set(id, listener)
    this.#byCoreId.set(coreId, listener)
    return id
  }

  has(id: number): boolean {
    return this.#byId.has(id)
  }

  /** Gives core's id; `undefined` where core does not know of it, or it was gone already. */
  remove(id: number): number | undefined {
    const listener = this.#byId.get(id)
    if (!listener) return undefined
    this.#byId.delete(id)
    if (listener.coreId !== undefined) this.#byCoreId.delete(listener.coreId)
    return listener.coreId
  }

  /** The link has closed: core knows of none of them. */
  unlinked(): void {
    this.#byCoreId.clear()
    for (const listener of this.#byId.values()) listener.coreId = undefined
  }

  /** Core has it under this id now. False where it has gone meanwhile. */
  known(id: number, coreId: number): boolean {
    const listener = this.#byId.get(id)
    if (!listener) return false
    listener.coreId = coreId
    this.#byCoreId.set(coreId, listener)
    return true
  }

  all(): readonly (Subscription & { readonly id: number })[] {
    return [...this.#byId.values()]
  }

  clear(): void {
    this.#byId.clear()
    this.#byCoreId.clear()
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
    for (const coreId of ids) {
      const listener = this.#byCoreId.get(coreId)
      if (!listener) continue
      try {
        const { handler, id } = listener
        void handler({ event, id, payload })
      } catch (error) {
        throwLater(error)
      }
    }
  }
}
