// Globals of the web that a script in QuickJS has, and QuickJS has not. The host does what needs tables, clocks or random bytes.
import { AbortController, AbortSignal } from './abort.js'
import { console } from './console.js'
import { CustomEvent, Event, EventTarget } from './event-target.js'
import { URL_PARTS, type UrlParts } from '../url-parts.js'
import { callScript, convert, createId, post } from './port.js'

type Callback = (...args: unknown[]) => unknown

const timers = new Map<number, () => void>()

function addTimer(name: string, run: unknown, ms: unknown, args: unknown[], repeats: boolean): number {
  if (typeof run !== 'function') throw new TypeError(`${name}: the callback must be a function, not a ${typeof run}`)
  const id = createId()
  post('timer', id, [Number(ms), repeats])
  timers.set(id, () => {
    if (!repeats) timers.delete(id)
    callScript(() => (run as Callback)(...args))
  })
  return id
}

const enqueueMicrotask = queueMicrotask

/** The engine's own would end the job loop with an error of the callback, whose name and stack were lost. */
function addMicrotask(run: unknown): void {
  if (typeof run !== 'function') {
    throw new TypeError(`queueMicrotask: the callback must be a function, not a ${typeof run}`)
  }
  enqueueMicrotask(() => callScript(() => (run as Callback)()))
}

function clearTimer(id: unknown): void {
  if (timers.delete(id as number)) post('clear', id as number)
}

export const fire = (id: number): void => timers.get(id)?.()

class TextEncoder {
  get encoding(): string {
    return 'utf-8'
  }

  encode(text: unknown = ''): Uint8Array {
    return convert('encode', String(text)) as Uint8Array
  }

  encodeInto(text: string, target: Uint8Array): { read: number; written: number } {
    let [read, written] = [0, 0]
    for (const character of text) {
      const bytes = this.encode(character)
      if (written + bytes.length > target.length) break
      target.set(bytes, written)
      read += character.length
      written += bytes.length
    }
    return { read, written }
  }
}

class TextDecoder {
  readonly encoding: string
  readonly fatal: boolean
  readonly ignoreBOM: boolean
  /** Bytes of a character that is not complete. */
  #rest = new Uint8Array()

  constructor(label: unknown = 'utf-8', { fatal = false, ignoreBOM = false } = {}) {
    this.fatal = Boolean(fatal)
    this.ignoreBOM = Boolean(ignoreBOM)
    this.encoding = convert('encoding', String(label)) as string
    if (this.encoding === '') throw new RangeError(`The encoding ${JSON.stringify(label)} is not supported`)
  }

