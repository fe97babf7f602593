// Globals of the web that a script in QuickJS has, and QuickJS has not. The host does what needs tables, clocks or random bytes.
import { URL_PARTS, type UrlParts } from '../script-host/crossing.js'
import { console } from './console.js'
import { AbortController, AbortSignal, CustomEvent, Event, EventTarget } from './events.js'
import { convert } from './host.js'
import { onChange, URLSearchParams } from './pairs.js'
import { callScript, convertJson, post } from './port.js'

type Callback = (...args: unknown[]) => unknown

interface Timer {
  due: number
  /** Milliseconds between two calls, of one that repeats. */
  readonly interval: number | undefined
  readonly run: Callback
  readonly args: unknown[]
}

/** They are the memory of the VM, so a call can have a deadline without a message to the host, which only wakes the VM up. */
const timers = new Map<number, Timer>()
let wakesAt = Infinity
let lastTimer = 0
const MAX_TIMER_MS = 2 ** 31 - 1

function addTimer(name: string, run: unknown, ms: unknown, args: unknown[], repeats: boolean): number {
  if (typeof run !== 'function') throw new TypeError(`${name}: the callback must be a function, not a ${typeof run}`)
  const delay = Number(ms)
  const interval = delay >= 1 && delay <= MAX_TIMER_MS ? delay : 1
  const due = performance.now() + interval
  timers.set(++lastTimer, { due, interval: repeats ? interval : undefined, run: run as Callback, args })
  if (due < wakesAt) wakeAt(due)
  return lastTimer
}

function wakeAt(due: number): void {
  wakesAt = due
  post('wake', Math.max(0, due - performance.now()))
}

const enqueueMicrotask = queueMicrotask
const clearTimer = (id: unknown): void => void timers.delete(id as number)

/** Timers that are due, the last one first. */
let due: number[] = []

/** Runs one timer that is due. The host wakes the VM up again for the next one, after the promises that this one has settled. */
export function wake(): void {
  const now = performance.now()
  wakesAt = Infinity
  if (due.length === 0) {
    const entries = [...timers].filter(([, timer]) => timer.due <= now).sort(([, a], [, b]) => a.due - b.due)
    due = entries.map(([id]) => id).reverse()
  }
  const id = due.pop()
  const timer = id === undefined ? undefined : timers.get(id)
  if (timer) {
    if (timer.interval === undefined) timers.delete(id!)
    else timer.due = now + timer.interval
    callScript(() => timer.run(...timer.args))
  }
  let next = due.length > 0 ? now : Infinity
  if (due.length === 0) for (const each of timers.values()) next = Math.min(next, each.due)
  if (next < wakesAt) wakeAt(next)
}

export const countTimers = (): number => timers.size

let suspendedAt = 0
export const suspendTimers = (): void => void (suspendedAt = performance.now())

/** Lets timers go on with the time that was left. */
export function resumeTimers(): void {
  const passed = performance.now() - suspendedAt
  for (const timer of timers.values()) timer.due += passed
  wakesAt = Infinity
  wake()
}

/** The engine's own would end the job loop with an error of the callback, whose name and stack were lost. */
function addMicrotask(run: unknown): void {
  if (typeof run !== 'function') {
    throw new TypeError(`queueMicrotask: the callback must be a function, not a ${typeof run}`)
  }
  enqueueMicrotask(() => callScript(() => (run as Callback)()))
}

/** @throws {TypeError} if the host refuses the text */
function convertUrl(operation: 'url' | 'set-url', value: unknown): UrlParts {
  const parts = convertJson(operation, value) as UrlParts | null
  if (!parts) throw new TypeError('Invalid URL')
  return parts
}

class URL {
  #parts: UrlParts
  #params: URLSearchParams | undefined

  static {
    for (const name of [...URL_PARTS, 'origin'] as const) {
      const get = function (this: URL): string {
        return this.#parts[name]
      }
      const set = function (this: URL, value: unknown): void {
        this.#set(name, value)
        if (name === 'href' || name === 'search') this.#params = undefined
      }
      const access = name === 'origin' ? { get } : { get, set }
      Object.defineProperty(URL.prototype, name, { configurable: true, enumerable: true, ...access })
    }
  }

  static canParse(url: unknown, base?: unknown): boolean {
    return URL.parse(url, base) !== null
  }

  static parse(url: unknown, base?: unknown): URL | null {
    try {
      return new URL(url, base)
    } catch {
      return null
    }
  }

  constructor(url: unknown, base?: unknown) {
    this.#parts = convertUrl('url', [String(url), base === undefined ? null : String(base)])
  }

