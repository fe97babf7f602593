// Routes events to listeners, wherever they are: in core, in the host, in frontends. Targets and their table are Tauri's;
// what is addressed to one frontend is not heard by another, whatever that one listens to.
import { BusError, MAX_LISTENERS, checkEventName, type EventTarget } from '@sallyport/protocol'
import { Delivery, type ListenerHome } from './delivery.js'
import { Payload } from './payload.js'

interface Listener {
  readonly target: EventTarget
  readonly home: ListenerHome
}

/** `undefined` as its target: everybody. */
export type Tell = (target: EventTarget | undefined, event: string, value: unknown) => void

type Accepts = (target: EventTarget, home: ListenerHome) => boolean

/** The listeners of one event, by their ids. */
class Listening extends Map<number, Listener> {
  /** To all of them; made when it is needed, and gone when they change. */
  everyone: readonly Delivery[] | undefined
}

export class EventRouter {
  readonly #byEvent = new Map<string, Listening>()
  readonly #perHome = new Map<ListenerHome, number>()
  #nextId = 0
  #tell: Tell | undefined

  /** @throws BusError `InvalidParams` for a name that is none, `Overloaded` beyond the bound of a frontend. */
  listen(event: unknown, target: EventTarget, home: ListenerHome): number {
    checkEventName(event)
    this.#count(home, 1)
    const id = this.#nextId++
    let listeners = this.#byEvent.get(event)
    if (!listeners) this.#byEvent.set(event, (listeners = new Listening()))
    listeners.set(id, { target, home })
    listeners.everyone = undefined
    return id
  }

  /** Takes a listener away; only where it lives can that be asked. */
  unlisten(event: string, id: number, home: ListenerHome): void {
    const listeners = this.#byEvent.get(event)
    if (listeners?.get(id)?.home !== home) return
    this.#count(home, -1)
    listeners.delete(id)
    listeners.everyone = undefined
    if (listeners.size === 0) this.#byEvent.delete(event)
  }

  dropHome(home: ListenerHome): void {
    this.#perHome.delete(home)
    for (const [event, listeners] of this.#byEvent) {
      for (const [id, listener] of listeners) if (listener.home === home) listeners.delete(id)
      listeners.everyone = undefined
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

  /** Tells of each event that is emitted to everybody or to a target: it goes to other cores too. */
  onEmit(tell: Tell): void {
    this.#tell = tell
  }

  /** @throws what `emitWhere` throws, or what was told of it */
  emit(event: unknown, value: unknown): void {
    if (this.#tell) this.#tellAndDeliver(this.#tell, undefined, event, value)
    else this.emitWhere(event, value)
  }

  emitTo(to: EventTarget, event: unknown, value: unknown): void {
    if (this.#tell) this.#tellAndDeliver(this.#tell, to, event, value)
    else this.deliver(to, event, value)
  }

  /** Sends an event to the listeners here that match the target, or all. */
  deliver(to: EventTarget | undefined, event: unknown, value: unknown): void {
    if (to === undefined) this.emitWhere(event, value)
    else this.emitWhere(event, value, (target, home) => matches(to, target) && mayHear(to, home))
  }

  /**
   * Sends an event to the listeners here that `to` accepts.
   *
   * @throws the first error of a delivery, after all others have been tried.
   */
  emitWhere(event: unknown, value: unknown, to?: Accepts): void {
    const listeners = this.#byEvent.get(event as string)
    // A name that is listened to has been checked.
    if (!listeners) return checkEventName(event)
    const deliveries = to
      ? deliver(event as string, listeners, to)
      : (listeners.everyone ??= deliver(event as string, listeners))
    const payload = new Payload(value)
    let failure: { error: unknown } | undefined
    for (const delivery of deliveries) {
      try {
        delivery.home.deliver(delivery, payload)
      } catch (error) {
        failure ??= { error }
      }
    }
    if (failure) throw failure.error
  }

  /** Listeners of core get the very value, and may change it: the others are told first. */
  #tellAndDeliver(tell: Tell, to: EventTarget | undefined, event: unknown, value: unknown): void {
    checkEventName(event)
    try {
      tell(to, event, value)
    } finally {
      this.deliver(to, event, value)
    }
  }
}

function deliver(event: string, listeners: Listening, accepts?: Accepts): readonly Delivery[] {
  const perHome = new Map<ListenerHome, Delivery>()
  for (const [id, { target, home }] of listeners) {
    if (accepts && !accepts(target, home)) continue
    let delivery = perHome.get(home)
    if (!delivery) perHome.set(home, (delivery = new Delivery(event, home)))
    delivery.ids.push(id)
  }
  return [...perHome.values()].sort((a, b) => Number(a.home.sharesPayload ?? 0) - Number(b.home.sharesPayload ?? 0))
}

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
