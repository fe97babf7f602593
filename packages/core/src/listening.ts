// The listeners of one event, by the labels of their homes: what is for one label looks at no other, however many there are.
import type { EventTarget } from '@sallyport/protocol'
import { Delivery, type ListenerHome } from './delivery.js'

interface Listener {
  readonly target: EventTarget
  readonly home: ListenerHome
}

export type Accepts = (target: EventTarget, home: ListenerHome) => boolean

export class Listening {
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

  delete(id: number, { label }: ListenerHome): void {
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
  const perHome = new Map<ListenerHome, Delivery>()
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
