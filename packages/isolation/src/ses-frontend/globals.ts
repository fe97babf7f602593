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

// Timers for a script. Node's own give out their insides, by which the thread's other timers are found; here a timer is a
// number, as in a browser.

type Callback = (...args: unknown[]) => unknown

export function createTimers(): Record<string, unknown> {
  const timers = new Map<number, NodeJS.Timeout>()
  let last = 0
  const clear = (id: unknown): void => {
    const timer = timers.get(id as number)
    timers.delete(id as number)
    clearTimeout(timer)
  }
  return {
    setTimeout: (run: unknown, ms?: unknown, ...args: unknown[]): number => {
      const callback = checked('setTimeout', run)
      const id = ++last
      const fire = (): void => {
        timers.delete(id)
        callback(...args)
      }
      timers.set(id, setTimeout(fire, Number(ms)))
      return id
    },
    setInterval: (run: unknown, ms?: unknown, ...args: unknown[]): number => {
      const callback = checked('setInterval', run)
      const id = ++last
      timers.set(
        id,
        setInterval(() => void callback(...args), Number(ms)),
      )
      return id
    },
    clearTimeout: clear,
    clearInterval: clear,
    queueMicrotask: (run: unknown): void => {
      const callback = checked('queueMicrotask', run)
      queueMicrotask(() => void callback())
    },
  }
}

function checked(name: string, run: unknown): Callback {
  if (typeof run === 'function') return run as Callback
  throw new TypeError(`${name}: its callback must be a function, not a ${typeof run}`)
}

// URL and URLSearchParams for scripts: Node's classes, without what would lead into Node. The thread's own code keeps the
// same classes.

const KEPT: readonly symbol[] = [Symbol.iterator, Symbol.toStringTag]

/** After lockdown. All that comes from these is frozen, or the script's own. */
export function createUrls(): Record<string, unknown> {
  // What Node shows of one is asked of the object itself, which would be given Node's `inspect`.
  for (const { prototype } of [URL, URLSearchParams]) {
    for (const key of Object.getOwnPropertySymbols(prototype)) {
      if (!KEPT.includes(key)) Reflect.deleteProperty(prototype, key)
    }
  }
  // A registry of the whole process.
  for (const name of ['createObjectURL', 'revokeObjectURL']) Reflect.deleteProperty(URL, name)
  const iterator: object = Object.getPrototypeOf(new URLSearchParams().entries())
  harden(iterator)
  harden(Object.getPrototypeOf(new URL('http://a').searchParams))
  freezeErrors(Reflect.get(iterator, 'next') as () => unknown)
  return { URL, URLSearchParams }
}

/** Each code of Node's has a class of errors of its own. */
function freezeErrors(next: () => unknown): void {
  const make = (given: unknown): URLSearchParams => new URLSearchParams(given as string)
  const provoked: (() => unknown)[] = [
    () => new URL('/'),
    () => (new URL('http://a').href = '/'),
    () => Reflect.construct(URL, []),
    () => Reflect.get(URL.prototype, 'href', {}),
    () => Reflect.apply(next, {}, []),
    () => make([1]),
    () => make([[1]]),
    () => make({ [Symbol.iterator]: 1 }),
    () => URLSearchParams.prototype.forEach.call(make(''), 7 as never),
    () => Reflect.apply(URLSearchParams.prototype.get, make(''), []),
  ]
  for (const provoke of provoked) {
    try {
      provoke()
    } catch (error) {
      harden(Object.getPrototypeOf(error))
    }
  }
}
