// Walks MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) without building anything: is it whole, and
// within the bounds, with no extension but the two that are allowed, and no key named `__proto__`?
import { MAX_DEPTH, MAX_NODES } from './bounds.js'
import { BusError } from './error.js'
import { PROTO_KEY_REFUSED } from './json-scan.js'

/** msgpackr's `undefined`, and the timestamp of the specification (-1). */
const ALLOWED_EXTENSIONS: ReadonlySet<number> = new Set([0x00, 0xff])
const PROTO = Buffer.from('__proto__')

const refuse = (why: string): never => {
  throw new BusError('ParseError', `Parse error: ${why}`)
}

/** @throws BusError `ParseError`, which says what was found. */
export function scanMsgpack(bytes: Uint8Array): void {
  const scan = new Scan(bytes)
  scan.value(0)
  if (scan.at !== bytes.length) refuse('bytes are left after the value')
}

class Scan {
  at = 0
  #nodes = 0
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  value(depth: number): void {
    if (++this.#nodes > MAX_NODES) refuse(`more than ${MAX_NODES} values`)
    const token = this.#uint(1)
    if (token < 0x80 || token >= 0xe0) return // positive and negative fixint
    if (token < 0x90) return this.#map(token & 0x0f, depth)
    if (token < 0xa0) return this.#array(token & 0x0f, depth)
    if (token < 0xc0) return this.#skip(token & 0x1f) // fixstr
    switch (token) {
      case 0xc0: // nil, false, true
      case 0xc2:
      case 0xc3:
        return
      case 0xc4: // bin 8, 16, 32
      case 0xc5:
      case 0xc6:
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
        refuse('the byte 0xc1 begins no value')
    }
  }

  #array(length: number, depth: number): void {
    if (depth >= MAX_DEPTH) refuse(`nested deeper than ${MAX_DEPTH}`)
    for (let i = 0; i < length; i++) this.value(depth + 1)
  }

  #map(length: number, depth: number): void {
    if (depth >= MAX_DEPTH) refuse(`nested deeper than ${MAX_DEPTH}`)
    for (let i = 0; i < length; i++) {
      const start = this.at
      this.value(depth + 1)
      if (this.#endsWithProto(start)) refuse(PROTO_KEY_REFUSED)
      this.value(depth + 1)
    }
  }

  /** However its length was written, a string key ends with its text. */
  #endsWithProto(start: number): boolean {
    const from = this.at - PROTO.length
    return from > start && from - start <= 5 && PROTO.equals(this.#bytes.subarray(from, this.at))
  }

  #extension(length: number): void {
    const type = this.#uint(1)
    if (!ALLOWED_EXTENSIONS.has(type)) refuse(`the extension type ${type} is not allowed`)
    this.#skip(length)
  }

  #skip(length: number): void {
    this.at += length
    if (this.at > this.#bytes.length) refuse('the value is cut short')
  }

  #uint(size: number): number {
    let value = 0
    for (let i = 0; i < size; i++) value = value * 256 + (this.#bytes[this.at + i] ?? refuse('the value is cut short'))
    this.at += size
    return value
  }
}
