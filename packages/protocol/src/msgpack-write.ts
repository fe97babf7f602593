// Writes values as MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md), and refuses while it writes what a
// receiver would refuse. Whatever a value does when it is looked at (getters, proxies, `toJSON`), what is written is well
// formed: lengths are those of what was written.
import { ATTACHMENT_EXTENSION, AttachmentMark } from './attachments.js'
import { MAX_DEPTH, MAX_NODES } from './bounds.js'
import { protoKey, tooDeep, tooMany } from './json-scan.js'
import type { Output } from './msgpack-output.js'
import { writeDate } from './msgpack-timestamp.js'
import { isArrayBuffer, isUint8Array } from './own-bytes.js'

export class Writer {
  readonly #out: Output
  #nodes = 1

  constructor(out: Output) {
    this.#out = out
  }

  /** @throws RangeError or TypeError, which says what can't be carried */
  value(value: unknown, depth: number): void {
    const out = this.#out
    out.room(0)
    switch (typeof value) {
      case 'string':
        return out.text(value)
      case 'number':
        return out.number(value)
      case 'boolean':
        return out.byte(value ? 0xc3 : 0xc2)
      case 'undefined':
        return this.#undefined()
      case 'bigint':
        return out.bigint(value)
      case 'symbol':
        throw new TypeError('Unknown type: symbol')
    }
    if (value === null) return out.byte(0xc0)
    if (Array.isArray(value)) return this.#array(value, depth)
    if ((value as object).constructor === Object) return this.#object(value as object, depth)
    this.#rare(value as object, depth)
  }

  /** So many values follow, keys among them. @throws RangeError where that is too many */
  expect(values: number): void {
    this.#nodes += values
    if (this.#nodes > MAX_NODES) throw tooMany()
  }

  #array(array: readonly unknown[], depth: number): void {
    if (depth >= MAX_DEPTH) throw tooDeep()
    // A proxy may say anything.
    const length = array.length >>> 0
    this.expect(length)
    const out = this.#out
    if (length < 0x10) out.byte(0x90 | length)
    else if (length < 0x10000) out.head(0xdc, 2, length)
    else out.head(0xdd, 4, length)
    for (let i = 0; i < length; i++) this.value(array[i], depth + 1)
  }

  #object(object: object, depth: number): void {
    if (depth >= MAX_DEPTH) throw tooDeep()
    const keys = Object.keys(object)
    this.#mapHead(keys.length)
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!
      this.#key(key)
      this.value((object as Record<string, unknown>)[key], depth + 1)
    }
  }

  #map(map: ReadonlyMap<unknown, unknown>, depth: number): void {
    if (depth >= MAX_DEPTH) throw tooDeep()
    const entries = Array.from(map)
    this.#mapHead(entries.length)
    for (const [key, value] of entries) {
      if (typeof key === 'string') this.#key(key)
      else if (isKey(key)) this.value(key, depth)
      else throw new TypeError('a key is neither a string nor a number')
      this.value(value, depth + 1)
    }
  }

  #mapHead(size: number): void {
    if (size > 0xffff) throw new RangeError(`an object of ${size} members is too large`)
    this.expect(2 * size)
    if (size < 0x10) this.#out.byte(0x80 | size)
    else this.#out.head(0xde, 2, size)
  }

  #key(key: string): void {
    if (key === '__proto__') throw protoKey()
    this.#out.text(key)
  }

  #undefined(): void {
    this.#out.head(0xd4, 2, 0)
  }

  /** Whatever is no plain data: the table in docs/wire.md. */
  #rare(value: object, depth: number): void {
    const out = this.#out
    if (isUint8Array(value)) return out.binary(value)
    if (isArrayBuffer(value)) return out.binary(new Uint8Array(value))
    if (value instanceof AttachmentMark) {
      out.head(0xd6, 1, ATTACHMENT_EXTENSION)
      out.view.setUint32(out.at, value.length)
      out.at += 4
      return
    }
    if (ArrayBuffer.isView(value)) throw notBytes(value)
    if (value instanceof Date) return writeDate(out, value)
    const given = jsonOf(value)
    if (given !== value) this.value(given, depth)
    else if (value instanceof Map) this.#map(value, depth)
    else if (value instanceof Set) this.#array(Array.from(value), depth)
    else if (value instanceof Error) this.#array([value.name, value.message, value.cause], depth)
    else if (value instanceof RegExp) this.#array([value.source, value.flags], depth)
    else if (typeof value === 'function') this.#undefined()
    else this.#object(value, depth)
  }
}

/** What its `toJSON` gives instead, where it has one. */
function jsonOf(value: object): unknown {
  const { toJSON } = value as { toJSON?: unknown }
  return typeof toJSON === 'function' ? (toJSON.call(value) as unknown) : value
}

const isKey = (key: unknown): boolean =>
  key === null || typeof key === 'number' || typeof key === 'boolean' || typeof key === 'bigint'

function notBytes(value: object): TypeError {
  const type = Object.prototype.toString.call(value).slice(8, -1)
  return new TypeError(`${type} has to be given as a Uint8Array of its bytes`)
}
