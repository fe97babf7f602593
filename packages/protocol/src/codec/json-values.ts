// The rules of JSON for values: those of `JSON.stringify`. In development, values that it would silently change into something
// else are refused, with their path and what to pass instead.
import { isBytes } from '../message/message.js'
import { isDevelopment } from '../util/development.js'
import { protoKey } from './codec.js'

/**
 * Returns `undefined` if JSON has no text for the value.
 *
 * @param convert replaces a value before it is checked
 * @throws {TypeError} for a BigInt and a cycle; in development also for the types of `REMEDIES`, typed arrays and a DataView
 */
export function stringifyJson(value: unknown, convert?: (value: unknown) => unknown): string | undefined {
  if (isDevelopment()) return JSON.stringify(value, createCheck(convert))
  return JSON.stringify(value, convert && ((_key, each) => convert(each)))
}

/**
 * Returns a value with bytes as it is, but with its other members as JSON would carry them. For a message that is encoded as
 * MessagePack because of its bytes, by a sender whose codec is JSON.
 *
 * @throws what `stringifyJson` throws
 */
export function toJsonValue(value: unknown): unknown {
  if (isBytes(value) || isUnchanged(value)) return value
  const toJSON = (value as { toJSON?: unknown } | undefined)?.toJSON
  if (typeof toJSON === 'function') return toJsonValue(toJSON.call(value, ''))
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return throughJson(value)
  const others: Record<string, unknown> = {}
  const bytes = new Map<string, unknown>()
  let isSame = true
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw protoKey()
    const member = (value as Record<string, unknown>)[key]
    // The placeholder keeps the order of the members.
    others[key] = isBytes(member) ? null : member
    if (isBytes(member)) bytes.set(key, member)
    else if (!isUnchanged(member)) isSame = false
  }
  if (isSame && bytes.size > 0) return value
  return Object.assign(throughJson(bytes.size > 0 ? others : value) as object, Object.fromEntries(bytes))
}

const isUnchanged = (value: unknown): boolean =>
  typeof value === 'string' || typeof value === 'boolean' || value === null || Number.isFinite(value)

function throughJson(value: unknown): unknown {
  const text = stringifyJson(value)
  return text === undefined ? undefined : (JSON.parse(text) as unknown)
}

const AS_BYTES = 'pass a Uint8Array of its bytes as a member of the outermost object'
const OR_MSGPACK = ", or choose codec: 'msgpack'"

/** Remedies by the name of the value's type. */
const REMEDIES: Readonly<Record<string, string>> = {
  Map: `pass Object.fromEntries(map)${OR_MSGPACK}`,
  Set: `pass an array${OR_MSGPACK}`,
  RegExp: `pass its source${OR_MSGPACK}`,
  Error: `pass its message${OR_MSGPACK}`,
  ArrayBuffer: `pass it as a member of the outermost object${OR_MSGPACK}`,
  SharedArrayBuffer: AS_BYTES,
  Uint8Array: `pass it as a member of the outermost object${OR_MSGPACK}`,
  Blob: AS_BYTES,
  File: AS_BYTES,
  Promise: 'await it first',
}

type Replacer = (this: unknown, key: string, value: unknown) => unknown

/** Returns a replacer that throws for a value that JSON would change. */
function createCheck(convert?: (value: unknown) => unknown): Replacer {
  /** The objects around the current value, and their names. The first one is that of `JSON.stringify` itself. */
  const holders: unknown[] = []
  const names: string[] = []
  return function check(this: unknown, key: string, original: unknown): unknown {
    const value = convert ? convert(original) : original
    if (typeof value !== 'object' || value === null) return value
    const type =
      getType(value) ??
      (isBufferAsJson(value) && isBytes((this as Record<string, unknown>)[key]) ? 'Uint8Array' : undefined)
    while (holders.length > 0 && holders.at(-1) !== this) {
      holders.pop()
      names.pop()
    }
    const name = holders.length === 0 ? '' : Array.isArray(this) ? `[${key}]` : `.${key}`
    if (type !== undefined) {
      const path = [...names, name].join('').replace(/^\./, '')
      const remedy = REMEDIES[type] ?? AS_BYTES
      throw new TypeError(`${path || 'it'} is a value of type ${type}, which JSON cannot represent: ${remedy}`)
    }
    holders.push(value)
    names.push(name)
    return value
  }
}

/** Returns the type of a value that JSON would change. */
function getType(value: object): string | undefined {
  const type = Object.prototype.toString.call(value).slice('[object '.length, -1)
  return ArrayBuffer.isView(value) || Object.hasOwn(REMEDIES, type) ? type : undefined
}

/** True for the form that `Buffer.prototype.toJSON` returns. */
const isBufferAsJson = (value: object): boolean => 'type' in value && value.type === 'Buffer' && 'data' in value
