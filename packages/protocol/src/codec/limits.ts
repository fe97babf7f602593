// What is asked of JSON beyond being JSON: bounded depth and number of values (a 64 MiB array of empty objects would take
// 1.5 GB to parse), and no key named `__proto__`, which plain assignment turns into a prototype.
import { MAX_DEPTH, MAX_NODES, SCAN_ABOVE_BYTES } from '../wire/limits.js'

const QUOTE = 0x22
const COMMA = 0x2c
const OPEN_ARRAY = 0x5b
const BACKSLASH = 0x5c

/**
 * Counts without parsing; whether the text is JSON at all is for the parser to say. Depth is bounded for each message of
 * more than `SCAN_ABOVE_BYTES`: a smaller one may do in a batch what it may do alone.
 *
 * @throws RangeError, which says what was found
 */
export function scanJson(bytes: Uint8Array): void {
  let depth = 0
  let nodes = 1
  // The depth at which messages stand: 1 in a batch, 0 for one that is alone; unknown until the first bracket.
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
      at = endOfString(bytes, at)
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

export const tooDeep = (): RangeError => new RangeError(`nested deeper than ${MAX_DEPTH}`)
export const tooMany = (): RangeError => new RangeError(`more than ${MAX_NODES} values`)

function endOfString(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; ; at++) {
    at = bytes.indexOf(QUOTE, at)
    if (at < 0) return bytes.length
    let slashes = 0
    while (bytes[at - 1 - slashes] === BACKSLASH) slashes++
    if (slashes % 2 === 0) return at
  }
}

/** @throws TypeError where an object in `value` has a key `__proto__`; `text` tells cheaply that none has. */
export function refuseProtoKeys(text: string, value: unknown): void {
  if ((text.includes('__proto__') || text.includes('\\u00')) && hasProtoKey(value)) throw protoKey()
}

export const protoKey = (): TypeError => new TypeError('a key named "__proto__" is refused')

function hasProtoKey(root: unknown): boolean {
  const open: unknown[] = [root]
  while (open.length > 0) {
    const value = open.pop()
    if (typeof value !== 'object' || value === null) continue
    if (Object.hasOwn(value, '__proto__')) return true
    for (const inner of Object.values(value)) open.push(inner)
  }
  return false
}