  #set(name: keyof UrlParts, value: unknown): void {
    this.#parts = convertUrl('set-url', [this.#parts.href, name, String(value)])
  }

  get searchParams(): URLSearchParams {
    if (this.#params) return this.#params
    const params = (this.#params = new URLSearchParams(this.#parts.search))
    onChange(params, () => this.#set('search', params))
    return params
  }

  toString(): string {
    return this.#parts.href
  }

  toJSON(): string {
    return this.#parts.href
  }
}

const MAX_RANDOM_BYTES = 65_536

const crypto = Object.freeze({
  getRandomValues<T extends ArrayBufferView>(view: T): T {
    if (view.byteLength > MAX_RANDOM_BYTES) throw new DOMException('More than 65536 bytes', 'QuotaExceededError')
    new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(convert('random', view.byteLength) as Uint8Array)
    return view
  },
  randomUUID: (): string => convert('uuid', null) as string,
})

/** The VM's clock was at zero when its image was made, and goes on with the time of the day. */
export function startClock(): void {
  const { now } = performance
  const timeOrigin = now()
  Object.assign(globalThis, { performance: { now: () => now() - timeOrigin, timeOrigin } })
}

/** xoshiro128**: the VM's own generator would begin at the same number in each script, because they are copies of one VM. */
export function seedRandom(seed: Uint32Array): void {
  let [a = 1, b = 1, c = 1, d = 1] = seed
  const next = (): number => {
    const result = Math.imul((Math.imul(b, 5) << 7) | (Math.imul(b, 5) >>> 25), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 11) | (d >>> 21)
    return result
  }
  Math.random = () => (next() * 2 ** 21 + (next() >>> 11)) / 2 ** 53
}

function cloneValue(value: unknown, seen: Map<object, unknown>): unknown {
  if (typeof value === 'function' || typeof value === 'symbol')
    throw new DOMException(`${String(value)} could not be cloned`, 'DataCloneError')
  if (typeof value !== 'object' || value === null) return value
  if (seen.has(value)) return seen.get(value)
  const keep = <T>(copy: T): T => (seen.set(value, copy), copy)
  if (value instanceof Date) return keep(new Date(Number(value)))
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags))
  if (value instanceof ArrayBuffer) return keep(value.slice(0))
  if (ArrayBuffer.isView(value)) {
    const View = value.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => object
    const { length } = value as unknown as { length?: number }
    return keep(new View(cloneValue(value.buffer, seen) as ArrayBuffer, value.byteOffset, length ?? value.byteLength))
  }
  if (value instanceof Map) {
    const copy = keep(new Map<unknown, unknown>())
    for (const [key, item] of value) copy.set(cloneValue(key, seen), cloneValue(item, seen))
    return copy
  }
  if (value instanceof Set) {
    const copy = keep(new Set<unknown>())
    for (const item of value) copy.add(cloneValue(item, seen))
    return copy
  }
  if (value instanceof Error)
    return keep(Object.assign(new Error(value.message), { name: value.name, stack: value.stack }))
  if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet) {
    throw new DOMException('#<Object> could not be cloned', 'DataCloneError')
  }
  const copy: Record<string, unknown> = keep(Array.isArray(value) ? Array.from({ length: value.length }) : {})
  for (const key of Object.keys(value)) {
    const item = cloneValue((value as Record<string, unknown>)[key], seen)
    Object.defineProperty(copy, key, { value: item, configurable: true, enumerable: true, writable: true })
  }
  return copy
}

const { apply } = Reflect
const { exec } = RegExp.prototype
/** Marks, and what becomes one. */
const MARKS = /[\p{M}\uff9e\uff9f]+/gu
const MAX_MARKS = 1000

/** @throws {RangeError} for many marks in a row: the engine sorts them in quadratic time, and does not ask meanwhile whether to stop */
function checkMarks(value: unknown): string {
  const text = `${value as string}`
  MARKS.lastIndex = 0
  for (let found; (found = apply(exec, MARKS, [text]));)
    if (found[0].length > MAX_MARKS) throw new RangeError(`The text has more than ${MAX_MARKS} marks in a row`)
  return text
}

/** Replaces what normalizes texts. */
export function boundMarks(): void {
  const { prototype } = String
  const { normalize, localeCompare } = prototype
  Object.assign(prototype, {
    normalize(this: string, form?: string) {
      return apply(normalize, checkMarks(this), [form])
    },
    localeCompare(this: string, other: string) {
      return apply(localeCompare, checkMarks(this), [checkMarks(other)])
    },
  })
}

export const globals: Record<string, unknown> = {
  AbortController,
  AbortSignal,
  CustomEvent,
  Event,
  EventTarget,
  URL,
  URLSearchParams,
  console,
  crypto,
  self: globalThis,
  structuredClone: (value: unknown) => cloneValue(value, new Map()),
  setTimeout: (run: unknown, ms?: unknown, ...args: unknown[]) => addTimer('setTimeout', run, ms, args, false),
  setInterval: (run: unknown, ms?: unknown, ...args: unknown[]) => addTimer('setInterval', run, ms, args, true),
  setImmediate: (run: unknown, ...args: unknown[]) => addTimer('setImmediate', run, 0, args, false),
  clearTimeout: clearTimer,
  clearInterval: clearTimer,
  clearImmediate: clearTimer,
  queueMicrotask: addMicrotask,
}
