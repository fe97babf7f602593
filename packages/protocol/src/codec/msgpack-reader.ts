// Reads MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) from whoever wrote it, in one pass. Every length
// is held against what is left before anything is made; bytes are copied, so that no value keeps a frame, or its neighbours,
// alive; no extension but the three that are allowed, and no key that is none, or named `__proto__`.
import { MAX_DEPTH, MAX_NODES } from '../wire/limits.js'
import { ATTACHMENT_EXTENSION } from './attachments.js'
import { protoKey, tooDeep, tooMany } from './codec.js'
import { readDate, TIMESTAMP_EXTENSION } from './msgpack-writer.js'

// Text out of a frame: the parser's hottest part. Short texts are cut out of one text of the whole frame, which costs a
// fourth of reading each; keys and methods, which repeat themselves, are looked up by their bytes and not made again.

/** Of longer ones V8 keeps a reference to the text they were cut from: those are read alone, or would keep the frame alive. */
const CUT_BYTES = 12
/** How far into a frame texts are cut. */
const FRAME_BYTES = 32 * 1024

export class TextReader {
  readonly #bytes: Buffer
  #frame = ''

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** What is not UTF-8 is read with replacement characters. */
  read(from: number, to: number): string {
    const bytes = this.#bytes
    if (to - from > CUT_BYTES || to > FRAME_BYTES) return bytes.toString('utf8', from, to)
    for (let at = from; at < to; at++) if (bytes[at]! >= 0x80) return bytes.toString('utf8', from, to)
    if (this.#frame === '') this.#frame = bytes.toString('latin1', 0, FRAME_BYTES)
    return this.#frame.slice(from, to)
  }

  /** The same, for a text that repeats itself, of a few bytes: one that is known is given again. */
  readName(from: number, to: number): string {
    const bytes = this.#bytes
    const length = to - from
    if (length === 0) return ''
    const slot = getSlot(length, bytes[from]!, bytes[from + (length >> 1)]!, bytes[to - 2]!, bytes[to - 1]!)
    const name = known[slot]!
    if (name.length === length) {
      let same = 0
      while (same < length && name.charCodeAt(same) === bytes[from + same]) same++
      if (same === length) return name
    }
    const read = this.read(from, to)
    // With as many characters as bytes, each is ASCII or a replacement, which equals no byte and is not found again.
    if (read.length === length) known[slot] = read
    return read
  }
}

const KNOWN = 1024
/** What senders choose has a bound: so many texts of 31 bytes. */
const known: string[] = Array.from({ length: KNOWN }, () => '')

/** Names mostly differ in these: their length, the first and the middle byte, and the last two (of one, its head counts). */
const getSlot = (length: number, first: number, middle: number, last: number, end: number): number =>
  (length * 37 + first * 131 + middle * 17 + last * 61 + end * 7) % KNOWN

/** `undefined` is an extension that many share. */
const UNDEFINED_EXTENSION = 0

export class Reader {
  readonly bytes: Buffer
  readonly view: DataView
  at = 0
  /** Values that may come yet. */
  left: number
  readonly #text: TextReader
  readonly #attachments: readonly Uint8Array[]
  readonly #maxDepth: number
  #taken = 0

  /** @param trusted neither depth nor the number of values is bounded */
  constructor(body: Uint8Array, trusted: boolean, attachments: readonly Uint8Array[]) {
    this.bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    this.view = new DataView(body.buffer, body.byteOffset, body.byteLength)
    this.#text = new TextReader(this.bytes)
    this.#attachments = attachments
    this.#maxDepth = trusted ? Infinity : MAX_DEPTH
    this.left = (trusted ? Infinity : MAX_NODES) - 1
  }

