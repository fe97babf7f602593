// A growing buffer that writes MessagePack scalars: numbers, strings and bytes.
// Consecutive messages share a chunk of memory, and bytes that were handed out are never written again.
import { allocate, utf8Length, writeUtf8 } from '../util/platform.js'

const CHUNK_BYTES = 16 * 1024
/** Free bytes at the start of each message. The fixed members of an envelope are written without a check. */
const MIN_FREE_BYTES = 128
/** Bytes that `reserve` adds to the requested size, for a head or a number. */
const SPARE_BYTES = 16
/** Strings below this length are written in JavaScript: calling Node costs as much as about thirty characters. */
const SHORT_STRING = 0x20
/** Strings from this length on are measured first. Shorter ones reserve three bytes for each character. */
const LONG_STRING = 4096

export class Output {
  bytes: Uint8Array = allocate(CHUNK_BYTES)
  view: DataView = new DataView(this.bytes.buffer)
  at = 0
  #start = 0

  begin(): void {
    if (this.bytes.length - this.at < MIN_FREE_BYTES || this.bytes.length > CHUNK_BYTES)
      this.#move(CHUNK_BYTES, this.at)
    this.#start = this.at
  }

  /** Returns a view of what was written since `begin`. */
  end(): Uint8Array {
    return new Uint8Array(this.bytes.buffer, this.#start, this.at - this.#start)
  }

  /** The number of bytes written since `begin`: an offset that stays valid when the buffer grows. */
  get size(): number {
    return this.at - this.#start
  }

  /** Returns the byte at an offset from `begin`. */
  byteAt(offset: number): number {
    return this.bytes[this.#start + offset]!
  }

  /** Discards what was written since `begin`. */
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

  /** Writes a format byte, and a length of `size` bytes. */
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

  /** @throws RangeError if the value does not fit into 64 bits */
  bigint(value: bigint): void {
    const signed = BigInt.asIntN(64, value) === value
    if (!signed && BigInt.asUintN(64, value) !== value) {
      throw new RangeError(`${value} is too large to fit into 64 bits`)
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
    this.reserve(size)
    if (size < 0x100) this.head(0xc4, 1, size)
    else if (size < 0x10000) this.head(0xc5, 2, size)
    else this.head(0xc6, 4, size)
    this.bytes.set(value, this.at)
    this.at += size
  }
}

const stringHeadBytes = (size: number): number => (size < 0x20 ? 1 : size < 0x100 ? 2 : size < 0x10000 ? 3 : 5)
