// Writes values as MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md), and refuses what a receiver would refuse.
// The output is well formed whatever getters, proxies and `toJSON` return: its lengths count what was written. Consecutive messages
// share a chunk of memory, and bytes that were handed out are never written again.
import * as types from 'node:util/types'
import { allocate, utf8Length, writeUtf8 } from '#platform'
import { RefusedValueError } from '../errors/command-error.js'
import { isArrayBuffer, isUint8Array } from '../util/type-guards.js'
import { MAX_DEPTH, MAX_NODES, MIN_ATTACHMENT_BYTES } from '../wire/limits.js'
import { protoKey, tooDeep, tooMany } from './codec.js'
import { describeType, getRemedy, getType } from './json-checks.js'

// Writes and reads the timestamp extension of MessagePack's specification.
// Whole seconds until 2106 take 4 bytes, times until 2514 take 8, all others 12. An invalid date takes 1 byte.

export const TIMESTAMP_EXTENSION = 0xff
/** The mark of an attachment. Its data is the length, in 4 bytes. */
export const ATTACHMENT_EXTENSION = 0x53
const NO_ATTACHMENTS: Uint8Array[] = []

function writeDate(writer: Writer, date: Date): void {
  const time = Date.prototype.getTime.call(date)
  const seconds = Math.floor(time / 1000)
  const nanoseconds = (time - seconds * 1000) * 1e6
  if (nanoseconds === 0 && seconds >= 0 && seconds < 2 ** 32) {
    writer.head(0xd6, 1, TIMESTAMP_EXTENSION)
    writer.view.setUint32(writer.at, seconds)
    writer.at += 4
  } else if (seconds >= 0 && seconds < 2 ** 34) {
    writer.head(0xd7, 1, TIMESTAMP_EXTENSION)
    writer.view.setUint32(writer.at, nanoseconds * 4 + Math.floor(seconds / 2 ** 32))
    writer.view.setUint32(writer.at + 4, seconds)
    writer.at += 8
  } else if (Number.isNaN(time)) {
    writer.head(0xd4, 1, TIMESTAMP_EXTENSION)
    writer.byte(0xff)
  } else {
    writer.head(0xc7, 1, 12)
    writer.byte(TIMESTAMP_EXTENSION)
    writer.view.setUint32(writer.at, nanoseconds)
    writer.view.setBigInt64(writer.at + 4, BigInt(seconds))
    writer.at += 12
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

const CHUNK_BYTES = 16 * 1024
/** Free bytes at the start of each message. The fixed members of an envelope are written without a check. */
const MIN_FREE_BYTES = 128
/** Bytes that `reserve` adds to the requested size, for a head or a number. */
const SPARE_BYTES = 16
/** Strings below this length are written in JavaScript: calling Node costs as much as about thirty characters. */
const SHORT_STRING = 0x20
/** Strings from this length on are measured first. Shorter ones reserve three bytes for each character. */
const LONG_STRING = 4096

export class Writer {
  bytes: Uint8Array = allocate(CHUNK_BYTES)
  view: DataView = new DataView(this.bytes.buffer)
  at = 0
  /** Large bytes of what was written, which are still the caller's memory. */
  attachments: Uint8Array[] = NO_ATTACHMENTS
  /** The lengths that their marks have. */
  lengths: number[] = []
  /** From this size on, bytes are attachments. */
  minAttachment: number = MIN_ATTACHMENT_BYTES
  #start = 0
  #nodes = 1

  begin(): void {
    if (this.bytes.length - this.at < MIN_FREE_BYTES || this.bytes.length > CHUNK_BYTES)
      this.#move(CHUNK_BYTES, this.at)
    this.#start = this.at
    this.#nodes = 1
    this.attachments = NO_ATTACHMENTS
    this.minAttachment = MIN_ATTACHMENT_BYTES
  }

  end(): Uint8Array {
    return new Uint8Array(this.bytes.buffer, this.#start, this.at - this.#start)
  }

  /** The number of bytes written since `begin`: an offset that stays valid when the buffer grows. */
  get size(): number {
    return this.at - this.#start
  }

  byteAt(offset: number): number {
    return this.bytes[this.#start + offset]!
  }

  undo(): void {
    this.at = this.#start
  }

  /** Makes room for `size` bytes, a head before them and a number after them. */
  reserve(size: number): void {
    const needed = size + 2 * SPARE_BYTES
    if (this.bytes.length - this.at < needed) this.#move((this.at - this.#start + needed) * 2, this.#start)
  }

  #move(size: number, from: number): void {
    const next = allocate(Math.max(CHUNK_BYTES, size))
    next.set(this.bytes.subarray(from, this.at))
    this.bytes = next
    this.view = new DataView(next.buffer)
    this.at -= from
    this.#start = 0
  }

  byte(value: number): void {
    this.bytes[this.at++] = value
  }

  head(token: number, size: 1 | 2 | 4, length: number): void {
    this.bytes[this.at++] = token
    if (size === 1) this.bytes[this.at] = length
    else if (size === 2) this.view.setUint16(this.at, length)
    else this.view.setUint32(this.at, length)
    this.at += size
  }

  number(value: number): void {
    if (value >>> 0 === value) {
      if (value < 0x80) this.bytes[this.at++] = value
      else if (value < 0x100) this.head(0xcc, 1, value)
      else if (value < 0x10000) this.head(0xcd, 2, value)
      else this.head(0xce, 4, value)
    } else if (value >> 0 === value) {
      if (value >= -0x20) this.bytes[this.at++] = value
      else if (value >= -0x80) this.head(0xd0, 1, value)
      else if (value >= -0x8000) this.head(0xd1, 2, value)
      else this.head(0xd2, 4, value)
    } else {
      this.bytes[this.at++] = 0xcb
      this.view.setFloat64(this.at, value)
      this.at += 8
    }
  }

  bigint(value: bigint): void {
    const signed = BigInt.asIntN(64, value) === value
    if (!signed && BigInt.asUintN(64, value) !== value) {
      throw new RefusedValueError(value, 'is a BigInt that is too large to fit into 64 bits: pass a string')
    }
    this.bytes[this.at++] = signed ? 0xd3 : 0xcf
    if (signed) this.view.setBigInt64(this.at, value)
    else this.view.setBigUint64(this.at, value)
    this.at += 8
  }

  string(value: string): void {
    const { length } = value
    if (length >= SHORT_STRING) return this.#longString(value)
    this.reserve(SHORT_STRING * 3)
    const { bytes, at } = this
    let to = at + 1
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      if (code < 0x80) bytes[to++] = code
      else if (code < 0x800) {
        bytes[to++] = 0xc0 | (code >> 6)
        bytes[to++] = 0x80 | (code & 0x3f)
      } else return this.#longString(value)
    }
    const size = to - at - 1
    if (size >= SHORT_STRING) return this.#longString(value)
    bytes[at] = 0xa0 | size
    this.at = to
  }

  /** Guesses the size of the head from the length in characters, and moves the string if its bytes need a longer head. */
  #longString(value: string): void {
    const { length } = value
    const most = length < LONG_STRING ? length * 3 : utf8Length(value)
    this.reserve(most)
    const { bytes, at } = this
    const guessed = at + stringHeadBytes(length)
    const size = writeUtf8(bytes, value, guessed, most)
    const from = at + stringHeadBytes(size)
    if (from !== guessed) bytes.copyWithin(from, guessed, guessed + size)
    if (size < 0x20) this.byte(0xa0 | size)
    else if (size < 0x100) this.head(0xd9, 1, size)
    else if (size < 0x10000) this.head(0xda, 2, size)
    else this.head(0xdb, 4, size)
    this.at = from + size
  }

  binary(value: Uint8Array): void {
    const size = value.byteLength
    if (size >= this.minAttachment) return this.#attach(value, size)
    this.reserve(size)
    if (size < 0x100) this.head(0xc4, 1, size)
    else if (size < 0x10000) this.head(0xc5, 2, size)
    else this.head(0xc6, 4, size)
    this.bytes.set(value, this.at)
    this.at += size
  }

  #attach(value: Uint8Array, size: number): void {
    if (this.attachments.length === 0) {
      this.attachments = []
      this.lengths = []
    }
    this.attachments.push(value)
    this.lengths.push(size)
    this.head(0xd6, 1, ATTACHMENT_EXTENSION)
    this.view.setUint32(this.at, size)
    this.at += 4
  }

  value(value: unknown, depth: number): void {
    this.reserve(0)
    switch (typeof value) {
      case 'string':
        return this.string(value)
      case 'number':
        return this.number(value)
      case 'boolean':
        return this.byte(value ? 0xc3 : 0xc2)
      case 'undefined':
        return this.head(0xd4, 2, 0)
      case 'bigint':
        return this.bigint(value)
      case 'symbol':
        return refuse(value)
    }
    if (value === null) return this.byte(0xc0)
    if (Array.isArray(value)) return this.#array(value, depth)
    if (Object.getPrototypeOf(value) === Object.prototype) return this.#object(value as object, depth)
    this.#rare(value as object, depth)
  }

  /** Counts values that are about to be written, keys included. @throws RangeError if the message has too many */
  expect(values: number): void {
    this.#nodes += values
    if (this.#nodes > MAX_NODES) throw tooMany()
  }

  #array(array: readonly unknown[], depth: number): void {
    if (depth >= MAX_DEPTH) throw tooDeep()
    // A proxy can return anything as its length.
    const length = array.length >>> 0
    this.expect(length)
    if (length < 0x10) this.byte(0x90 | length)
    else if (length < 0x10000) this.head(0xdc, 2, length)
    else this.head(0xdd, 4, length)
    for (let i = 0; i < length; i++) this.value(array[i], depth + 1)
  }

  #object(object: object, depth: number): void {
    if (depth >= MAX_DEPTH) throw tooDeep()
    const keys = Object.keys(object)
    // An async iterable that is a literal. Others are not plain.
    if (keys.length === 0 && Symbol.asyncIterator in object) refuse(object)
    this.#mapHead(keys.length, object)
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!
      this.#key(key)
      this.value((object as Record<string, unknown>)[key], depth + 1)
    }
  }

  #mapHead(size: number, object: object): void {
    if (size > 0xffff) throw new RefusedValueError(object, `is an object of ${size} members, which is too large`)
    this.expect(2 * size)
    if (size < 0x10) this.byte(0x80 | size)
    else this.head(0xde, 2, size)
  }

  #key(key: string): void {
    if (key === '__proto__') throw protoKey()
    this.string(key)
  }

  /** Writes what is not plain data: the page "Commands" of the documentation lists the forms. */
  #rare(value: object, depth: number): void {
    if (isUint8Array(value)) return this.binary(value)
    if (isArrayBuffer(value)) return this.binary(new Uint8Array(value))
    if (types.isDate(value)) return writeDate(this, value)
    const primitive: unknown = types.isBoxedPrimitive(value) ? value.valueOf() : undefined
    if (isPrimitive(primitive)) return this.value(primitive, depth)
    const { toJSON }: { toJSON?: unknown } = value
    const json: unknown = typeof toJSON === 'function' ? toJSON.call(value) : value
    if (json !== value) return this.value(json, depth)
    refuse(value)
    this.#object(value, depth)
  }
}

const isPrimitive = (value: unknown): boolean => ['number', 'string', 'boolean', 'bigint'].includes(typeof value)

const stringHeadBytes = (size: number): number => (size < 0x20 ? 1 : size < 0x100 ? 2 : size < 0x10000 ? 3 : 5)

/** MessagePack would write an empty map, or another value. @throws {RefusedValueError} for what JSON refuses, too */
function refuse(value: unknown): void {
  // A subclass can have another tag.
  const type = getType(value) ?? (types.isMap(value) ? 'Map' : types.isSet(value) ? 'Set' : undefined)
  if (type === undefined) return
  const refusal = `is ${describeType(value, type)}, which MessagePack cannot represent${getRemedy(type)}`
  throw new RefusedValueError(value, refusal)
}
