// AbortController and AbortSignal of a script in QuickJS.
import { createId } from './port.js'

type Listener = ((event: object) => unknown) | { handleEvent(event: object): unknown }

const KEY = {}

export class AbortSignal {
  readonly #listeners = new Set<Listener>()
  #aborted = false
  #reason: unknown
  #id: number | undefined
  onabort: ((event: object) => unknown) | null = null

  constructor(key: unknown) {
    if (key !== KEY) throw new TypeError('An AbortSignal comes from an AbortController')
  }

  /** Returns the id by which the host knows a signal. @param notify - called once when it aborts */
  static getId(signal: AbortSignal, notify: (id: number, reason: unknown) => void): number {
    if (signal.#id !== undefined) return signal.#id
    const id = (signal.#id = createId())
    if (signal.#aborted) void Promise.resolve().then(() => notify(id, signal.#reason))
    else signal.#listeners.add(() => notify(id, signal.#reason))
    return id
  }

  static trigger(signal: AbortSignal, reason: unknown): void {
    if (signal.#aborted) return
    signal.#aborted = true
    signal.#reason = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason
    const event = Object.freeze({ type: 'abort', target: signal })
    const listeners = [...(typeof signal.onabort === 'function' ? [signal.onabort] : []), ...signal.#listeners]
    signal.#listeners.clear()
    for (const listener of listeners) {
      try {
        if (typeof listener === 'function') listener(event)
        else listener.handleEvent(event)
      } catch (error) {
        void Promise.reject(error as Error)
      }
    }
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

  get aborted(): boolean {
    return this.#aborted
  }

  get reason(): unknown {
    return this.#reason
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason
  }

  addEventListener(type: unknown, listener: Listener): void {
    if (type === 'abort' && listener && !this.#aborted) this.#listeners.add(listener)
  }

  removeEventListener(_type: unknown, listener: Listener): void {
    this.#listeners.delete(listener)
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
