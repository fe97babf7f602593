// What JSON can carry. Values that it would silently change are refused as they are written, with their path and what to pass instead; bytes are
// taken out. Of untrusted JSON, depth and number of values are checked before it is parsed, keys and numbers afterwards.
import { IS_NODE } from '#platform'
import { RefusedValueError } from '../errors/command-error.js'
import { getTypeName, isArrayBuffer, isBytes, isDeeper, isPlainObject } from '../util/type-guards.js'
import { MAX_DEPTH, MAX_NODES, SCAN_ABOVE_BYTES } from '../wire/limits.js'
import { protoKey, tooDeep, tooMany, WithBytes } from './codec.js'

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
  } else {
    if (!isPlainObject(value) && (isBytes(value) || getType(value) !== undefined)) return false
    for (const key in value) if (!isUnchanged(value[key], depth - 1)) return false
  }
  // Stryker disable next-line BooleanLiteral: the replacer would take longer to find the same
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
  const { toJSON }: { toJSON?: unknown } = value
  const json: unknown =
    typeof toJSON === 'function' && getTypeName(value) !== 'Date' ? toJSON.call(value, String(key)) : value
  if (json !== value) return takeBytes(key, json, taken, holders)
  if (holders.includes(value)) throw new TypeError(`circular structure at ${key}`)
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
    // Stryker disable next-line ConditionalExpression: a call would return the same
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

// A client replaces the channels among the arguments of a call by references before a codec sees them. A codec that meets another channel
// would write its `toJSON`, a text that arrives as a text: channels refuse that, and stay JSON for everyone else.

/** Whether a codec encodes a value of this thread. A getter of the value can encode another one meanwhile. */
export const encoding = { isActive: false }

export const AS_ARGUMENT = 'pass it as an argument of its own'

/** For `toJSON` of channels. @throws {TypeError} while a codec encodes */
export function refuseNestedChannel(channel: object): void {
  if (!encoding.isActive) return
  if (!IS_NODE) throw new TypeError(`it has a Channel: ${AS_ARGUMENT}`)
  throw new RefusedValueError(channel, `is a Channel: ${AS_ARGUMENT}, at the top level of a call`)
}

const AS_BYTES = 'pass a Uint8Array of its bytes'
const OR_MSGPACK = ", or choose codec: 'msgpack'"
const AS_CHUNKS = 'send its values on a Channel or from an async generator, or pass it as an argument of its own'
const AS_MESSAGE = 'pass its message'
const AS_BODY = 'pass what its text() or arrayBuffer() resolves with'
const AS_OBJECT = 'pass Object.fromEntries(it)'
const AS_COPY = 'pass what it holds as an object or an array'

/** Remedies by the type of a value, as `getType` returns it. Other types are refused with `AS_BYTES`. A page has none. */
const REMEDIES: Readonly<Record<string, string>> = {
  number: `pass null or a string${OR_MSGPACK}`,
  symbol: 'pass its description',
  function: 'pass a Channel, or expose it',
  Map: 'pass Object.fromEntries(map)',
  Set: 'pass an array',
  RegExp: 'pass its source',
  Error: AS_MESSAGE,
  DOMException: AS_MESSAGE,
  URLSearchParams: 'pass its toString()',
  Headers: AS_OBJECT,
  FormData: AS_OBJECT,
  Request: AS_BODY,
  Response: AS_BODY,
  Intl: 'pass its options',
  WeakMap: AS_COPY,
  WeakSet: AS_COPY,
  WeakRef: AS_COPY,
  Number: `pass null or a string${OR_MSGPACK}`,
  BigInt: `pass its toString()${OR_MSGPACK}`,
  Symbol: 'pass its description',
  Date: `pass null${OR_MSGPACK}`,
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
  /** Of the objects until now. The holder of the root is that of `JSON.stringify` itself. */
  const paths = new Map<unknown, string>()
  return function check(this: unknown, key: string, original: unknown, value: unknown = original): unknown {
    const before = (this as Record<string, unknown>)[key]
    // Its `toJSON` has changed a Buffer, or an invalid Date, to null.
    const isChanged = before !== original && (isBytes(before) || (original === null && getTypeName(before) === 'Date'))
    const type = isChanged ? (isBytes(before) ? before.constructor.name : 'Date') : getType(value)
    // Stryker disable next-line ConditionalExpression: a path of what is no object is never asked for
    if (type === undefined && (typeof value !== 'object' || value === null)) return value
    const around = paths.get(this)
    const path = around === undefined ? '' : around + (Array.isArray(this) ? `[${key}]` : `.${key}`)
    if (type !== undefined) {
      const refusal =
        type === 'Channel'
          ? `a Channel: ${AS_ARGUMENT}`
          : `${describeType(value, type)}, which JSON cannot represent${getRemedy(type)}`
      throw new TypeError(`${path.replace(/^\./, '') || 'it'} is ${refusal}`)
    }
    paths.set(value, path)
    return value
  }
}

export const describeType = (value: unknown, type: string): string =>
  typeof value === 'object' ? `a value of type ${type}` : typeof value === 'number' ? String(value) : `a ${type}`

export const getRemedy = (type: string): string =>
  IS_NODE ? `: ${REMEDIES[type.replace(/^Intl\..*/, 'Intl')] ?? AS_BYTES}` : ''

const CHANGED_TYPE =
  /^(?:(?:Weak)?(?:Map|Set|Ref)|RegExp|Error|DOMException|Date|BigInt|Symbol|URLSearchParams|Headers|FormData|Request|Response|(?:Shared)?ArrayBuffer|Blob|File|AbortSignal|(?:Intl|WebAssembly)\.\w+|\w+Stream|Channel)$/

