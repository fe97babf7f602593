// Values that cross between a script in QuickJS and its host, as JSON with tags for what JSON cannot represent. Both sides use this file, and
// each parses only text of its own making: nothing of one side is called by the other.

/** A value that stays on its side, and has an object that stands for it on the other. */
export interface Reference {
  /** `source`: an async iterable of the script. `stream`: one of the host. The others are named after their classes. */
  readonly $: 'source' | 'stream' | 'channel' | 'sender' | 'signal'
  readonly id: number
}

/** What one side does with values that JSON cannot represent. */
export interface ValueHooks {
  /** Returns the reference of a value that stays on this side. */
  refer(value: object): Reference | undefined
  /** Returns what stands for a value of the other side. */
  resolve(reference: Reference): unknown
  /** True if values are sent as JSON: then `toJSON` decides how an object is sent. */
  isJson(): boolean
}

/** Beyond it a value is taken for one that contains itself. */
const MAX_DEPTH = 100
const TAG = '{"$":'

type Tagged = { readonly $: string; readonly v?: unknown; readonly id?: number; readonly i?: number }

/** @param bytes - receives copies of the bytes of the value */
export function encodeValue(value: unknown, hooks: ValueHooks, bytes: Uint8Array[]): string {
  return JSON.stringify(pack(value, hooks, bytes, 0)) ?? 'null'
}

export function decodeValue(text: string, hooks: ValueHooks, bytes: readonly Uint8Array[]): unknown {
  const value: unknown = JSON.parse(text)
  return text.includes(TAG) ? unpack(value, hooks, bytes) : value
}

function pack(value: unknown, hooks: ValueHooks, bytes: Uint8Array[], depth: number): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $: 'number', v: Object.is(value, -0) ? '-0' : String(value) }
    case 'bigint':
      return { $: 'bigint', v: String(value) }
    case 'object':
      return value === null ? null : packObject(value, hooks, bytes, depth)
    default:
      return { $: typeof value }
  }
}

function packObject(value: object, hooks: ValueHooks, bytes: Uint8Array[], depth: number): unknown {
  if (depth > MAX_DEPTH)
    throw new TypeError('The value cannot be serialized: it is nested too deeply, or contains itself')
  if (Array.isArray(value)) {
    const items: unknown[] = []
    for (let index = 0; index < value.length; index++) items.push(pack(value[index], hooks, bytes, depth + 1))
    return items
  }
  // Most objects: the VM takes longer for the other checks than for all else.
  const isPlain = Object.getPrototypeOf(value) === Object.prototype
  if (isPlain && !(Symbol.asyncIterator in value) && isFlat(value as Record<string, unknown>)) return value
  const next = (item: unknown): unknown => pack(item, hooks, bytes, depth + 1)
  const isSpecial = !isPlain || Symbol.asyncIterator in value || 'send' in value
  const special = isSpecial ? (hooks.refer(value) ?? packBytes(value, bytes)) : undefined
  if (special !== undefined) return special
  // MessagePack has dates of its own, and writes plain objects as they are.
  const isDate = value instanceof Date && !hooks.isJson()
  if ((!isPlain || hooks.isJson()) && !isDate && 'toJSON' in value && typeof value.toJSON === 'function')
    return next(value.toJSON())
  if ('then' in value && typeof value.then === 'function') return { $: 'promise' }
  const instance = isPlain ? undefined : packInstance(value, next)
  if (instance !== undefined) return instance
  const packed = Object.create(null) as Record<string, unknown>
  for (const key of Object.keys(value)) packed[key] = next((value as Record<string, unknown>)[key])
  return '$' in packed ? { $: 'object', v: packed } : packed
}

/** True if JSON represents a plain object as it is, as most arguments: the VM takes longest for copies. */
function isFlat(value: Record<string, unknown>): boolean {
  if ('$' in value || 'toJSON' in value) return false
  for (const key of Object.keys(value)) {
    const item = value[key]
    if (typeof item === 'string' || typeof item === 'boolean' || item === null) continue
    // Zero can be negative.
    if (typeof item !== 'number' || item - item !== 0 || (item === 0 && 1 / item < 0)) return false
  }
  return true
}