  decode(input?: ArrayBuffer | ArrayBufferView, { stream = false } = {}): string {
    const view =
      input === undefined
        ? new Uint8Array()
        : ArrayBuffer.isView(input)
          ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
          : new Uint8Array(input)
    const bytes = new Uint8Array(this.#rest.length + view.length)
    bytes.set(this.#rest)
    bytes.set(view, this.#rest.length)
    const end = stream && this.encoding === 'utf-8' ? findCompleteEnd(bytes) : bytes.length
    this.#rest = bytes.slice(end)
    const [text] = JSON.parse(
      convert('decode', [this.encoding, this.fatal, this.ignoreBOM, bytes.slice(0, end)]) as string,
    ) as [string | null]
    if (text === null) throw new TypeError('The encoded data was not valid')
    return text
  }
}

/** Returns the end of the last complete character of UTF-8. */
function findCompleteEnd(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!
    if ((byte & 0xc0) === 0x80) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return length > back ? bytes.length - back : bytes.length
  }
  return bytes.length
}

type Pair = [name: string, value: string]
const convertJson = (operation: string, value: unknown): unknown => JSON.parse(convert(operation, value) as string)

class URLSearchParams {
  #pairs: Pair[]
  #onChange: (() => void) | undefined

  static watch(params: URLSearchParams, onChange: () => void): URLSearchParams {
    params.#onChange = onChange
    return params
  }

  constructor(init: unknown = '') {
    if (typeof init !== 'object' || init === null) this.#pairs = convertJson('query', String(init)) as Pair[]
    else if (Symbol.iterator in init)
      this.#pairs = [...(init as Iterable<Iterable<unknown>>)].map(pair => [...pair].map(String) as Pair)
    else this.#pairs = Object.entries(init).map(([name, value]) => [name, String(value)])
  }

  get size(): number {
    return this.#pairs.length
  }

  #change(pairs: Pair[]): void {
    this.#pairs = pairs
    this.#onChange?.()
  }

  append(name: unknown, value: unknown): void {
    this.#change([...this.#pairs, [String(name), String(value)]])
  }

  delete(name: unknown): void {
    this.#change(this.#pairs.filter(([key]) => key !== String(name)))
  }

  get(name: unknown): string | null {
    return this.#pairs.find(([key]) => key === String(name))?.[1] ?? null
  }

  getAll(name: unknown): string[] {
    return this.#pairs.filter(([key]) => key === String(name)).map(([, value]) => value)
  }

  has(name: unknown): boolean {
    return this.#pairs.some(([key]) => key === String(name))
  }

  set(name: unknown, value: unknown): void {
    const index = this.#pairs.findIndex(([key]) => key === String(name))
    if (index < 0) return this.append(name, value)
    const pair: Pair = [String(name), String(value)]
    this.#change(this.#pairs.flatMap((each, at) => (at === index ? [pair] : each[0] === pair[0] ? [] : [each])))
  }

  sort(): void {
    this.#change(this.#pairs.toSorted(([a], [b]) => (a < b ? -1 : Number(a > b))))
  }

  forEach(handle: (value: string, name: string, params: this) => void): void {
    for (const [name, value] of this.#pairs) handle(value, name, this)
  }

  *entries(): IterableIterator<Pair> {
    for (const [name, value] of this.#pairs) yield [name, value]
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this.#pairs) yield name
  }

  *values(): IterableIterator<string> {
    for (const [, value] of this.#pairs) yield value
  }

  [Symbol.iterator](): IterableIterator<Pair> {
    return this.entries()
  }

  toString(): string {
    return convertJson('to-query', this.#pairs) as string
  }
}

const { watch } = URLSearchParams
Reflect.deleteProperty(URLSearchParams, 'watch')

class URL {
  #parts: UrlParts
  #params: URLSearchParams | undefined

  static canParse(url: unknown, base?: unknown): boolean {
    return convertJson('url', [String(url), base === undefined ? null : String(base)]) !== null
  }

  static parse(url: unknown, base?: unknown): URL | null {
    return URL.canParse(url, base) ? new URL(url, base) : null
  }

  static get(url: URL, name: keyof UrlParts): string {
    return url.#parts[name]
  }

  static set(url: URL, name: keyof UrlParts, value: unknown): void {
    const parts = convertJson('set-url', [url.#parts.href, name, String(value)]) as UrlParts | null
    if (!parts) throw new TypeError('Invalid URL')
    url.#parts = parts
    if (name === 'href' || name === 'search') url.#params = undefined
  }

  constructor(url: unknown, base?: unknown) {
    const parts = convertJson('url', [String(url), base === undefined ? null : String(base)]) as UrlParts | null
    if (!parts) throw new TypeError('Invalid URL')
    this.#parts = parts
  }

  get searchParams(): URLSearchParams {
    if (this.#params) return this.#params
    const params = watch(new URLSearchParams(this.#parts.search), () => {
      URL_SET(this, 'search', params.toString())
      this.#params = params
    })
    return (this.#params = params)
  }

  toString(): string {
    return this.#parts.href
  }

  toJSON(): string {
    return this.#parts.href
  }
}

const { get: URL_GET, set: URL_SET } = URL
Reflect.deleteProperty(URL, 'get')
Reflect.deleteProperty(URL, 'set')
for (const name of [...URL_PARTS, 'origin'] as const) {
  Object.defineProperty(URL.prototype, name, {
    configurable: true,
    enumerable: true,
    get(this: URL) {
      return URL_GET(this, name)
    },
    ...(name !== 'origin' && {
      set(this: URL, value: unknown) {
        URL_SET(this, name, value)
      },
    }),
  })
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
  const copy = keep(Array.isArray(value) ? Array.from({ length: value.length }) : {}) as Record<string, unknown>
  for (const key of Object.keys(value)) {
    const item = cloneValue((value as Record<string, unknown>)[key], seen)
    Object.defineProperty(copy, key, { value: item, configurable: true, enumerable: true, writable: true })
  }
  return copy
}

export const globals: Record<string, unknown> = {
  AbortController,
  AbortSignal,
  CustomEvent,
  Event,
  EventTarget,
  TextEncoder,
  TextDecoder,
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
