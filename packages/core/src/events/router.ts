// Routes events to listeners in core, the host and frontends. Targets and their table are Tauri's. An event that is addressed to
// one frontend does not reach another, whatever target that one listens to.
import { type CodecName, codecs, type EncodedValue, getSize, WithBytes } from '@sallyport/protocol/internal/codec'
import { BusError } from '@sallyport/protocol/internal/errors'
import { type CallMessage, checkEventName, type EventTarget, METHOD } from '@sallyport/protocol/internal/message'
import {
  MAX_EVENT_QUEUE,
  MAX_EVENT_QUEUE_BYTES,
  MAX_LISTENER_CHARACTERS,
  MAX_LISTENERS,
} from '@sallyport/protocol/internal/wire'
import { queueMicrotask } from '@sallyport/protocol/internal/util'
import type { Logger } from 'pino'
import type { BatchSource } from '@sallyport/protocol/internal/rpc'

/** Targets of one event whose deliveries are cached: a frontend can emit to any number. */
const MAX_CACHED_TARGETS = 16

/** The listeners of one event by their label, so that an event for one label does not cost time for the others. */
class ListenerIndex {
  readonly #byLabel = new Map<string | undefined, Map<number, Listener>>()
  #toAll: readonly Delivery[] | undefined
  /** Deliveries to the latest targets. Cached as well, because an event can have thousands of listeners. */
  readonly #toTarget = new Map<string, readonly Delivery[]>()

  get isEmpty(): boolean {
    return this.#byLabel.size === 0
  }

  add(id: number, listener: Listener): void {
    const { label } = listener.subscriber
    let listeners = this.#byLabel.get(label)
    if (!listeners) this.#byLabel.set(label, (listeners = new Map()))
    listeners.set(id, listener)
    this.#toAll = undefined
    this.#toTarget.clear()
  }

  delete(id: number, { label }: Subscriber): Listener | undefined {
    const listeners = this.#byLabel.get(label)
    const listener = listeners?.get(id)
    listeners?.delete(id)
    if (listeners?.size === 0) this.#byLabel.delete(label)
    this.#toAll = undefined
    this.#toTarget.clear()
    return listener
  }

