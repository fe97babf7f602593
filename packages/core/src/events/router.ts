// Routes events to listeners, wherever they are: in core, in the host, in frontends. Targets and their table are Tauri's;
// what is addressed to one frontend is not heard by another, whatever that one listens to.
import { BusError, checkEventName, type EventTarget, MAX_LISTENERS } from '@sallyport/protocol'
import { Delivery, type Subscriber, Payload } from './delivery.js'

// The listeners of one event, by the labels of their homes: what is for one label looks at no other, however many there are.

interface Listener {
  readonly target: EventTarget
  readonly home: Subscriber
}

export type Accepts = (target: EventTarget, home: Subscriber) => boolean

export class ListenerIndex {
  readonly #byLabel = new Map<string | undefined, Map<number, Listener>>()
  /** To all of them; made when it is needed, and gone when they change. */
  #everyone: readonly Delivery[] | undefined

  get isEmpty(): boolean {
    return this.#byLabel.size === 0
  }

  add(id: number, listener: Listener): void {
    const { label } = listener.home
    let own = this.#byLabel.get(label)
    if (!own) this.#byLabel.set(label, (own = new Map()))
    own.set(id, listener)
    this.#everyone = undefined
  }

  delete(id: number, { label }: Subscriber): void {
    const own = this.#byLabel.get(label)
    own?.delete(id)
    if (own?.size === 0) this.#byLabel.delete(label)
    this.#everyone = undefined
  }

  /** To those that `to` accepts, in this order: first those that get a copy. */
  deliveries(event: string, to?: Accepts): readonly Delivery[] {
    return to ? group(event, this.#byLabel.values(), to) : (this.#everyone ??= group(event, this.#byLabel.values()))
  }

  /** The same of those that may hear what is for this label: its own, and those of core and the host. */
  deliveriesWithin(label: string, event: string, to: Accepts): readonly Delivery[] {
    const mayHear = [this.#byLabel.get(label), this.#byLabel.get(undefined)]
    return group(
      event,
      mayHear.filter(own => own !== undefined),
      to,
    )
  }
}

function group(event: string, all: Iterable<Map<number, Listener>>, accepts?: Accepts): readonly Delivery[] {
  const perHome = new Map<Subscriber, Delivery>()
  for (const own of all) {
    for (const [id, { target, home }] of own) {
      if (accepts && !accepts(target, home)) continue
      let delivery = perHome.get(home)
      if (!delivery) perHome.set(home, (delivery = new Delivery(event, home)))
      delivery.ids.push(id)
    }
  }
  return [...perHome.values()].sort((a, b) => Number(a.home.sharesPayload ?? 0) - Number(b.home.sharesPayload ?? 0))
}

/** `undefined` as its target: everybody. */
export type Emit = (target: EventTarget | undefined, event: string, value: unknown) => void

export class EventRouter {
  readonly #byEvent = new Map<string, ListenerIndex>()
  /** The events that a home listens to, by its listeners' ids: it goes without a look at anybody else's. */
  readonly #byHome = new Map<Subscriber, Map<number, string>>()
  #nextId = 0
  #tell: Emit | undefined

  /** @throws BusError `InvalidParams` for a name that is none, `Overloaded` beyond the bound of a frontend. */
  listen(event: unknown, target: EventTarget, home: Subscriber): number {
    checkEventName(event)
    let own = this.#byHome.get(home)
    if (home.label !== undefined && own && own.size >= MAX_LISTENERS) {
      throw new BusError('Overloaded', `More than ${MAX_LISTENERS} listeners of one frontend`)
    }
    if (!own) this.#byHome.set(home, (own = new Map()))
    const id = this.#nextId++
    own.set(id, event)
    let listeners = this.#byEvent.get(event)
    if (!listeners) this.#byEvent.set(event, (listeners = new ListenerIndex()))
    listeners.add(id, { target, home })
    return id
  }

  /** Takes a listener away; only where it lives can that be asked. */
  unlisten(event: string, id: number, home: Subscriber): void {
    const own = this.#byHome.get(home)
    if (own?.get(id) !== event) return
    own.delete(id)
    if (own.size === 0) this.#byHome.delete(home)
    this.#forget(event, id, home)
  }

  dropHome(home: Subscriber): void {
    const own = this.#byHome.get(home)
    this.#byHome.delete(home)
    for (const [id, event] of own ?? []) this.#forget(event, id, home)
  }

  #forget(event: string, id: number, home: Subscriber): void {
    const listeners = this.#byEvent.get(event)!
    listeners.delete(id, home)
    if (listeners.isEmpty) this.#byEvent.delete(event)
  }

  /** Tells of each event that is emitted to everybody or to a target: it goes to other cores too. */
  onEmit(tell: Emit): void {
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
    else this.emitWhere(event, value, target => matches(to, target), 'label' in to ? to.label : undefined)
  }

  /**
   * Sends an event to the listeners here that `to` accepts.
   *
   * @param within only to those that may hear what is for this label
   * @throws the first error of a delivery, after all others have been tried.
   */
  emitWhere(event: unknown, value: unknown, to?: Accepts, within?: string): void {
    const listeners = this.#byEvent.get(event as string)
    // A name that is listened to has been checked.
    if (!listeners) return checkEventName(event)
    const deliveries =
      to && within !== undefined
        ? listeners.deliveriesWithin(within, event as string, to)
        : listeners.deliveries(event as string, to)
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
  #tellAndDeliver(tell: Emit, to: EventTarget | undefined, event: unknown, value: unknown): void {
    checkEventName(event)
    try {
      tell(to, event, value)
    } finally {
      this.deliver(to, event, value)
    }
  }
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
