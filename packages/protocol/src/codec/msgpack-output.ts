// Where MessagePack is written: the end of a piece of memory in which messages stand one behind the other, so that none is
// given memory of its own. What has been written there is never written again. Here are the forms that hold no others.

const CHUNK_BYTES = 16 * 1024
/** What every chunk has free when a message begins: an envelope's own members go unchecked into so much. */
const LEAST_BYTES = 128
/** What `room` leaves beyond what it was asked for: a head, or a number. */
const SPARE_BYTES = 16
/** Texts below have a head of one byte, and are written here; a call into Node costs as much as some thirty letters. */
const SHORT_TEXT = 0x20
/** Of texts from here on the size is asked for, which takes time; below, there is room for three bytes a letter. */
const LONG_TEXT = 4096

export class Output {
  bytes: Buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  view: DataView = new DataView(this.bytes.buffer)
  at = 0
  #start = 0

  begin(): void {
    if (this.bytes.length - this.at < LEAST_BYTES || this.bytes.length > CHUNK_BYTES) this.#move(CHUNK_BYTES, this.at)
    this.#start = this.at
  }

  /** What was written since `begin`. */
  end(): Uint8Array {
    return new Uint8Array(this.bytes.buffer, this.#start, this.at - this.#start)
  }

  /** How much was written since `begin`: a place that holds when the memory moves. */
  get size(): number {
    return this.at - this.#start
  }

  /** The byte at such a place. */
  byteAt(place: number): number {
    return this.bytes[this.#start + place]!
  }

  /** Forgets what was written since `begin`. */
  undo(): void {
    this.at = this.#start
  }

  /** Makes sure that there is room for so many bytes, a head before them and a number behind. */
  room(size: number): void {
    const needed = size + 2 * SPARE_BYTES
    if (this.bytes.length - this.at < needed) this.#move((this.at - this.#start + needed) * 2, this.#start)
  }

  #move(size: number, from: number): void {
    const next = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, size))
    this.bytes.copy(next, 0, from, this.at)
    this.bytes = next
    this.view = new DataView(next.buffer)
    this.at -= from
    this.#start = 0
  }

  byte(value: number): void {
    this.bytes[this.at++] = value
  }

  /** The first byte of a form, and its length in as many bytes as that form has. */
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

  /** @throws RangeError */
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

  text(value: string): void {
    const { length } = value
    if (length >= SHORT_TEXT) return this.#longText(value)
    this.room(SHORT_TEXT * 3)
    const { bytes, at } = this
    let to = at + 1
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      if (code < 0x80) bytes[to++] = code
      else if (code < 0x800) {
        bytes[to++] = 0xc0 | (code >> 6)
        bytes[to++] = 0x80 | (code & 0x3f)
      } else return this.#longText(value)
    }
    const size = to - at - 1
    if (size >= SHORT_TEXT) return this.#longText(value)
    bytes[at] = 0xa0 | size
    this.at = to
  }

  /** The head is as long as it is for ASCII, and the text moves on where it has become longer. */
  #longText(value: string): void {
    const { length } = value
    const most = length < LONG_TEXT ? length * 3 : Buffer.byteLength(value)
    this.room(most)
    const { bytes, at } = this
    const guessed = at + textHeadBytes(length)
    const size = bytes.write(value, guessed, most)
    const from = at + textHeadBytes(size)
    if (from !== guessed) bytes.copyWithin(from, guessed, guessed + size)
    if (size < 0x20) this.byte(0xa0 | size)
    else if (size < 0x100) this.head(0xd9, 1, size)
    else if (size < 0x10000) this.head(0xda, 2, size)
    else this.head(0xdb, 4, size)
    this.at = from + size
  }

  binary(value: Uint8Array): void {
    const size = value.byteLength
    this.room(size)
    if (size < 0x100) this.head(0xc4, 1, size)
    else if (size < 0x10000) this.head(0xc5, 2, size)
    else this.head(0xc6, 4, size)
    this.bytes.set(value, this.at)
    this.at += size
  }
}

const textHeadBytes = (size: number): number => (size < 0x20 ? 1 : size < 0x100 ? 2 : size < 0x10000 ? 3 : 5)
