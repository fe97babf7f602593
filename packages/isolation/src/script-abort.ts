// AbortController for scripts. Node's own is an EventTarget that gives listeners, and who patches it, objects of Node's; this
// one shows a script nothing but what it put in, and the client gets Node's behind it.

type Listener = (event: object) => unknown

const KEY = {}
const nodes = new WeakMap<object, AbortSignal>()

class ScriptAbortSignal {
  readonly #node: AbortSignal
  readonly #listeners = new Set<Listener>()
  onabort: Listener | null = null

  constructor(key: unknown, node: AbortSignal) {
    if (key !== KEY) throw new TypeError('An AbortSignal comes from an AbortController')
    this.#node = node
    nodes.set(this, node)
    node.addEventListener('abort', () => this.#tell(), { once: true })
  }

  get aborted(): boolean {
    return this.#node.aborted
  }

  get reason(): unknown {
    return this.#node.reason
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason
  }

  addEventListener(type: unknown, listener: unknown): void {
    if (type === 'abort' && typeof listener === 'function' && !this.aborted) this.#listeners.add(listener as Listener)
  }

  removeEventListener(_type: unknown, listener: unknown): void {
    this.#listeners.delete(listener as Listener)
  }

  #tell(): void {
    const event = Object.freeze({ type: 'abort', target: this })
    const own = this.onabort
    for (const listener of [...(typeof own === 'function' ? [own] : []), ...this.#listeners]) {
      // One that throws stops no other.
      throwLater(() => void listener(event))
    }
    this.#listeners.clear()
  }
}

class ScriptAbortController {
  readonly #node = new AbortController()
  readonly #signal = new ScriptAbortSignal(KEY, this.#node.signal)

  get signal(): ScriptAbortSignal {
    return this.#signal
  }

  abort(reason?: unknown): void {
    this.#node.abort(reason === undefined ? aborted() : reason)
  }
}

export const abortGlobals: Record<string, unknown> = {
  AbortController: ScriptAbortController,
  AbortSignal: ScriptAbortSignal,
}

/** What the client takes. Whatever is no signal of a script's stays what it is: the client refuses it. */
export const toNodeSignal = (signal: unknown): unknown => nodes.get(signal as object) ?? signal

export const toScriptSignal = (node: AbortSignal): object => new ScriptAbortSignal(KEY, node)

function aborted(): Error {
  const error = new Error('This operation was aborted')
  Object.defineProperty(error, 'name', { value: 'AbortError' })
  return error
}

function throwLater(run: () => void): void {
  try {
    run()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