  /** After the last value. */
  end(): void {
    if (this.at !== this.bytes.length) throw new RangeError('bytes are left after the value')
    if (this.#taken !== this.#attachments.length) throw new RangeError('an attachment belongs to no message')
  }

  /** @throws RangeError or TypeError, which says what was found */
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

  /** The elements of an array, where one stands here, each read by `read`. */
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

  #tagged(token: number, depth: number): unknown {
    switch (token) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4: // bin 8, 16, 32
      case 0xc5:
      case 0xc6:
        return this.#binary(this.#uint(1 << (token - 0xc4)))
      case 0xc7: // ext 8, 16, 32
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#uint(1 << (token - 0xc7)))
      case 0xca:
        return this.view.getFloat32(this.skip(4))
      case 0xcb:
        return this.view.getFloat64(this.skip(8))
      case 0xcc: // uint 8, 16, 32
      case 0xcd:
      case 0xce:
        return this.#uint(1 << (token - 0xcc))
      case 0xcf:
        return this.view.getBigUint64(this.skip(8))
      case 0xd0:
        return this.view.getInt8(this.skip(1))
      case 0xd1:
        return this.view.getInt16(this.skip(2))
      case 0xd2:
        return this.view.getInt32(this.skip(4))
      case 0xd3:
        return this.view.getBigInt64(this.skip(8))
      case 0xd4: // fixext 1 to 16
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(1 << (token - 0xd4))
      case 0xd9: // str 8, 16, 32
      case 0xda:
      case 0xdb:
        return this.#string(this.#uint(1 << (token - 0xd9)))
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

  /** So many values follow, keys among them; each has a byte at least. */
  expect(values: number): void {
    if (values > this.bytes.length - this.at) throw cutShort()
    this.left -= values
    if (this.left < 0) throw tooMany()
  }

  /** A string, or what is turned into one: a number, a boolean, nil. */
  key(): string {
    const token = this.bytes[this.at]
    if (token === undefined) throw cutShort()
    if (isNoKey(token)) throw new TypeError('a key is neither a string nor a number')
    const key = isShortText(token) ? this.name() : String(this.value(0))
    if (key === '__proto__') throw protoKey()
    return key
  }

  /** A short text that repeats itself. */
  name(): string {
    const length = this.bytes[this.at++]! & 0x1f
    return this.#text.readName(this.skip(length), this.at)
  }

  #string(length: number): string {
    return this.#text.read(this.skip(length), this.at)
  }

  /** Bytes of their own, and no Buffer. */
  #binary(length: number): Uint8Array {
    const from = this.skip(length)
    return new Uint8Array(this.bytes.subarray(from, this.at))
  }

  #extension(length: number): unknown {
    const type = this.#uint(1)
    if (type !== UNDEFINED_EXTENSION && type !== TIMESTAMP_EXTENSION && type !== ATTACHMENT_EXTENSION) {
      throw new TypeError(`the extension type ${type} is not allowed`)
    }
    if (type === ATTACHMENT_EXTENSION && length !== 4) throw new RangeError('an attachment’s length has 4 bytes')
    const from = this.skip(length)
    if (type === UNDEFINED_EXTENSION) return undefined
    if (type === TIMESTAMP_EXTENSION) return readDate(this.view, from, length)
    const next = this.#attachments[this.#taken++]
    if (next?.byteLength !== this.view.getUint32(from)) {
      throw new RangeError('an attachment is missing, or of another length')
    }
    return next
  }

  #uint(size: number): number {
    const from = this.skip(size)
    return size === 1 ? this.bytes[from]! : size === 2 ? this.view.getUint16(from) : this.view.getUint32(from)
  }

  /** Where the next bytes begin, having gone past them. */
  skip(length: number): number {
    const from = this.at
    this.at += length
    if (this.at > this.bytes.length) throw cutShort()
    return from
  }
}

export const isShortText = (token: number | undefined): boolean => token !== undefined && (token & 0xe0) === 0xa0

const cutShort = (): RangeError => new RangeError('the value is cut short')

/** Maps, arrays, binary and extensions. */
const isNoKey = (token: number): boolean =>
  token >= 0x80 &&
  token < 0xe0 &&
  (token < 0xa0 || (token >= 0xc4 && token <= 0xc9) || (token >= 0xd4 && token <= 0xd8) || token >= 0xdc)
