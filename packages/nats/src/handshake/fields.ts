// How the messages of the handshake are laid out: fields of fixed length, and short ASCII texts after a byte that counts them. So
// there is one way to write each message and one to read it, and what is authenticated is the bytes themselves.

export const u8 = (value: number): Uint8Array => Uint8Array.of(value)

/** Big-endian. */
export function u64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

/** An ASCII text of at most 255 characters. */
export const short = (text: string): Uint8Array => Buffer.concat([u8(text.length), Buffer.from(text, 'latin1')])

export class Fields {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes)
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  /** @throws RangeError where there are fewer */
  take(count: number): Buffer {
    if (count > this.left) throw new RangeError('Cut short')
    const taken = this.#bytes.subarray(this.#at, this.#at + count)
    this.#at += count
    return taken
  }

  u8(): number {
    return this.take(1).readUInt8()
  }

  /** @throws RangeError also for a number that JavaScript has not exactly */
  u64(): number {
    const value = Number(this.take(8).readBigUInt64BE())
    if (!Number.isSafeInteger(value)) throw new RangeError('Too large')
    return value
  }

  short(): string {
    return this.take(this.u8()).toString('latin1')
  }
}

/** What `read` makes of all the bytes, or undefined where they are too few or too many, or are no bytes. */
export function readWhole<T>(bytes: Uint8Array, read: (fields: Fields) => T | undefined): T | undefined {
  try {
    const fields = new Fields(bytes)
    const whole = read(fields)
    return fields.left === 0 ? whole : undefined
  } catch {
    return undefined
  }
}
