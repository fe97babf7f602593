// Values that cross between a script in QuickJS and its host, as JSON with tags for what JSON cannot represent. Both sides use this file, and
// each parses only text of its own making: nothing of one side is called by the other.
import { describeThrown, isBusError } from '@sallyport/protocol/internal/errors'

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

type Tagged = { readonly $: unknown; readonly v?: unknown; readonly id?: unknown; readonly i?: unknown }

/** Bytes of a message, of which those that a value has are taken out. */
type ReceivedBytes = (Uint8Array | undefined)[]

/** @param bytes - receives copies of the bytes of the value */
export function encodeValue(value: unknown, hooks: ValueHooks, bytes: Uint8Array[]): string {
  return JSON.stringify(pack(value, hooks, bytes, 0)) ?? 'null'
}

/**
 * @param bytes - those of the message, each of which is in the value once at most
 * @throws {TypeError} or another error if the text is not one that `encodeValue` writes
 */
export function decodeValue(text: string, hooks: ValueHooks, bytes: ReceivedBytes): unknown {
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

function unpack(value: unknown, hooks: ValueHooks, bytes: ReceivedBytes): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) value[index] = unpack(value[index], hooks, bytes)
    return value
  }
  if (Object.hasOwn(value, '$')) return unpackTagged(value as Tagged, hooks, bytes)
  return unpackEntries(value as Record<string, unknown>, hooks, bytes)
}

function unpackEntries(object: Record<string, unknown>, hooks: ValueHooks, bytes: ReceivedBytes): object {
  for (const key of Object.keys(object)) {
    const before = object[key]
    const after = unpack(before, hooks, bytes)
    if (after === before) continue
    // `encodeValue` writes a thenable as a promise. A promise that resolves with one calls it.
    check(key !== 'then' || typeof after !== 'function')
    // An assignment to `__proto__` would set the prototype.
    Object.defineProperty(object, key, { value: after })
  }
  return object
}

/**
 * Each tag has exactly the form that `packObject` writes: what it holds is the other side's. An index that is a name, such as
 * `{"$":"bytes","i":"indexOf"}`, would be a function of this side, which a promise calls if it is the `then` of its value.
 */
function unpackTagged({ $, v, id, i }: Tagged, hooks: ValueHooks, bytes: ReceivedBytes): unknown {
  const next = (item: unknown): unknown => unpack(item, hooks, bytes)
  switch ($) {
    case 'undefined':
      return undefined
    case 'number':
      return Number(toText(v))
    case 'bigint':
      return BigInt(toText(v))
    case 'function':
      return () => {}
    case 'symbol':
      return Symbol()
    case 'promise':
      return REJECTED
    case 'date':
      check(v === null || typeof v === 'number')
      return new Date(v ?? Number.NaN)
    case 'map':
      return new Map(toList(v).map(entry => toList(entry, 2).map(next) as [unknown, unknown]))
    case 'set':
      return new Set(toList(v).map(next))
    case 'regexp': {
      const [source, flags] = toList(v, 2).map(toText)
      return new RegExp(source!, flags)
    }
    case 'error': {
      const [name, message, cause] = toList(v, 3)
      return toError(toText(name), toText(message), next(cause))
    }
    case 'iterator':
      return Object.create({ next() {} })
    case 'object':
      check(typeof v === 'object' && v !== null && !Array.isArray(v))
      return unpackEntries(v as Record<string, unknown>, hooks, bytes)
    case 'bytes': {
      check(typeof i === 'number')
      const content = bytes[i]
      check(content instanceof Uint8Array)
      // Each view is a copy: a message of many would be many times as large.
      bytes[i] = undefined
      return toView(content, toText(v))
    }
    case 'source':
    case 'stream':
    case 'channel':
    case 'sender':
    case 'signal':
      check(Number.isSafeInteger(id))
      return hooks.resolve({ $, id: id as number })
    default:
      return check(false)
  }
}

function check(isValid: boolean): asserts isValid {
  if (!isValid) throw new TypeError('The value cannot be read: it has an unknown form')
}

function toText(value: unknown): string {
  check(typeof value === 'string')
  return value
}

function toList(value: unknown, length?: number): unknown[] {
  check(Array.isArray(value) && (length === undefined || value.length === length))
  return value as unknown[]
}

/** Who awaits a promise that stays on the other side gets this error. There is one for all, because its stack takes long. */
const REJECTED = Promise.reject(new TypeError('A promise is not a value: is an `await` missing?'))
REJECTED.catch(() => {})

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
  /** Of an error of a script, own properties, cause and errors. */
  readonly thrown?: unknown
}

export function describeError(error: unknown): CrossedError {
  const message = describeThrown(error)
  if (isBusError(error)) return { message, reason: error.reason, ...(error.data !== undefined && { data: error.data }) }
  return { message, name: error instanceof Error ? error.name : 'Error' }
}
