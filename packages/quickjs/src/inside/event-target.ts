// Event and EventTarget of a script in QuickJS. There is no tree of targets: an event has one target, and does not bubble.
import { callScript } from './port.js'

type Listener = ((this: unknown, event: Event) => unknown) | { handleEvent(event: Event): unknown }

interface EventInit {
  readonly bubbles?: unknown
  readonly cancelable?: unknown
  readonly composed?: unknown
}

interface ListenerOptions {
  readonly once?: unknown
  readonly capture?: unknown
  readonly signal?: EventTarget & { readonly aborted: boolean }
}

interface Entry {
  readonly listener: Listener
  readonly isCapture: boolean
  readonly isOnce: boolean
}

export class Event {
  readonly type: string
  readonly bubbles: boolean
  readonly cancelable: boolean
  readonly composed: boolean
  readonly timeStamp: number = performance.now()
  #target: EventTarget | null = null
  #isDispatched = false
  #isCanceled = false
  #isStopped = false

  /** Calls the listeners in order, until one stops it. Returns false if one has prevented the default. */
  static dispatch(event: Event, target: EventTarget, listeners: readonly ((event: Event) => unknown)[]): boolean {
    if (event.#isDispatched) throw new DOMException('The event is already being dispatched', 'InvalidStateError')
    event.#isDispatched = true
    event.#target = target
    for (const listener of listeners) {
      if (event.#isStopped) break
      callScript(() => listener(event))
    }
    event.#isDispatched = event.#isStopped = false
    return !event.#isCanceled
  }

  constructor(type: unknown, { bubbles, cancelable, composed }: EventInit = {}) {
    this.type = String(type)
    this.bubbles = Boolean(bubbles)
    this.cancelable = Boolean(cancelable)
    this.composed = Boolean(composed)
  }

  get target(): EventTarget | null {
    return this.#target
  }

  get currentTarget(): EventTarget | null {
    return this.#isDispatched ? this.#target : null
  }

  get defaultPrevented(): boolean {
    return this.#isCanceled
  }

  preventDefault(): void {
    if (this.cancelable) this.#isCanceled = true
  }

  stopPropagation(): void {}

  stopImmediatePropagation(): void {
    this.#isStopped = true
  }
}

const { dispatch } = Event
Reflect.deleteProperty(Event, 'dispatch')

export class CustomEvent extends Event {
  readonly detail: unknown

  constructor(type: unknown, init: EventInit & { readonly detail?: unknown } = {}) {
    super(type, init)
    this.detail = init.detail ?? null
  }
}

export class EventTarget {
  readonly #entries = new Map<string, Entry[]>()

  addEventListener(type: unknown, listener: Listener | null, options: ListenerOptions | boolean = {}): void {
    const { once, capture, signal } = typeof options === 'boolean' ? { capture: options } : (options as ListenerOptions)
    const isCapture = Boolean(capture)
    if (!listener || signal?.aborted) return
    const entries = this.#entries.get(String(type)) ?? []
    if (entries.some(entry => entry.listener === listener && entry.isCapture === isCapture)) return
    this.#entries.set(String(type), [...entries, { listener, isCapture, isOnce: Boolean(once) }])
    signal?.addEventListener('abort', () => this.removeEventListener(type, listener, isCapture), { once: true })
  }

  removeEventListener(type: unknown, listener: Listener | null, options: ListenerOptions | boolean = {}): void {
    const isCapture = Boolean(typeof options === 'boolean' ? options : options.capture)
    const entries = this.#entries.get(String(type)) ?? []
    this.#entries.set(
      String(type),
      entries.filter(entry => entry.listener !== listener || entry.isCapture !== isCapture),
    )
  }

  dispatchEvent(event: Event): boolean {
    const entries = this.#entries.get(event.type) ?? []
    const isAdded = (entry: Entry): boolean => this.#entries.get(event.type)?.includes(entry) === true
    const listeners = entries.map(entry => (each: Event) => {
      if (!isAdded(entry)) return
      const { listener, isCapture, isOnce } = entry
      if (isOnce) this.removeEventListener(event.type, listener, isCapture)
      if (typeof listener === 'function') Reflect.apply(listener, this, [each])
      else listener.handleEvent(each)
    })
    return dispatch(event, this, listeners)
  }
}
