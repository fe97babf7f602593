// JSON, the default codec. Envelopes are concatenated as text, so that only params and results pass through a serializer.
// Depth and number of values are bounded for untrusted JSON: a 64 MiB array of empty objects would take 1.5 GB to parse. A key named
// `__proto__` is refused, and so is a number that is parsed as Infinity, which JSON cannot encode again.
import { BusError } from '../errors/bus-error.js'
import { type Message, type RequestId, UNNAMED_ARGUMENTS } from '../message/message.js'
import { decodeUtf8, toUtf8 } from '../util/platform.js'
import { MAX_DEPTH, MAX_FRAME_BYTES, MAX_NODES, SCAN_ABOVE_BYTES } from '../wire/limits.js'
import { FRAME_KIND } from '../wire/link.js'
import { type Codec, protoKey, tooDeep, tooMany } from './codec.js'
import { stringifyJson } from './json-values.js'

interface JsonCodec extends Codec {
  decode(body: string | Uint8Array, trusted?: boolean): unknown
}

export const jsonCodec: JsonCodec = {
  name: 'json',
  kind: FRAME_KIND.json,
  encode(message, checked = false) {
    const text = write(message, checked)
    if (checked && text.length * 3 > SCAN_ABOVE_BYTES) scanIfLarge(text)
    return text
  },
  join: messages => (messages.length === 1 ? messages[0]! : `[${messages.join(',')}]`),
  decode(body, trusted = false) {
    try {
      return read(body, trusted)
    } catch (error) {
      throw new BusError('ParseError', `Parse error: ${withoutSource((error as Error).message)}`)
    }
  },
}

function write(message: Message, checked: boolean): string {
  if ('result' in message) {
    return `{"jsonrpc":"2.0","id":${quote(message.id)}${member(',"result":', message.result, checked) || ',"result":null'}}`
  }
  if ('error' in message) {
    return `{"jsonrpc":"2.0","id":${quote(message.id)}${member(',"error":', message.error, checked)}}`
  }
  const { id, method, params, headers, channels } = message
  const head = getHead(method)
  let text = id === undefined ? `{"jsonrpc":"2.0"${head}` : `{"jsonrpc":"2.0","id":${quote(id)}${head}`
  if (params !== undefined)
    text += checked ? checkNamed(member(',"params":', params, true)) : member(',"params":', params, false)
  if (headers !== undefined) text += member(',"headers":', headers, checked)
  if (channels !== undefined) text += member(',"channels":', channels, checked)
  return text + '}'
}

const quote = (id: RequestId | null): string => (typeof id === 'number' ? String(id) : JSON.stringify(id))

// The text of the last call's method: most callers repeat themselves.
let lastMethod = ''
let lastHead = ',"method":""'

function getHead(method: string): string {
  if (method !== lastMethod) {
    lastHead = `,"method":${JSON.stringify(method)}`
    lastMethod = method
  }
  return lastHead
}

/** Checks what a `toJSON` can turn params into: core takes only named arguments. Bytes never travel in JSON. */
function checkNamed(text: string): string {
  if (!text.startsWith(',"params":{')) throw new TypeError(UNNAMED_ARGUMENTS)
  return text
}

/** Returns '' if JSON has no text for the value. The search comes before any concatenation, because V8 would flatten the text. */
function member(name: string, value: unknown, checked: boolean): string {
  const text = stringifyJson(value)
  if (text === undefined) return ''
  if (checked && text.includes('__proto__')) refuseProtoKeys(text, JSON.parse(text))
  return name + text
}

/** Ignores a text that is too large for a frame, which the outbox refuses with a better error. */
function scanIfLarge(text: string): void {
  if (text.length > MAX_FRAME_BYTES) return
  const bytes = toUtf8(text)
  if (bytes.byteLength > SCAN_ABOVE_BYTES) scanJson(bytes)
}

function read(body: string | Uint8Array, trusted: boolean): unknown {
  const text = typeof body === 'string' ? checkText(body, trusted) : toText(body, trusted)
  const value: unknown = JSON.parse(text)
  if (!trusted) {
    refuseProtoKeys(text, value)
    refuseInfinity(text, value)
  }
  return value
}

function toText(body: Uint8Array, trusted: boolean): string {
  checkFrame(body, trusted)
  return decodeUtf8(body)
}

/** ES2024, available in every supported Node but not in the libraries that TypeScript loads here. */
type WellFormedText = string & { isWellFormed(): boolean }

/** Checks a text that came as a string as it would be checked as bytes: a UTF-16 code unit has at most three of them in UTF-8. */
function checkText(text: string, trusted: boolean): string {
  if (text.length * 3 > SCAN_ABOVE_BYTES) checkFrame(toUtf8(text), trusted)
  if (!(text as WellFormedText).isWellFormed()) throw new TypeError('the text is not well-formed Unicode')
  return text
}

function checkFrame(body: Uint8Array, trusted: boolean): void {
  if (body.byteLength > MAX_FRAME_BYTES) throw new RangeError(`a frame of ${body.byteLength} bytes is over the limit`)
  if (!trusted && body.byteLength > SCAN_ABOVE_BYTES) scanJson(body)
}

/** Removes the unparsable source that V8 quotes: a peer sent it, and the message is logged. */
const withoutSource = (message: string): string =>
  message.replace(/, (?:\.\.\.)?".*"(?:\.\.\.)? is not valid JSON$/s, ' in JSON')

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

/** Searches the value only if its text can hold such a key. `\u00` is the beginning of an escaped letter. */
function refuseProtoKeys(text: string, value: unknown): void {
  if ((text.includes('__proto__') || text.includes('\\u00')) && includesValue(value, hasProtoKey)) throw protoKey()
}

/** Searches the value only if its text can hold such a number: one with an exponent of three digits, or with very many digits. */
function refuseInfinity(text: string, value: unknown): void {
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

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 0x30 && code <= 0x39
}

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
