// Writes values as MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md), and refuses what a receiver would refuse.
// The output is well formed whatever getters, proxies and `toJSON` return: its lengths count what was written.
import { isArrayBuffer, isUint8Array } from '../util/type-guards.js'
import { MAX_DEPTH, MAX_NODES } from '../wire/limits.js'
import { ATTACHMENT_EXTENSION, AttachmentMark } from './attachments.js'
import { protoKey, tooDeep, tooMany } from './codec.js'
import type { Output } from './msgpack-output.js'

// Writes and reads the timestamp extension of MessagePack's specification.
// Whole seconds until 2106 take 4 bytes, times until 2514 take 8, all others 12. An invalid date takes 1 byte.

export const TIMESTAMP_EXTENSION = 0xff

function writeDate(out: Output, date: Date): void {
  const time = Date.prototype.getTime.call(date)
  const seconds = Math.floor(time / 1000)
  const nanoseconds = (time - seconds * 1000) * 1e6
  if (nanoseconds === 0 && seconds >= 0 && seconds < 2 ** 32) {
    out.head(0xd6, 1, TIMESTAMP_EXTENSION)
    out.view.setUint32(out.at, seconds)
    out.at += 4
  } else if (seconds >= 0 && seconds < 2 ** 34) {
    out.head(0xd7, 1, TIMESTAMP_EXTENSION)
    out.view.setUint32(out.at, nanoseconds * 4 + Math.floor(seconds / 2 ** 32))
    out.view.setUint32(out.at + 4, seconds)
    out.at += 8
  } else if (Number.isNaN(time)) {
    out.head(0xd4, 1, TIMESTAMP_EXTENSION)
    out.byte(0xff)
  } else {
    out.head(0xc7, 1, 12)
    out.byte(TIMESTAMP_EXTENSION)
    out.view.setUint32(out.at, nanoseconds)
    out.view.setBigInt64(out.at + 4, BigInt(seconds))
    out.at += 12
  }
}

/** Reads a date. Fractions of a millisecond are dropped; any other length is an invalid date. */
export function readDate(view: DataView, at: number, length: number): Date {
  if (length === 4) return new Date(view.getUint32(at) * 1000)
  if (length === 8) {
    const [upper, lower] = [view.getUint32(at), view.getUint32(at + 4)]
    return new Date(((upper % 4) * 2 ** 32 + lower) * 1000 + Math.floor(upper / 4) / 1e6)
  }
  if (length === 12) return new Date(Number(view.getBigInt64(at + 4)) * 1000 + view.getUint32(at) / 1e6)
  return new Date(Number.NaN)
}

export class Writer {
  readonly #out: Output
  #nodes = 1

  constructor(out: Output) {
    this.#out = out
  }

  /** @throws RangeError or TypeError if the value cannot be serialized */
  value(value: unknown, depth: number): void {
    const out = this.#out
    out.reserve(0)
    switch (typeof value) {
      case 'string':
        return out.string(value)
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

  /**
   * Counts values that are about to be written, keys included.
   *
   * @throws RangeError if the message has too many
   */
  expect(values: number): void {
    this.#nodes += values
    if (this.#nodes > MAX_NODES) throw tooMany()
  }

  #array(array: readonly unknown[], depth: number): void {
    if (depth >= MAX_DEPTH) throw tooDeep()
    // A proxy can return anything as its length.
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
    this.#out.string(key)
  }

  #undefined(): void {
    this.#out.head(0xd4, 2, 0)
  }

  /** Writes what is not plain data. The table in docs/reference/what-arrives.md lists the forms. */
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
    if (ArrayBuffer.isView(value)) throw createViewError(value)
    if (value instanceof Date) return writeDate(out, value)
    const json = toJSONValue(value)
    if (json !== value) this.value(json, depth)
    else if (value instanceof Map) this.#map(value, depth)
    else if (value instanceof Set) this.#array(Array.from(value), depth)
    else if (value instanceof Error) this.#array([value.name, value.message, value.cause], depth)
    else if (value instanceof RegExp) this.#array([value.source, value.flags], depth)
    else if (typeof value === 'function') this.#undefined()
    else this.#object(value, depth)
  }
}

/** Returns the result of the object's `toJSON`, or the object if it has none. */
function toJSONValue(value: object): unknown {
  const { toJSON } = value as { toJSON?: unknown }
  return typeof toJSON === 'function' ? (toJSON.call(value) as unknown) : value
}

const isKey = (key: unknown): boolean =>
  key === null || typeof key === 'number' || typeof key === 'boolean' || typeof key === 'bigint'

function createViewError(value: object): TypeError {
  const type = Object.prototype.toString.call(value).slice(8, -1)
  return new TypeError(`${type} has to be given as a Uint8Array of its bytes`)
}
