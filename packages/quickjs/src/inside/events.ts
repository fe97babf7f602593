// Event, EventTarget and AbortController of a script in QuickJS. There is no tree of targets: an event has one target, and does not bubble.
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
  readonly signal?: AbortSignal
}

interface Entry {
  readonly listener: Listener
  readonly isCapture: boolean
  readonly isOnce: boolean
}

/** Calls the listeners in order, until one stops the event. Returns false if one has prevented the default. */
let dispatch: (event: Event, target: EventTarget, listeners: readonly ((event: Event) => unknown)[]) => boolean

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

  static {
    dispatch = (event, target, listeners) => {
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
    const { once, capture, signal } = typeof options === 'boolean' ? { capture: options } : options
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

let abort: (signal: AbortSignal, reason: unknown) => void

export class AbortSignal extends EventTarget {
  #aborted = false
  #reason: unknown
  /** What other signals do when it aborts, before the listeners of the script. */
  readonly #handlers = new Set<() => void>()
  onabort: ((event: Event) => unknown) | null = null

  static {
    abort = (signal, reason) => {
      if (signal.#aborted) return
      signal.#aborted = true
      signal.#reason = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason
      for (const handle of signal.#handlers) handle()
      signal.#handlers.clear()
      signal.dispatchEvent(new Event('abort'))
    }
  }

  constructor() {
    super()
    this.addEventListener('abort', event => {
      if (typeof this.onabort === 'function') this.onabort(event)
    })
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal()
    abort(signal, reason)
    return signal
  }

  static timeout(ms: number): AbortSignal {
    const signal = new AbortSignal()
    setTimeout(() => abort(signal, new DOMException('The operation timed out', 'TimeoutError')), ms)
    return signal
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const result = new AbortSignal()
    for (const signal of signals) {
      if (signal.#aborted) abort(result, signal.#reason)
      else signal.#handlers.add(() => abort(result, signal.#reason))
    }
    return result
  }

  get [Symbol.toStringTag](): string {
    return 'AbortSignal'
  }

  get aborted(): boolean {
    return this.#aborted
  }

  get reason(): unknown {
    return this.#reason
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason
  }
}

export class AbortController {
  readonly signal: AbortSignal = new AbortSignal()

  abort(reason?: unknown): void {
    abort(this.signal, reason)
  }
}
