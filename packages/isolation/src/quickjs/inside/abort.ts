// AbortController and AbortSignal of a script in QuickJS.
import { Event, EventTarget } from './event-target.js'
import { createId } from './port.js'

const KEY = {}

export class AbortSignal extends EventTarget {
  #aborted = false
  #reason: unknown
  #id: number | undefined
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

  /** Returns the id by which the host knows a signal. @param notify - called when it aborts, and after each use of one that has aborted */
  static getId(signal: AbortSignal, notify: (id: number, reason: unknown) => void): number {
    const isKnown = signal.#id !== undefined
    const id = (signal.#id ??= createId())
    if (signal.#aborted) void Promise.resolve().then(() => notify(id, signal.#reason))
    else if (!isKnown) signal.#handlers.add(() => notify(id, signal.#reason))
    return id
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

const { getId, trigger } = AbortSignal
export const getSignalId: typeof AbortSignal.getId = getId
Reflect.deleteProperty(AbortSignal, 'getId')
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

export function createRemoteSignal(): { signal: AbortSignal; abort(reason: unknown): void } {
  const signal = new AbortSignal(KEY)
  return { signal, abort: reason => trigger(signal, reason) }
}
