// Walks MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) without building anything: is it whole, and
// within the bounds, with no extension but the three that are allowed, and no key that is none, or named `__proto__`?
import { MAX_DEPTH, MAX_NODES } from './bounds.js'
import { protoKey, tooDeep, tooMany } from './json-scan.js'

/** Stands for the next attachment of the frame: its length, in 4 bytes. */
export const ATTACHMENT_EXTENSION = 0x53
/** msgpackr's `undefined`, and the timestamp of the specification (-1). */
const ALLOWED_EXTENSIONS: ReadonlySet<number> = new Set([0x00, 0xff, ATTACHMENT_EXTENSION])
const PROTO = Buffer.from('__proto__')

const isArray = (token: number | undefined): boolean =>
  token !== undefined && ((token & 0xf0) === 0x90 || token === 0xdc || token === 0xdd)

const cutShort = (): RangeError => new RangeError('the value is cut short')

/**
 * True where there are bytes among the values.
 *
 * @throws RangeError or TypeError, which says what was found
 */
export function scanMsgpack(bytes: Uint8Array): boolean {
  const scan = new Scan(bytes)
  // A batch's own array is no part of its messages' depth.
  scan.value(isArray(bytes[0]) ? -1 : 0)
  if (scan.at !== bytes.length) throw new RangeError('bytes are left after the value')
  return scan.hasBinary
}

class Scan {
  at = 0
  hasBinary = false
  #nodes = 0
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  value(depth: number): void {
    if (++this.#nodes > MAX_NODES) throw tooMany()
    const token = this.#bytes[this.at++]
    if (token === undefined) throw cutShort()
    if (token < 0x80 || token >= 0xe0) return // positive and negative fixint
    if (token < 0x90) return this.#map(token & 0x0f, depth)
    if (token < 0xa0) return this.#array(token & 0x0f, depth)
    if (token < 0xc0) return this.#skip(token & 0x1f) // fixstr
    this.#tagged(token, depth)
  }

  #tagged(token: number, depth: number): void {
    switch (token) {
      case 0xc0: // nil, false, true
      case 0xc2:
      case 0xc3:
        return
      case 0xc4: // bin 8, 16, 32
      case 0xc5:
      case 0xc6:
        this.hasBinary = true
        return this.#skip(this.#uint(1 << (token - 0xc4)))
      case 0xc7: // ext 8, 16, 32
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#uint(1 << (token - 0xc7)))
      case 0xca: // float 32, 64
      case 0xcb:
        return this.#skip(4 << (token - 0xca))
      case 0xcc: // uint 8 to 64
      case 0xcd:
      case 0xce:
      case 0xcf:
        return this.#skip(1 << (token - 0xcc))
      case 0xd0: // int 8 to 64
      case 0xd1:
      case 0xd2:
      case 0xd3:
        return this.#skip(1 << (token - 0xd0))
      case 0xd4: // fixext 1 to 16
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(1 << (token - 0xd4))
      case 0xd9: // str 8, 16, 32
      case 0xda:
      case 0xdb:
        return this.#skip(this.#uint(1 << (token - 0xd9)))
      case 0xdc: // array 16, 32
      case 0xdd:
        return this.#array(this.#uint(2 << (token - 0xdc)), depth)
      case 0xde: // map 16, 32
      case 0xdf:
        return this.#map(this.#uint(2 << (token - 0xde)), depth)
      default:
        throw new TypeError('the byte 0xc1 begins no value')
    }
  }

  #array(length: number, depth: number): void {
    if (depth >= MAX_DEPTH) throw tooDeep()
    for (let i = 0; i < length; i++) this.value(depth + 1)
  }

  #map(length: number, depth: number): void {
    if (depth >= MAX_DEPTH) throw tooDeep()
    for (let i = 0; i < length; i++) {
      this.#key()
      this.value(depth + 1)
    }
  }

  /** A string, or what is turned into one: a number, a boolean, nil. */
  #key(): void {
    const start = this.at
    const token = this.#bytes[start] ?? 0
    if (isNoKey(token)) throw new TypeError('a key is neither a string nor a number')
    this.value(0)
    // Its length may have been written in each of four ways.
    const head = token < 0xc0 ? 1 : token === 0xd9 ? 2 : token === 0xda ? 3 : 5
    if (this.at - start !== head + PROTO.length) return
    if (PROTO.equals(this.#bytes.subarray(start + head, this.at))) throw protoKey()
  }

  #extension(length: number): void {
    const type = this.#uint(1)
    if (!ALLOWED_EXTENSIONS.has(type)) throw new TypeError(`the extension type ${type} is not allowed`)
    if (type === ATTACHMENT_EXTENSION && length !== 4) throw new RangeError('an attachment’s length has 4 bytes')
    this.#skip(length)
  }

  #skip(length: number): void {
    this.at += length
    if (this.at > this.#bytes.length) throw cutShort()
  }

  #uint(size: number): number {
    const end = this.at + size
    if (end > this.#bytes.length) throw cutShort()
    let value = 0
    while (this.at < end) value = value * 256 + this.#bytes[this.at++]!
    return value
  }
}

/** Maps, arrays, binary and extensions. */
const isNoKey = (token: number): boolean =>
  token >= 0x80 &&
  token < 0xe0 &&
  (token < 0xa0 || (token >= 0xc4 && token <= 0xc9) || (token >= 0xd4 && token <= 0xd8) || token >= 0xdc)
