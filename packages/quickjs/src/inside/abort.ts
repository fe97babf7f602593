// AbortController and AbortSignal of a script in QuickJS.
import { Event, EventTarget } from './event-target.js'

const KEY = {}

export class AbortSignal extends EventTarget {
  #aborted = false
  #reason: unknown
  /** What this module does when it aborts, before the listeners of the script. */
  readonly #handlers = new Set<() => void>()
  onabort: ((event: Event) => unknown) | null = null

  constructor(key: unknown) {
    if (key !== KEY) throw new TypeError('An AbortSignal comes from an AbortController')
    super()
    this.addEventListener('abort', event => {
      if (typeof this.onabort === 'function') this.onabort(event)
    })
  }

  static trigger(signal: AbortSignal, reason: unknown): void {
    if (signal.#aborted) return
    signal.#aborted = true
    signal.#reason = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason
    for (const handle of signal.#handlers) handle()
    signal.#handlers.clear()
    signal.dispatchEvent(new Event('abort'))
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal(KEY)
    trigger(signal, reason)
    return signal
  }

  static timeout(ms: number): AbortSignal {
    const signal = new AbortSignal(KEY)
    setTimeout(() => trigger(signal, new DOMException('The operation timed out', 'TimeoutError')), ms)
    return signal
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const result = new AbortSignal(KEY)
    for (const signal of signals) {
      if (signal.#aborted) trigger(result, signal.#reason)
      else signal.#handlers.add(() => trigger(result, signal.#reason))
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

const { trigger } = AbortSignal
Reflect.deleteProperty(AbortSignal, 'trigger')

export class AbortController {
  readonly #signal = new AbortSignal(KEY)

  get signal(): AbortSignal {
    return this.#signal
  }

  abort(reason?: unknown): void {
    trigger(this.#signal, reason)
  }
}
