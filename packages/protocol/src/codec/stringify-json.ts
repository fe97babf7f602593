// Writes JSON, with bytes apart. Values that JSON would silently change are refused, with their path and what to pass instead.
import { getTypeName, isArrayBuffer, isBytes, isPlainObject } from '../util/type-guards.js'
import { protoKey, WithBytes } from './codec.js'
import { AS_ARGUMENT, encoding } from './nested-channel.js'

/**
 * Returns `undefined` if JSON has no text for the value.
 *
 * @throws {TypeError} for a BigInt, a cycle, and a value that JSON would change (see `getType`)
 */
export function stringifyJson(value: unknown): string | WithBytes | undefined {
  const before = encoding.isActive
  encoding.isActive = true
  try {
    if (isUnchanged(value, MAX_PLAIN_DEPTH)) return JSON.stringify(value)
    const taken = new WithBytes('', [])
    const rest = takeBytes('', value, taken, [])
    const text = JSON.stringify(rest, isUnchanged(rest, MAX_PLAIN_DEPTH) ? undefined : createCheck())
    if (taken.bytes.length === 0) return text
    taken.encoded = text
    return taken
  } finally {
    encoding.isActive = before
  }
}

/** Deeper values, and cycles, are left to the replacer. */
const MAX_PLAIN_DEPTH = 64

/** True for what JSON carries as it is. False means that the replacer decides, which makes `JSON.stringify` up to three times slower. */
const isUnchanged = (value: unknown, depth: number): boolean =>
  typeof value === 'object' && value !== null
    ? hasUnchangedMembers(value as Record<PropertyKey, unknown>, depth)
    : typeof value === 'string' || getType(value) === undefined

function hasUnchangedMembers(value: Record<PropertyKey, unknown>, depth: number): boolean {
  if (value instanceof Date) return !isNaN(+value)
  if (depth === 0 || value['toJSON'] || value[Symbol.asyncIterator]) return false
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!isUnchanged(value[i], depth - 1)) return false
    return true
  }
  if (!isPlainObject(value) && (isBytes(value) || getType(value) !== undefined)) return false
  for (const key in value) if (!isUnchanged(value[key], depth - 1)) return false
  return true
}

/**
 * Returns the value itself, or a copy with `null` in the place of bytes: `JSON.stringify` would ask a Buffer for its `toJSON`. In the
 * place of any other `toJSON` is what it returns.
 *
 * @param holders - the objects around the value
 */
function takeBytes(key: string | number, value: unknown, taken: WithBytes, holders: object[]): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (isBytes(value)) {
    taken.bytes.push(isArrayBuffer(value) ? new Uint8Array(value) : value)
    taken.pointers.push('')
    return null
  }
  const { toJSON } = value as { toJSON?: unknown }
  const json: unknown =
    typeof toJSON === 'function' && !(value instanceof Date) ? toJSON.call(value, String(key)) : value
  if (json !== value) return takeBytes(key, json, taken, holders)
  if (holders.includes(value)) throw new TypeError(`Converting circular structure to JSON: ${key} closes the circle`)
  // The replacer refuses it.
  if (!isPlainObject(value) && getType(value) !== undefined) return value
  holders.push(value)
  const names = Array.isArray(value) ? undefined : Object.keys(value)
  const { length } = names ?? (value as readonly unknown[])
  const { pointers } = taken
  let copy: Record<string | number, unknown> | undefined
  for (let at = 0; at < length; at++) {
    const name = names?.[at] ?? at
    const member = (value as Record<string | number, unknown>)[name]
    if (typeof member !== 'object' || member === null) continue
    const before = pointers.length
    const rest = takeBytes(name, member, taken, holders)
    for (let next = before; next < pointers.length; next++) pointers[next] = `/${escape(name)}${pointers[next]!}`
    if (rest === member) continue
    if (name === '__proto__') throw protoKey()
    copy ??= (names ? { ...value } : (value as unknown[]).slice()) as Record<string | number, unknown>
    copy[name] = rest
  }
  holders.pop()
  return copy ?? value
}

