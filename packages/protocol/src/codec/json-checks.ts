// Checks of JSON. Untrusted text: its depth and number of values before it is parsed, keys and numbers afterwards. Values, in
// development: those that JSON would change are refused, with their path and what to pass instead.
import { isBytes } from '../message/message.js'
import { isDevelopment } from '../util/development.js'
import { MAX_DEPTH, MAX_NODES, SCAN_ABOVE_BYTES } from '../wire/limits.js'
import { protoKey, tooDeep, tooMany } from './codec.js'

const QUOTE = 0x22
const COMMA = 0x2c
const OPEN_ARRAY = 0x5b
const BACKSLASH = 0x5c

/**
 * Checks the limits of depth and number of values without parsing. The parser decides whether the text is JSON at all. The limit
 * of depth applies to messages of more than `SCAN_ABOVE_BYTES`, so that a message passes in a batch if it passes alone.
 *
 * @throws {RangeError} if a limit is exceeded
 */
export function scanJson(bytes: Uint8Array): void {
  let depth = 0
  let nodes = 1
  // The depth of a message: 1 in a batch, 0 for a single one, unknown until the first bracket.
  let base = -1
  let deepest = 0
  let start = 0
  const endMessage = (end: number): void => {
    if (deepest - base > MAX_DEPTH && end - start > SCAN_ABOVE_BYTES) throw tooDeep()
    deepest = 0
    start = end + 1
  }
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte === QUOTE) {
      at = findEndOfString(bytes, at)
    } else if (byte === COMMA) {
      nodes++
      if (depth === base) endMessage(at)
    } else if ((byte | 0x20) === 0x7b) {
      // [ or {
      nodes++
      if (base < 0) {
        base = byte === OPEN_ARRAY ? 1 : 0
        start = at + base
      }
      if (++depth > deepest) deepest = depth
    } else if ((byte | 0x20) === 0x7d) {
      // ] or }
      if (--depth < base) endMessage(at)
    }
  }
  endMessage(bytes.length)
  if (nodes > MAX_NODES) throw tooMany()
}

function findEndOfString(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; ; at++) {
    at = bytes.indexOf(QUOTE, at)
    if (at < 0) return bytes.length
    let slashes = 0
    while (bytes[at - 1 - slashes] === BACKSLASH) slashes++
    if (slashes % 2 === 0) return at
  }
}

/** V8 finds a short text four times as fast as a long one. */
export const mayHaveProtoKey = (text: string): boolean => text.includes('__p') && text.includes('__proto__')

/** Searches the value only if its text can hold such a key. `\u00` is the beginning of an escaped letter. */
export function refuseProtoKeys(text: string, value: unknown): void {
  if ((mayHaveProtoKey(text) || text.includes('\\u00')) && includesValue(value, hasProtoKey)) throw protoKey()
}

/** Searches the value only if its text can hold such a number: one with an exponent of three digits, or with very many digits. */
export function refuseInfinity(text: string, value: unknown): void {
  if ((LARGE_EXPONENT.test(text) || hasLongDigits(text)) && includesValue(value, isInfinite)) {
    throw new RangeError('a number is out of range')
  }
}

const LARGE_EXPONENT = /\d[eE]\+?\d{3}/
/** A number with an exponent below 100 is finite unless it has at least 210 digits, which contain an aligned block of this size. */
const DIGIT_BLOCK = 100

function hasLongDigits(text: string): boolean {
  for (let start = 0; start < text.length; start += DIGIT_BLOCK) {
    const end = start + DIGIT_BLOCK
    let at = start
    while (at < end && isDigit(text, at)) at++
    if (at === end) return true
  }
  return false
}

const isDigit = (text: string, at: number): boolean => text.charCodeAt(at) >= 0x30 && text.charCodeAt(at) <= 0x39

const isInfinite = (value: unknown): boolean => value === Infinity || value === -Infinity
const hasProtoKey = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, '__proto__')

function includesValue(root: unknown, matches: (value: unknown) => boolean): boolean {
  const open: unknown[] = [root]
  while (open.length > 0) {
    const value = open.pop()
    if (matches(value)) return true
    if (typeof value !== 'object' || value === null) continue
    for (const inner of Object.values(value)) open.push(inner)
  }
  return false
}

/**
 * Returns `undefined` if JSON has no text for the value.
 *
 * @param convert replaces a value before it is checked
 * @throws {TypeError} for a BigInt and a cycle; in development also for the types of `REMEDIES`, typed arrays and a DataView
 */
export function stringifyJson(value: unknown, convert?: (value: unknown) => unknown): string | undefined {
  if (isDevelopment() && (convert || !isPlain(value))) return JSON.stringify(value, createCheck(convert))
  return JSON.stringify(value, convert && ((_key, each) => convert(each)))
}

/** Deeper values, and cycles, are left to the replacer. */
const MAX_PLAIN_DEPTH = 8

/** True for what JSON carries as it is: primitives, arrays and plain objects. This is several times as fast as a replacer. */
function isPlain(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'function'
  if (depth > MAX_PLAIN_DEPTH || 'toJSON' in value || Symbol.toStringTag in value) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null) return false
  for (const key in value) if (!isPlain((value as Record<string, unknown>)[key], depth + 1)) return false
  return true
}

const AS_BYTES = 'pass a Uint8Array of its bytes as a member of the outermost object'
const OR_MSGPACK = ", or choose codec: 'msgpack'"
/** Remedies that values which are converted first don't need: they are JSON whatever the codec, and can have bytes anywhere. */
const UNCONVERTED = / as a member of the outermost object|, or choose codec: 'msgpack'/g

/** Remedies by the name of the value's type. */
const REMEDIES: Readonly<Record<string, string>> = {
  Map: `pass Object.fromEntries(map)${OR_MSGPACK}`,
  Set: `pass an array${OR_MSGPACK}`,
  RegExp: `pass its source${OR_MSGPACK}`,
  Error: `pass its message${OR_MSGPACK}`,
  ArrayBuffer: `pass it as a member of the outermost object${OR_MSGPACK}`,
  Buffer: `pass a Uint8Array as a member of the outermost object${OR_MSGPACK}`,
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
      (isBufferAsJson(value) && isBytes((this as Record<string, unknown>)[key]) ? 'Buffer' : undefined)
    while (holders.length > 0 && holders.at(-1) !== this) {
      holders.pop()
      names.pop()
    }
    const name = holders.length === 0 ? '' : Array.isArray(this) ? `[${key}]` : `.${key}`
    if (type !== undefined) {
      const path = [...names, name].join('').replace(/^\./, '')
      const full = REMEDIES[type] ?? AS_BYTES
      const remedy = convert ? full.replaceAll(UNCONVERTED, '') : full
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