/** The types of objects that have a method, whatever class and realm they are from. */
const TYPES_BY_METHOD = [
  ['then', 'Promise'],
  ...(IS_NODE ? ([['pipe', 'Stream']] as const) : []),
  [Symbol.asyncIterator, 'AsyncIterable'],
  ['next', 'Iterator'],
  ['postMessage', 'MessagePort'],
] as const

/** Returns the type of a value that JSON would change. */
export function getType(value: unknown): string | undefined {
  const kind = typeof value
  if (kind === 'number') return Number.isFinite(value) ? undefined : kind
  if (kind === 'function' || kind === 'symbol') return kind
  if (kind !== 'object' || value === null) return undefined
  const type = getTypeName(value)
  if (ArrayBuffer.isView(value) || CHANGED_TYPE.test(type)) return type
  // JSON has the value of a boxed one.
  if (IS_NODE && type === 'Number' && !Number.isFinite(Number(value))) return type
  return TYPES_BY_METHOD.find(([name]) => typeof (value as Record<PropertyKey, unknown>)[name] === 'function')?.[1]
}

const QUOTE = 0x22
const SPACE = 0x20
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const BACKSLASH = 0x5c

/**
 * Returns the number of values, and checks its limit and that of depth, without parsing. The parser decides whether the text is JSON at all. The limit
 * of depth applies to messages of more than `above` bytes, so that a message passes in a batch if it passes alone.
 *
 * @throws {RangeError} if a limit is exceeded
 */
export function scanJson(bytes: Uint8Array, above: number = SCAN_ABOVE_BYTES, maxNodes: number = MAX_NODES): number {
  let depth = 0
  let nodes = 1
  // The depth of a message: 1 in a batch, 0 for a single one, unknown until the first bracket.
  let base = -1
  let deepest = 0
  let start = 0
  const endMessage = (end: number): void => {
    if (deepest - base > MAX_DEPTH && end - start > above) throw tooDeep()
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
  if (nodes > maxNodes) throw tooMany()
  return nodes
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

/**
 * Checks the value of an untrusted text, and replaces each -0 in it by 0, as which JSON would encode it again: a hook and core see the
 * same. The value is searched only if its text can hold what is searched for.
 *
 * @throws {TypeError} for a key named `__proto__`; {RangeError} for a number that is parsed as Infinity
 */
export function checkParsed(text: string, value: unknown): void {
  // V8 finds a short text four times as fast as a long one. `\\u00` is the beginning of an escaped letter.
  // Stryker disable next-line LogicalOperator: a search that finds nothing changes nothing
  const mayNameProto = text.includes('__p') && text.includes('__proto__')
  if (mayNameProto || text.includes('\\u00')) refuseProtoKeys(value)
  // A page reads frames of core alone.
  if (!IS_NODE) return
  if (
    (LARGE_EXPONENT.test(text) || (text.length >= LONG_DIGITS && hasLongDigits(text))) &&
    includesValue(value, isInfinite)
  ) {
    throw new RangeError('a number is out of range')
  }
  if (text.includes('-') && mayHaveNegative(text) && NEGATIVE_ZERO.test(text)) replaceNegativeZeros(value)
}

/** @throws {TypeError} for a key named `__proto__` */
export function refuseProtoKeys(value: unknown): void {
  if (includesValue(value, hasProtoKey)) throw protoKey()
}

const LARGE_EXPONENT = /\d[eE]\+?\d{3}/
/** A number with an exponent below 100 is finite unless it has at least this many digits. */
const LONG_DIGITS = 210
/** So many digits contain an aligned block of this size. */
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

function replaceNegativeZeros(value: unknown): void {
  const open: unknown[] = [value]
  while (open.length > 0) {
    const holder = open.pop() as Record<string, unknown>
    if (typeof holder !== 'object' || holder === null) continue
    for (const [key, inner] of Object.entries(holder)) {
      if (Object.is(inner, -0)) holder[key] = 0
      else if (typeof inner === 'object' && inner !== null) open.push(inner)
    }
  }
}

/** Minus signs that are looked at one by one. Most are within dates, names and addresses. The pattern is faster if there are very many. */
const MAX_SIGNS = 1000

/** True if a minus sign can begin a number: it follows a bracket, a colon, a comma or white space. */
function mayHaveNegative(text: string): boolean {
  let signs = 0
  for (let at = text.indexOf('-'); at >= 0; at = text.indexOf('-', at + 1)) {
    const before = text.charCodeAt(at - 1)
    // At the beginning, it is NaN.
    if (!(before > SPACE) || before === OPEN_ARRAY || before === COLON || before === COMMA) return true
    if (++signs === MAX_SIGNS) return true
  }
  return false
}

/** A negative zero, or a negative number that is too small for a double. */
// Stryker disable next-line Regex: one that matches more only searches values that do not change
const NEGATIVE_ZERO = /[[:,\s]-(?:0(?!\.\d{0,220}[1-9])|\d[\d.]*[eE]-\d{3})/

const isInfinite = (value: unknown): boolean => value === Infinity || value === -Infinity
const hasProtoKey = (value: unknown): boolean => Object.hasOwn(Object(value), '__proto__')

/** Checks the limits of `scanJson` for a text that this side has written, by parsing it: this takes a page less code. */
export function checkLimits(text: string): void {
  const value: unknown = JSON.parse(text)
  let nodes = 0
  if (includesValue(value, () => ++nodes > MAX_NODES)) throw tooMany()
  if (isDeeper(value, MAX_DEPTH)) throw tooDeep()
}

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
