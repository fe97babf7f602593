// Binary layout of handshake messages and broadcast headers: fields of fixed length, and short ASCII strings with a length byte.
// Each message has exactly one encoding, and the bytes themselves are what is authenticated.

/** Big-endian. */
export function u64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

/** An ASCII string of at most 255 characters. */
export const short = (text: string): Uint8Array =>
  Buffer.concat([Uint8Array.of(text.length), Buffer.from(text, 'latin1')])

/** Reads a copy of the bytes. Each method throws a RangeError if there are too few bytes. */
export class Fields {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes)
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  take(count: number): Buffer {
    // Stryker disable next-line ConditionalExpression: what is cut short leaves fewer bytes than none, or has no whole tag
    if (count > this.left) throw new RangeError('Cut short')
    this.#at += count
    return this.#bytes.subarray(this.#at - count, this.#at)
  }

  u8(): number {
    return this.take(1).readUInt8()
  }

  /** @throws {RangeError} also for a number that is not a safe integer */
  u64(): number {
    const value = Number(this.take(8).readBigUInt64BE())
    if (!Number.isSafeInteger(value)) throw new RangeError('Too large')
    return value
  }

  short(): string {
    return this.take(this.u8()).toString('latin1')
  }
}

/** Returns the result of `read`, or undefined if it throws or leaves bytes unread. */
export function readFields<T>(bytes: Uint8Array, read: (fields: Fields) => T | undefined): T | undefined {
  try {
    const fields = new Fields(bytes)
    const result = read(fields)
    return fields.left === 0 ? result : undefined
  } catch {
    return undefined
  }
}