function packBytes(value: object, bytes: Uint8Array[]): Tagged | undefined {
  if (!(value instanceof ArrayBuffer || ArrayBuffer.isView(value))) return undefined
  const view =
    value instanceof ArrayBuffer
      ? new Uint8Array(value)
      : new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  bytes.push(view.slice())
  return { $: 'bytes', i: bytes.length - 1, v: value instanceof ArrayBuffer ? 'ArrayBuffer' : getViewName(value) }
}

/** Returns what an object of a class arrives as: the codec accepts or refuses it there as from any frontend. `undefined` for its entries. */
function packInstance(value: object, next: (item: unknown) => unknown): Tagged | undefined {
  if (value instanceof Date) return { $: 'date', v: Number(value) }
  if (value instanceof Map) return { $: 'map', v: [...value].map(([key, item]) => [next(key), next(item)]) }
  if (value instanceof Set) return { $: 'set', v: [...value].map(next) }
  if (value instanceof RegExp) return { $: 'regexp', v: [value.source, value.flags] }
  if (value instanceof Error) return { $: 'error', v: [String(value.name), String(value.message), next(value.cause)] }
  return 'next' in value && typeof value.next === 'function' ? { $: 'iterator' } : undefined
}

const VIEWS = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
}

const getViewName = (view: ArrayBufferView): string =>
  Object.entries(VIEWS).find(([, View]) => view instanceof View)?.[0] ?? 'Uint8Array'

function unpack(value: unknown, hooks: ValueHooks, bytes: readonly Uint8Array[]): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) value[index] = unpack(value[index], hooks, bytes)
    return value
  }
  if (Object.hasOwn(value, '$')) return unpackTagged(value as Tagged, hooks, bytes)
  return unpackEntries(value as Record<string, unknown>, hooks, bytes)
}

function unpackEntries(object: Record<string, unknown>, hooks: ValueHooks, bytes: readonly Uint8Array[]): object {
  for (const key of Object.keys(object)) {
    const before = object[key]
    const after = unpack(before, hooks, bytes)
    // An assignment to `__proto__` would set the prototype.
    if (after !== before) Object.defineProperty(object, key, { value: after })
  }
  return object
}

function unpackTagged(tagged: Tagged, hooks: ValueHooks, bytes: readonly Uint8Array[]): unknown {
  const next = (item: unknown): unknown => unpack(item, hooks, bytes)
  const { v } = tagged
  switch (tagged.$) {
    case 'undefined':
      return undefined
    case 'number':
      return Number(v)
    case 'bigint':
      return BigInt(String(v))
    case 'function':
      return () => {}
    case 'symbol':
      return Symbol()
    case 'promise':
      return new Promise(() => {})
    case 'date':
      return new Date(v === null ? Number.NaN : (v as number))
    case 'map':
      return new Map((v as [unknown, unknown][]).map(([key, item]) => [next(key), next(item)]))
    case 'set':
      return new Set((v as unknown[]).map(next))
    case 'regexp':
      return new RegExp(...(v as [string, string]))
    case 'error':
      return toError(...((v as [string, string, unknown]).map(next) as [string, string, unknown]))
    case 'iterator':
      return Object.create({ next() {} })
    case 'object':
      return unpackEntries(v as Record<string, unknown>, hooks, bytes)
    case 'bytes':
      return toView(bytes[tagged.i!]!, String(v))
    default:
      return hooks.resolve(tagged as Reference)
  }
}

function toError(name: string, message: string, cause: unknown): Error {
  const error = new Error(message, cause === undefined ? {} : { cause })
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true })
  return error
}

function toView(content: Uint8Array, name: string): unknown {
  if (name === 'Uint8Array') return content
  const buffer = content.slice().buffer
  const View = Object.hasOwn(VIEWS, name)
    ? (VIEWS[name as keyof typeof VIEWS] as new (buffer: ArrayBuffer) => object)
    : undefined
  return View ? new View(buffer) : buffer
}

/** An error as it crosses: of a `BusError` its reason and data, of another error its name and stack, and any other thrown value itself. */
export interface CrossedError {
  readonly message: string
  readonly name?: string
  readonly stack?: string
  readonly reason?: string
  readonly data?: unknown
  /** True if the thrown value was not an error: then `data` is that value. */
  readonly isValue?: boolean
}
