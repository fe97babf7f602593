// Reads MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) from untrusted senders, in one pass.
// Lengths are checked before anything is allocated. Three extensions are allowed; keys are scalars, and never `__proto__`.
import { readLatin1, readUtf8, toReadable } from '#platform'
import { MAX_DEPTH, MAX_NODES } from '../wire/limits.js'
import { protoKey, tooDeep, tooMany } from './codec.js'
import { ATTACHMENT_EXTENSION, readDate, TIMESTAMP_EXTENSION } from './msgpack-writer.js'

// Strings are the hottest part of the decoder. Short ones are slices of one string of the whole frame. Keys and methods come from a
// cache, because they repeat.

/** V8 copies slices of up to 12 characters. Longer slices would keep the string of the frame alive. */
const MAX_SLICE_BYTES = 12
const SLICED_FRAME_BYTES = 32 * 1024

const CACHE_SIZE = 1024
/** A cache of fixed size, because senders choose what it holds. */
const cache: string[] = Array.from({ length: CACHE_SIZE }, () => '')

/** Returns a hash of what names mostly differ in: the length, the first, the middle and the last two bytes. */
const getSlot = (length: number, first: number, middle: number, last: number, end: number): number =>
  (length * 37 + first * 131 + middle * 17 + last * 61 + end * 7) % CACHE_SIZE

/** `undefined`, as msgpackr and notepack write it too. */
const UNDEFINED_EXTENSION = 0

export class Reader {
  readonly bytes: Uint8Array
  readonly view: DataView
  at = 0
  /** The number of values that can follow. */
  left: number
  /** The beginning of the frame, once a short string was read. */
  #frameString = ''
  readonly #attachments: readonly Uint8Array[]
  readonly #maxDepth: number
  #usedAttachments = 0

  /** @param trusted true if neither depth nor the number of values is bounded */
  constructor(body: Uint8Array, trusted: boolean, attachments: readonly Uint8Array[]) {
    this.bytes = toReadable(body)
    this.view = new DataView(body.buffer, body.byteOffset, body.byteLength)
    this.#attachments = attachments
    this.#maxDepth = trusted ? Infinity : MAX_DEPTH
    this.left = (trusted ? Infinity : MAX_NODES) - 1
  }

  /** @throws RangeError if bytes or attachments are left after the last value */
  end(): void {
    if (this.at !== this.bytes.length) throw new RangeError('bytes are left after the value')
    if (this.#usedAttachments !== this.#attachments.length) throw new RangeError('an attachment was not used')
  }

  /** @throws RangeError or TypeError if the bytes are malformed or exceed a bound */
  value(depth: number): unknown {
    const token = this.bytes[this.at++]
    if (token === undefined) throw cutShort()
    if (token < 0x80) return token
    if (token >= 0xe0) return token - 0x100
    if (token < 0x90) return this.#map(token & 0x0f, depth)
    if (token < 0xa0) return this.#array(token & 0x0f, depth)
    if (token < 0xc0) return this.#string(token & 0x1f)
    return this.#tagged(token, depth)
  }

  /** Returns the elements of an array, each read by `read`, or `undefined` if the next value is not an array. */
  elements(read: (reader: Reader) => unknown): unknown[] | undefined {
    const token = this.bytes[this.at]
    if (token === undefined || !((token & 0xf0) === 0x90 || token === 0xdc || token === 0xdd)) return undefined
    this.at++
    const length = token < 0xdc ? token & 0x0f : this.#uint(2 << (token - 0xdc))
    this.expect(length)
    const array: unknown[] = []
    for (let i = 0; i < length; i++) array.push(read(this))
    return array
  }

  /** Reads what follows a token from 0xc0 to 0xdf, in the order of the specification. */
  #tagged(token: number, depth: number): unknown {
    if (token === 0xc1) throw new TypeError('the byte 0xc1 is invalid')
    if (token < 0xc4) return token === 0xc0 ? null : token === 0xc3
    if (token < 0xc7) return this.#binary(this.#uint(1 << (token - 0xc4)))
    if (token < 0xca) return this.#extension(this.#uint(1 << (token - 0xc7)))
    // Turns -0 into 0, as which it would be encoded again.
    if (token === 0xca) return this.view.getFloat32(this.skip(4)) + 0
    if (token === 0xcb) return this.view.getFloat64(this.skip(8)) + 0
    if (token < 0xcf) return this.#uint(1 << (token - 0xcc))
    if (token === 0xcf) return this.view.getBigUint64(this.skip(8))
    if (token === 0xd0) return this.view.getInt8(this.skip(1))
    if (token === 0xd1) return this.view.getInt16(this.skip(2))
    if (token === 0xd2) return this.view.getInt32(this.skip(4))
    if (token === 0xd3) return this.view.getBigInt64(this.skip(8))
    if (token < 0xd9) return this.#extension(1 << (token - 0xd4))
    if (token < 0xdc) return this.#string(this.#uint(1 << (token - 0xd9)))
    if (token < 0xde) return this.#array(this.#uint(2 << (token - 0xdc)), depth)
    return this.#map(this.#uint(2 << (token - 0xde)), depth)
  }

