// AbortController, timers and URLs for scripts. Node's own lead to objects of Node, by which a script could leave its sandbox.
import { callSafely } from '@sallyport/protocol/internal/util'
import { freezeErrors } from '../compartment/lockdown.js'

type Listener = (event: object) => unknown

/** Proves that a signal was not constructed by a script. */
const KEY = {}
const nodeSignals = new WeakMap<object, AbortSignal>()

/** Node's AbortSignal is an EventTarget that passes objects of Node to listeners. This class contains only what the script has put in. */
class ScriptAbortSignal {
  readonly #node: AbortSignal
  readonly #listeners = new Set<Listener>()
  onabort: Listener | null = null

  constructor(key: unknown, node: AbortSignal) {
    if (key !== KEY) throw new TypeError('An AbortSignal comes from an AbortController')
    this.#node = node
    nodeSignals.set(this, node)
    node.addEventListener('abort', () => this.#dispatch(), { once: true })
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

  #dispatch(): void {
    const event = Object.freeze({ type: 'abort', target: this })
    const { onabort } = this
    for (const listener of [...(typeof onabort === 'function' ? [onabort] : []), ...this.#listeners]) {
      callSafely(() => void listener(event))
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
    this.#node.abort(reason === undefined ? createAbortError() : reason)
  }
}

export const abortGlobals: Record<string, unknown> = {
  AbortController: ScriptAbortController,
  AbortSignal: ScriptAbortSignal,
}

/** Returns Node's signal for the client. Any other value is returned unchanged: the client refuses it. */
export const toNodeSignal = (signal: unknown): unknown => nodeSignals.get(signal as object) ?? signal

export const toScriptSignal = (node: AbortSignal): object => new ScriptAbortSignal(KEY, node)

function createAbortError(): Error {
  const error = new Error('This operation was aborted')
  Object.defineProperty(error, 'name', { value: 'AbortError' })
  return error
}

type Callback = (...args: unknown[]) => unknown

/**
 * Creates timer functions that return numbers, as in a browser: Node's timers lead to the other timers of the thread. After `stop` they
 * start nothing.
 *
 * @param onUncaught - called with what a microtask throws: Node before 24 loses its asynchronous context
 * @param onEnter - called before each callback of a timer
 */
export function createTimers(
  onUncaught: (thrown: unknown) => void,
  onEnter: () => void = () => {},
): Record<string, unknown> & { stop(): void } {
  const timers = new Map<number, NodeJS.Timeout>()
  let lastId = 0
  let isStopped = false
  const add = (id: number, timer: NodeJS.Timeout): number => {
    if (isStopped) clearTimeout(timer)
    else timers.set(id, timer)
    return id
  }
  const clear = (id: unknown): void => {
    const timer = timers.get(id as number)
    timers.delete(id as number)
    clearTimeout(timer)
  }
  return {
    setTimeout: (run: unknown, ms?: unknown, ...args: unknown[]): number => {
      const callback = checkCallback('setTimeout', run)
      const id = ++lastId
      const fire = (): void => {
        timers.delete(id)
        onEnter()
        callback(...args)
      }
      return add(id, setTimeout(fire, Number(ms)))
    },
    setInterval: (run: unknown, ms?: unknown, ...args: unknown[]): number => {
      const callback = checkCallback('setInterval', run)
      const fire = (): void => {
        onEnter()
        callback(...args)
      }
      return add(++lastId, setInterval(fire, Number(ms)))
    },
    clearTimeout: clear,
    clearInterval: clear,
    queueMicrotask: (run: unknown): void => {
      const callback = checkCallback('queueMicrotask', run)
      queueMicrotask(() => {
        try {
          callback()
        } catch (thrown) {
          onUncaught(thrown)
        }
      })
    },
    stop() {
      isStopped = true
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
    },
  }
}

function checkCallback(name: string, run: unknown): Callback {
  if (typeof run === 'function') return run as Callback
  throw new TypeError(`${name}: the callback must be a function, not a ${typeof run}`)
}

const KEPT_SYMBOLS: readonly symbol[] = [Symbol.iterator, Symbol.toStringTag]

/**
 * Returns Node's URL classes without the members that lead to Node. The thread's own code uses the same classes. Must be called after
 * lockdown, so that everything that a script gets from them is frozen or its own.
 */
export function createUrls(): Record<string, unknown> {
  // A method that Node calls to inspect an object gets Node's `inspect` function.
  for (const { prototype } of [URL, URLSearchParams]) {
    for (const key of Object.getOwnPropertySymbols(prototype)) {
      if (!KEPT_SYMBOLS.includes(key)) Reflect.deleteProperty(prototype, key)
    }
  }
  // The URLs of objects belong to the whole process.
  for (const name of ['createObjectURL', 'revokeObjectURL']) Reflect.deleteProperty(URL, name)
  const iterator: object = Object.getPrototypeOf(new URLSearchParams().entries())
  harden(iterator)
  harden(Object.getPrototypeOf(new URL('http://a').searchParams))
  freezeErrors(getUrlErrors(Reflect.get(iterator, 'next') as () => unknown))
  return { URL, URLSearchParams }
}

/** Calls that throw errors of the URL classes. Node has one class of errors for each error code. */
function getUrlErrors(next: () => unknown): (() => unknown)[] {
  const create = (init: unknown): URLSearchParams => new URLSearchParams(init as string)
  return [
    () => new URL('/'),
    () => (new URL('http://a').href = '/'),
    () => Reflect.construct(URL, []),
    () => Reflect.get(URL.prototype, 'href', {}),
    () => Reflect.apply(next, {}, []),
    () => create([1]),
    () => create([[1]]),
    () => create({ [Symbol.iterator]: 1 }),
    () => URLSearchParams.prototype.forEach.call(create(''), 7 as never),
    () => Reflect.apply(URLSearchParams.prototype.get, create(''), []),
  ]
}