const escape = (key: string | number): string | number =>
  typeof key === 'string' && /[~/]/.test(key) ? key.replaceAll('~', '~0').replaceAll('/', '~1') : key

const AS_BYTES = 'pass a Uint8Array of its bytes'
const OR_MSGPACK = ", or choose codec: 'msgpack'"
const AS_CHUNKS = 'send its values on a Channel, or from an async generator'

/** Remedies by the type of a value, as `getType` returns it. Other types are refused with `AS_BYTES`. */
export const REMEDIES: Readonly<Record<string, string>> = {
  number: `pass null or a string${OR_MSGPACK}`,
  symbol: 'pass its description',
  function: 'pass a Channel, or expose it',
  Map: `pass Object.fromEntries(map)${OR_MSGPACK}`,
  Set: `pass an array${OR_MSGPACK}`,
  RegExp: `pass its source${OR_MSGPACK}`,
  Error: `pass its message${OR_MSGPACK}`,
  Date: `pass null${OR_MSGPACK}`,
  SharedArrayBuffer: AS_BYTES,
  Blob: AS_BYTES,
  File: AS_BYTES,
  Promise: 'await it first',
  AbortSignal: 'pass it as the option `signal`, after the arguments',
  ReadableStream: AS_CHUNKS,
  WritableStream: AS_CHUNKS,
  TransformStream: AS_CHUNKS,
  Stream: AS_CHUNKS,
  AsyncIterable: AS_CHUNKS,
  Iterator: 'pass an array',
  MessagePort: 'pass a Channel',
  Channel: AS_ARGUMENT,
}

/** @param value - takes the place of the original, which was `this[key]` before its `toJSON` */
type Check = (this: unknown, key: string, original: unknown, value?: unknown) => unknown

/** Returns a replacer that throws for a value that JSON would change. */
export function createCheck(): Check {
  /** The objects around the current value, and their names. The first one is that of `JSON.stringify` itself. */
  const holders: unknown[] = []
  const names: string[] = []
  return function check(this: unknown, key: string, original: unknown, value: unknown = original): unknown {
    const before = (this as Record<string, unknown>)[key]
    // Its `toJSON` has changed a Buffer, or an invalid Date, to null.
    const isChanged = before !== original && (isBytes(before) || (original === null && before instanceof Date))
    const type = isChanged ? before.constructor.name : getType(value)
    if (type === undefined && (typeof value !== 'object' || value === null)) return value
    while (holders.length > 0 && holders.at(-1) !== this) {
      holders.pop()
      names.pop()
    }
    const name = holders.length === 0 ? '' : Array.isArray(this) ? `[${key}]` : `.${key}`
    if (type !== undefined) {
      const path = [...names, name].join('').replace(/^\./, '')
      const what =
        typeof value === 'object' ? `a value of type ${type}` : typeof value === 'number' ? value : `a ${type}`
      if (type === 'Channel') throw new TypeError(`${path || 'it'} is a Channel: ${AS_ARGUMENT}`)
      throw new TypeError(`${path || 'it'} is ${what}, which JSON cannot represent: ${REMEDIES[type] ?? AS_BYTES}`)
    }
    holders.push(value)
    names.push(name)
    return value
  }
}

/** The types of objects that have a method, whatever class and realm they are from. */
const TYPES_BY_METHOD = [
  ['then', 'Promise'],
  ['pipe', 'Stream'],
  [Symbol.asyncIterator, 'AsyncIterable'],
  ['next', 'Iterator'],
  ['postMessage', 'MessagePort'],
] as const

/** Returns the type of a value that JSON would change. */
export function getType(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : 'number'
  if (typeof value === 'function' || typeof value === 'symbol') return typeof value
  if (typeof value !== 'object' || value === null) return undefined
  const type = getTypeName(value)
  if (ArrayBuffer.isView(value) || Object.hasOwn(REMEDIES, type)) return type
  return TYPES_BY_METHOD.find(([name]) => typeof (value as Record<PropertyKey, unknown>)[name] === 'function')?.[1]
}