  #array(length: number, depth: number): unknown[] {
    if (depth >= this.#maxDepth) throw tooDeep()
    this.expect(length)
    const array: unknown[] = []
    for (let i = 0; i < length; i++) array.push(this.value(depth + 1))
    return array
  }

  #map(length: number, depth: number): Record<string, unknown> {
    if (depth >= this.#maxDepth) throw tooDeep()
    this.expect(2 * length)
    const object: Record<string, unknown> = {}
    for (let i = 0; i < length; i++) {
      const key = this.key()
      object[key] = this.value(depth + 1)
    }
    return object
  }

  /** Counts values that follow, keys included. Each has at least one byte. */
  expect(values: number): void {
    if (values > this.bytes.length - this.at) throw cutShort()
    this.left -= values
    if (this.left < 0) throw tooMany()
  }

  /** Reads a string, or a number, boolean or nil that becomes one. */
  key(): string {
    const token = this.bytes[this.at]
    if (token === undefined) throw cutShort()
    if (isInvalidKey(token)) throw new TypeError('a key is neither a string nor a number')
    const key = isShortString(token) ? this.name() : String(this.value(0))
    if (key === '__proto__') throw protoKey()
    return key
  }

  /** Reads a string of at most 31 bytes that probably repeats, and returns the cached one if there is one. */
  name(): string {
    const { bytes } = this
    const length = bytes[this.at++]! & 0x1f
    const from = this.skip(length)
    if (length === 0) return ''
    const to = this.at
    const slot = getSlot(length, bytes[from]!, bytes[from + (length >> 1)]!, bytes[to - 2]!, bytes[to - 1]!)
    const name = cache[slot]!
    if (name.length === length) {
      let same = 0
      // Stryker disable next-line ArithmeticOperator: a name that is not found in the cache is read again
      while (same < length && name.charCodeAt(same) === bytes[from + same]) same++
      if (same === length) return name
    }
    const read = this.#slice(from, to)
    // The text is ASCII if it has as many characters as bytes or replacement characters. A replacement character never equals a byte.
    if (read.length === length) cache[slot] = read
    return read
  }

  #string(length: number): string {
    return this.#slice(this.skip(length), this.at)
  }

  /** Reads a string. Invalid UTF-8 becomes replacement characters. */
  #slice(from: number, to: number): string {
    const { bytes } = this
    if (to - from > MAX_SLICE_BYTES || to > SLICED_FRAME_BYTES) return readUtf8(bytes, from, to)
    for (let at = from; at < to; at++) if (bytes[at]! >= 0x80) return readUtf8(bytes, from, to)
    if (this.#frameString === '') this.#frameString = readLatin1(bytes, SLICED_FRAME_BYTES)
    return this.#frameString.slice(from, to)
  }

  /** Copies the bytes, so that the value does not keep its frame alive. The copy is not a Buffer. */
  #binary(length: number): Uint8Array {
    const from = this.skip(length)
    return new Uint8Array(this.bytes.subarray(from, this.at))
  }

  #extension(length: number): unknown {
    const type = this.#uint(1)
    if (type !== UNDEFINED_EXTENSION && type !== TIMESTAMP_EXTENSION && type !== ATTACHMENT_EXTENSION) {
      throw new TypeError(`the extension type ${type} is not allowed`)
    }
    if (type === ATTACHMENT_EXTENSION && length !== 4)
      throw new RangeError('the length of an attachment must have 4 bytes')
    const from = this.skip(length)
    if (type === UNDEFINED_EXTENSION) return undefined
    if (type === TIMESTAMP_EXTENSION) return readDate(this.view, from, length)
    const next = this.#attachments[this.#usedAttachments++]
    if (next?.byteLength !== this.view.getUint32(from)) {
      throw new RangeError('an attachment is missing or has another length')
    }
    return next
  }

  #uint(size: number): number {
    const from = this.skip(size)
    return size === 1 ? this.bytes[from]! : size === 2 ? this.view.getUint16(from) : this.view.getUint32(from)
  }

  /** Skips the next bytes, and returns the offset at which they begin. */
  skip(length: number): number {
    const from = this.at
    this.at += length
    if (this.at > this.bytes.length) throw cutShort()
    return from
  }
}

/** @param token - `undefined` behind the end */
export const isShortString = (token: number | undefined): boolean => (token! & 0xe0) === 0xa0

const cutShort = (): RangeError => new RangeError('the value is cut short')

const isInvalidKey = (token: number): boolean =>
  token >= 0x80 &&
  token < 0xe0 &&
  (token < 0xa0 || (token >= 0xc4 && token <= 0xc9) || (token >= 0xd4 && token <= 0xd8) || token >= 0xdc)
