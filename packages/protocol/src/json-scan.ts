// What is asked of JSON beyond being JSON: bounded depth and number of values (a 64 MiB array of empty objects would take
// 1.5 GB to parse), and no key named `__proto__`, which plain assignment turns into a prototype.
import { MAX_DEPTH, MAX_NODES } from './bounds.js'
import { BusError } from './error.js'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c

/** Counts without parsing; whether the text is JSON at all is for the parser to say. */
export function scanJson(bytes: Uint8Array): void {
  let depth = 0
  let nodes = 1
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte === QUOTE) {
      at = endOfString(bytes, at)
    } else if (byte === COMMA) {
      nodes++
    } else if ((byte | 0x20) === 0x7b) {
      // [ or {
      nodes++
      if (++depth > MAX_DEPTH) throw new BusError('ParseError', `Parse error: nested deeper than ${MAX_DEPTH}`)
    } else if ((byte | 0x20) === 0x7d) {
      // ] or }
      depth--
    }
  }
  if (nodes > MAX_NODES) throw new BusError('ParseError', `Parse error: more than ${MAX_NODES} values`)
}

function endOfString(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; ; at++) {
    at = bytes.indexOf(QUOTE, at)
    if (at < 0) return bytes.length
    let slashes = 0
    while (bytes[at - 1 - slashes] === BACKSLASH) slashes++
    if (slashes % 2 === 0) return at
  }
}

/** @throws BusError `ParseError` where an object in `value` has a key `__proto__`; `text` tells cheaply that none has. */
export function refuseProtoKeys(text: string, value: unknown): void {
  const maySpellIt = text.includes('__proto__') || text.includes('\\u00')
  if (maySpellIt && hasProtoKey(value)) throw new BusError('ParseError', `Parse error: ${PROTO_KEY_REFUSED}`)
}

export const PROTO_KEY_REFUSED = 'a key named "__proto__" is refused'

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