  getTargeted(event: string, target: EventTarget): readonly Delivery[] {
    const label = 'label' in target ? target.label : undefined
    const key = `${target.kind} ${label ?? ''}`
    let deliveries = this.#toTarget.get(key)
    if (!deliveries) {
      deliveries = this.getDeliveries(event, listenerTarget => matches(target, listenerTarget), label)
      if (this.#toTarget.size >= MAX_CACHED_TARGETS) this.#toTarget.clear()
      this.#toTarget.set(key, deliveries)
    }
    return deliveries
  }

  /** Returns the deliveries to listeners that `accepts` selects, `within` a frontend, core and the host. Copies come first. */
  getDeliveries(event: string, accepts?: Accepts, within?: string): readonly Delivery[] {
    if (!accepts) return (this.#toAll ??= createDeliveries(event, this.#byLabel.values()))
    if (within === undefined) return createDeliveries(event, this.#byLabel.values(), accepts)
    const eligible = [this.#byLabel.get(within) ?? [], this.#byLabel.get(undefined) ?? []]
    return createDeliveries(event, eligible, accepts)
  }
}

function createDeliveries(
  event: string,
  listenersByLabel: Iterable<Iterable<[id: number, listener: Listener]>>,
  accepts?: Accepts,
): readonly Delivery[] {
  const deliveries = new Map<Subscriber, Delivery>()
  for (const listeners of listenersByLabel) {
    for (const [id, { target, subscriber }] of listeners) {
      if (accepts && !accepts(target, subscriber)) continue
      let delivery = deliveries.get(subscriber)
      if (!delivery) deliveries.set(subscriber, (delivery = new Delivery(event, subscriber)))
      delivery.ids.push(id)
    }
  }
  const sharesPayload = ({ subscriber }: Delivery): number => Number(subscriber.sharesPayload ?? 0)
  return [...deliveries.values()].sort((a, b) => sharesPayload(a) - sharesPayload(b))
}

/** Receives each event that is emitted here. `target` is `undefined` for an event to all listeners. */
export type EmitListener = (target: EventTarget | undefined, event: string, value: unknown) => void

export class EventRouter {
  readonly #byEvent = new Map<string, ListenerIndex>()
  /** Each subscriber's events by listener id, so that it can be dropped without a search. */
  readonly #bySubscriber = new Map<Subscriber, Map<number, string>>()
  #nextId = 0
  #emitListener: EmitListener | undefined
  #unheardListener: ((event: string) => void) | undefined
  #held: HeldEvents | undefined

  /** Keeps events from now on, also for listeners that the host adds later, in the codec of the host. */
  hold(codec: CodecName): void {
    this.#held ??= new HeldEvents(codec)
  }

  /** Delivers what new listeners have missed. Their registrations must be answered. */
  flushHeld(): void {
    this.#held?.flush()
  }

  release(): number {
    const held = this.#held
    this.#held = undefined
    held?.flush()
    for (const { event, isUnheard } of held?.events ?? []) if (isUnheard) this.#unheardListener?.(event)
    return held?.droppedCount ?? 0
  }

  /** @throws {BusError} `InvalidParams` for an invalid name, `Overloaded` if a frontend has too many listeners */
  listen(event: unknown, target: EventTarget, subscriber: Subscriber): number {
    checkEventName(event)
    let events = this.#bySubscriber.get(subscriber)
    if (subscriber.label !== undefined && this.#countListeners(subscriber) >= MAX_LISTENERS) {
      throw new BusError('Overloaded', `More than ${MAX_LISTENERS} listeners of one frontend`)
    }
    const characters = event.length + ('label' in target ? target.label.length : 0)
    if (subscriber.label !== undefined && characters > MAX_LISTENER_CHARACTERS) {
      throw new BusError(
        'InvalidParams',
        `The listener's event and target have more than ${MAX_LISTENER_CHARACTERS} characters`,
      )
    }
    if (!events) this.#bySubscriber.set(subscriber, (events = new Map()))
    const id = this.#nextId++
    events.set(id, event)
    if (isHost(subscriber)) this.#unheardListener = undefined
    let listeners = this.#byEvent.get(event)
    if (!listeners) this.#byEvent.set(event, (listeners = new ListenerIndex()))
    const listener = { target, subscriber }
    listeners.add(id, listener)
    if (isHost(subscriber)) this.#held?.replay(id, event, listener)
    return id
  }

  /** Removes a listener. Ignores an id that belongs to another subscriber or event. */
  unlisten(event: string, id: number, subscriber: Subscriber): void {
    const events = this.#bySubscriber.get(subscriber)
    if (events?.get(id) !== event) return
    events.delete(id)
    if (events.size === 0) this.#bySubscriber.delete(subscriber)
    this.#removeListener(event, id, subscriber)
  }

  dropSubscriber(subscriber: Subscriber): void {
    const events = this.#bySubscriber.get(subscriber)
    this.#bySubscriber.delete(subscriber)
    for (const [id, event] of events ?? []) this.#removeListener(event, id, subscriber)
  }

  /** Sets the one listener of all events that are emitted to everybody or to a target: a network sends them to other cores. */
  onEmit(listener: EmitListener): void {
    this.#emitListener = listener
  }

  /** Sets the one listener of events that nobody listens to. It is called until the host listens for the first time. */
  onUnheard(listener: (event: string) => void): void {
    this.#unheardListener = listener
  }

  emit(event: unknown, value: unknown): void {
    this.emitTo(undefined, event, value)
  }

  emitTo(target: EventTarget | undefined, event: unknown, value: unknown): void {
    if (!this.#emitListener) return this.deliver(target, event, value)
    checkEventName(event)
    try {
      // Emitted before it is delivered, because listeners of core get the very value, and can change it.
      this.#emitListener(target, event, value)
    } finally {
      this.deliver(target, event, value)
    }
  }

  deliver(target: EventTarget | undefined, event: unknown, value: unknown): void {
    if (target === undefined) return this.deliverWhere(event, value)
    const accepts: Accepts = listenerTarget => matches(target, listenerTarget)
    this.#deliver(event, value, accepts, listeners => listeners.getTargeted(event as string, target))
  }

  /** Sends an event to the listeners of this core that `accepts` selects. @throws the first error of a delivery, after all others have been tried */
  deliverWhere(event: unknown, value: unknown, accepts?: Accepts): void {
    this.#deliver(event, value, accepts, listeners => listeners.getDeliveries(event as string, accepts))
  }

  #deliver(
    event: unknown,
    value: unknown,
    accepts: Accepts | undefined,
    getDeliveries: (listeners: ListenerIndex) => readonly Delivery[],
  ): void {
    const held = this.#held
    held?.flush()
    const listeners = this.#byEvent.get(event as string)
    if (!listeners) {
      // A name with listeners was checked when they were added.
      checkEventName(event)
      const isUnheard = event.length <= MAX_LISTENER_CHARACTERS
      if (held) held.add(event, new Payload(value), accepts, isUnheard)
      else if (isUnheard) this.#unheardListener?.(event)
      return
    }
    const deliveries = getDeliveries(listeners)
    const payload = new Payload(value)
    held?.add(event as string, payload, accepts)
    let failure: { error: unknown } | undefined
    for (const delivery of deliveries) {
      try {
        delivery.subscriber.deliver(delivery, payload)
      } catch (error) {
        failure ??= { error }
      }
    }
    if (failure) throw failure.error
  }

  #countListeners(subscriber: Subscriber): number {
    const { peers = [subscriber] } = subscriber
    let count = 0
    for (const peer of peers) count += this.#bySubscriber.get(peer)?.size ?? 0
    return count
  }

  #removeListener(event: string, id: number, subscriber: Subscriber): void {
    const listeners = this.#byEvent.get(event)!
    const listener = listeners.delete(id, subscriber)
    if (listener && isHost(subscriber)) this.#held?.take(id, event, listener)
    if (listeners.isEmpty) this.#byEvent.delete(event)
  }
}

/** Core and the host have no label; core's own listeners share the payload. */
const isHost = ({ label, sharesPayload }: Subscriber): boolean => label === undefined && sharesPayload !== true

const REACHED_KINDS: Record<string, readonly EventTarget['kind'][]> = {
  AnyLabel: ['Window', 'Webview', 'WebviewWindow', 'AnyLabel'],
  Window: ['Window', 'AnyLabel'],
  Webview: ['Webview', 'AnyLabel'],
  WebviewWindow: ['WebviewWindow', 'AnyLabel'],
}

/** Tauri's table of which listeners an `emitTo` reaches. */
function matches(target: EventTarget, listener: EventTarget): boolean {
  if (target.kind === 'Any' || listener.kind === 'Any') return true
  if (!('label' in target)) return listener.kind === target.kind
  return 'label' in listener && listener.label === target.label && REACHED_KINDS[target.kind]!.includes(listener.kind)
}

interface HeldEvent {
  event: string
  payload: Payload
  accepts: Accepts | undefined
  /** It had no listener when it was emitted. */
  isUnheard: boolean
  bytes: number
}

/** Events that core keeps for its host until `createBus` or `bus.open` has resolved and the host can listen. */
export class HeldEvents {
  readonly #codec: CodecName
  #events: HeldEvent[] = []
  #bytes = 0
  /** Events that a listener of the host got before it was removed, as `once` removes it: later listeners do not get them again. */
  #taken: ReadonlySet<HeldEvent> = new Set()
  readonly #takenBefore = new Map<number, ReadonlySet<HeldEvent>>()
  /** Listeners whose registration core is about to answer. Their events follow the answer. */
  #awaited: (() => void)[] = []
  droppedCount = 0

  constructor(codec: CodecName) {
    this.#codec = codec
  }

  get events(): readonly HeldEvent[] {
    return this.#events
  }

  /** Ignores an event that cannot be serialized. */
  add(event: string, payload: Payload, accepts: Accepts | undefined, isUnheard = false): void {
    let bytes: number
    try {
      bytes = payload.hold(this.#codec)
    } catch {
      return
    }
    this.#events.push({ event, payload, accepts, isUnheard, bytes })
    this.#bytes += bytes
    while (this.#events.length > MAX_EVENT_QUEUE || (this.#bytes > MAX_EVENT_QUEUE_BYTES && this.#events.length > 1)) {
      this.#bytes -= this.#events.shift()!.bytes
      this.droppedCount++
    }
  }

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

const WINDOW_CREATED = 'tauri://window-created'
const WEBVIEW_CREATED = 'tauri://webview-created'
const DESTROYED = 'tauri://destroyed'
const DROPPED = 'sallyport://dropped'

const RESERVED_EVENTS: ReadonlySet<unknown> = new Set([WINDOW_CREATED, WEBVIEW_CREATED, DESTROYED, DROPPED])

/** Names that the warning about events without listeners remembers. A hostile frontend could emit any number. */
const MAX_WARNINGS = 100

/**
 * Warns, once for each name, that the application emits an event that nobody listens to. Nobody has to listen to those of the bus and of
 * plugins, such as `tauri://destroyed` and `store://change`.
 */
export function warnAboutUnheard(router: EventRouter, plugins: readonly string[], getLog: () => Logger): void {
  const names = new Set<string>()
  const schemes = new Set(['tauri', 'sallyport', ...plugins])
  router.onUnheard(event => {
    const [scheme, rest] = event.split('://')
    if ((rest !== undefined && schemes.has(scheme!)) || names.has(event) || names.size >= MAX_WARNINGS) return
    names.add(event)
    getLog().warn({ event }, 'event lost: nobody listens to it yet. Listen before it is emitted')
  })
}

/** Emits to all listeners that a frontend started. The frontend itself does not listen yet. */
export function emitCreated(router: EventRouter, label: string): void {
  router.deliver(undefined, WINDOW_CREATED, { label })
  router.deliver(undefined, WEBVIEW_CREATED, { label })
}

export function emitDestroyed(router: EventRouter, label: string): void {
  const accepts: Accepts = target => target.kind === 'Any' || ('label' in target && target.label === label)
  router.deliverWhere(DESTROYED, { label }, accepts)
}

export function emitDropped(router: EventRouter, frontend: Subscriber, count: number): void {
  router.deliverWhere(DROPPED, { count }, (_target, subscriber) => subscriber === frontend)
}

/** @throws {BusError} `InvalidParams` for an event that could deceive other frontends */
export function checkNotReserved(event: unknown): void {
  if (!RESERVED_EVENTS.has(event)) return
  throw new BusError('InvalidParams', `The event ${JSON.stringify(event)} is reserved for core`)
}

/** An owner of listeners: a frontend's session, the host's session, or core itself. */
export interface Subscriber {
  /** The frontend's label. `undefined` for core and the host, which receive all events. */
  readonly label: string | undefined
  /** The subscribers whose listeners count together, with this one. @default this one */
  readonly peers?: Iterable<Subscriber> | undefined
  /** The listeners get the payload itself instead of a copy. They come last, because they can change it. */
  readonly sharesPayload?: true
  emitted?(event: unknown): void
  /** @throws {BusError} if the payload cannot be serialized for this subscriber */
  deliver(delivery: Delivery, payload: Payload): void
}

export type Listener = { readonly target: EventTarget; readonly subscriber: Subscriber }

export type Accepts = (target: EventTarget, subscriber: Subscriber) => boolean

/** One event's listeners of one subscriber. It is reused until listeners change, so that consecutive events form a batch. */
export class Delivery implements BatchSource {
  readonly ids: number[] = []

  constructor(
    readonly event: string,
    readonly subscriber: Subscriber,
  ) {}

  createMessage(payload: unknown, _index?: number, isBatch?: boolean): CallMessage {
    const { event, ids } = this
    const params = isBatch ? { event, ids, payloads: payload } : { event, ids, payload }
    return { jsonrpc: '2.0', method: METHOD.event, params }
  }
}

/** The payload of one event, encoded once for each codec, however many frontends receive it. */
export class Payload {
  readonly #encoded: Partial<Record<CodecName, EncodedValue | undefined>> = {}

  constructor(readonly value: unknown) {}

  /** Encodes the value alone. Returns `undefined` if JSON has no text for it. @throws the errors of `Codec.encode` */
  encode(codec: CodecName): EncodedValue | undefined {
    return (this.#encoded[codec] ??= codecs[codec].encodeValue(this.value))
  }

  /** Copies the bytes for an event that is sent later. Returns about how many bytes it takes. @throws the errors of `encode` */
  hold(codec: CodecName): number {
    const encoded = this.encode(codec) ?? ''
    if (encoded instanceof WithBytes) {
      const bytes = encoded.bytes.map(part => new Uint8Array(part))
      this.#encoded[codec] = new WithBytes(encoded.encoded, bytes, encoded.pointers)
    }
    return getSize(encoded)
  }
}
