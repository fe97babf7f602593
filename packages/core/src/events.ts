// Routes events to listeners, wherever they are: in core, in the host, in frontends. Targets and their table are Tauri's;
// what is addressed to one frontend is not heard by another, whatever that one listens to.
import { BusError, MAX_LISTENERS, checkEventName, type BusEvent, type EventTarget } from '@sallyport/protocol'

/** Where listeners live. `label` is the frontend's; core and host have none, and hear everything. */
export interface ListenerHome {
  readonly label: string | undefined
  /** @throws when the payload can't be carried there. */
  deliver(event: string, ids: number[], payload: unknown): void
}

interface Listener {
  readonly target: EventTarget
  readonly home: ListenerHome
}

export class EventRouter {
  readonly #byEvent = new Map<string, Map<number, Listener>>()
  readonly #perHome = new Map<ListenerHome, number>()
  #nextId = 0

  /** @throws BusError `InvalidParams` for a name that is none, `Overloaded` beyond the bound of a frontend. */
  listen(event: unknown, target: EventTarget, home: ListenerHome): number {
    checkEventName(event)
    this.#count(home, 1)
    const id = this.#nextId++
    let listeners = this.#byEvent.get(event)
    if (!listeners) this.#byEvent.set(event, (listeners = new Map<number, Listener>()))
    listeners.set(id, { target, home })
    return id
  }

  /** Takes a listener away; only where it lives can that be asked. */
  unlisten(event: string, id: number, home: ListenerHome): void {
    const listeners = this.#byEvent.get(event)
    if (listeners?.get(id)?.home !== home) return
    this.#count(home, -1)
    listeners.delete(id)
    if (listeners.size === 0) this.#byEvent.delete(event)
  }

  dropHome(home: ListenerHome): void {
    this.#perHome.delete(home)
    for (const [event, listeners] of this.#byEvent) {
      for (const [id, listener] of listeners) if (listener.home === home) listeners.delete(id)
      if (listeners.size === 0) this.#byEvent.delete(event)
    }
  }

  #count(home: ListenerHome, change: 1 | -1): void {
    if (home.label === undefined) return
    const count = (this.#perHome.get(home) ?? 0) + change
    if (count > MAX_LISTENERS) {
      throw new BusError('Overloaded', `More than ${MAX_LISTENERS} listeners of one frontend`)
    }
    this.#perHome.set(home, count)
  }

  /**
   * Sends an event to the listeners that `to` accepts.
   *
   * @throws the first error of a delivery, after all others have been tried.
   */
  emit(event: unknown, payload: unknown, to: (target: EventTarget, home: ListenerHome) => boolean = everyone): void {
    checkEventName(event)
    const perHome = new Map<ListenerHome, number[]>()
    for (const [id, { target, home }] of this.#byEvent.get(event) ?? []) {
      if (!to(target, home)) continue
      const ids = perHome.get(home)
      if (ids) ids.push(id)
      else perHome.set(home, [id])
    }
    let failure: { error: unknown } | undefined
    for (const [home, ids] of perHome) {
      try {
        home.deliver(event, ids, payload)
      } catch (error) {
        failure ??= { error }
      }
    }
    if (failure) throw failure.error
  }

  emitTo(to: EventTarget, event: unknown, payload: unknown): void {
    this.emit(event, payload, (target, home) => matches(to, target) && mayHear(to, home))
  }
}

const everyone = (): boolean => true

const KINDS_OF_LABEL: Record<string, readonly EventTarget['kind'][]> = {
  AnyLabel: ['Window', 'Webview', 'WebviewWindow', 'AnyLabel'],
  Window: ['Window', 'AnyLabel'],
  Webview: ['Webview', 'AnyLabel'],
  WebviewWindow: ['WebviewWindow', 'AnyLabel'],
}

/** Tauri's table: which listeners an `emitTo` reaches. */
function matches(to: EventTarget, listener: EventTarget): boolean {
  if (to.kind === 'Any' || listener.kind === 'Any') return true
  if (!('label' in to)) return listener.kind === to.kind
  return 'label' in listener && listener.label === to.label && KINDS_OF_LABEL[to.kind]!.includes(listener.kind)
}

const mayHear = (to: EventTarget, { label }: ListenerHome): boolean =>
  label === undefined || !('label' in to) || to.label === label

/** Listeners that are functions of this thread. */
export class LocalListeners implements ListenerHome {
  readonly label = undefined
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

  deliver(event: string, ids: number[], payload: unknown): void {
    for (const id of ids) this.#handlers.get(id)?.handler({ event, id, payload })
  }
}
