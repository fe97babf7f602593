// Checks of untrusted JSON: its depth and number of values before it is parsed, keys and numbers afterwards.
import { IS_NODE } from '#platform'
import { MAX_DEPTH, MAX_NODES, SCAN_ABOVE_BYTES } from '../wire/limits.js'
import { protoKey, tooDeep, tooMany } from './codec.js'

const QUOTE = 0x22
const SPACE = 0x20
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const BACKSLASH = 0x5c

/**
 * Checks the limits of depth and number of values without parsing. The parser decides whether the text is JSON at all. The limit
 * of depth applies to messages of more than `above` bytes, so that a message passes in a batch if it passes alone.
 *
 * @throws {RangeError} if a limit is exceeded
 */
export function scanJson(bytes: Uint8Array, above: number = SCAN_ABOVE_BYTES): void {
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

/**
 * Checks the value of an untrusted text, and replaces each -0 in it by 0, as which JSON would encode it again: a hook and core see the
 * same. The value is searched only if its text can hold what is searched for.
 *
 * @throws {TypeError} for a key named `__proto__`; {RangeError} for a number that is parsed as Infinity
 */
export function checkParsed(text: string, value: unknown): void {
  if (text.includes('__p') || text.includes('\\u00')) refuseProtoKeys(text, value)
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

/** `\u00` is the beginning of an escaped letter. */
export function refuseProtoKeys(text: string, value: unknown): void {
  if ((text.includes('__proto__') || text.includes('\\u00')) && includesValue(value, hasProtoKey)) throw protoKey()
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
const NEGATIVE_ZERO = /[[:,\s]-(?:0(?!\.\d{0,220}[1-9])|\d[\d.]*[eE]-\d{3})/

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
