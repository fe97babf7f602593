const FIRST_BYTES: number = 2 ** 22

/** The memory of a body that arrives in parts. It grows to at most 4.25 times what has arrived, because the announced size is not trusted. */
export class BodyBuffer {
  readonly #size: number
  readonly #headroom: number
  #buffer: Buffer
  #used: number

  /** @param headroom - free bytes before the body */
  constructor(size: number, headroom: number) {
    this.#size = headroom + size
    this.#headroom = headroom
    this.#used = headroom
    this.#buffer = Buffer.allocUnsafeSlow(Math.min(this.#size, FIRST_BYTES))
  }

  get missing(): number {
    return this.#size - this.#used
  }

  /** Returns the memory for the next `length` bytes, which must not exceed `missing`. */
  reserve(length: number): Uint8Array {
    const end = this.#used + length
    if (end > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(this.#size, Math.max(this.#buffer.length * 4.25, end)))
      this.#buffer.copy(larger, 0, 0, this.#used)
      this.#buffer = larger
    }
    const part = this.#buffer.subarray(this.#used, end)
    this.#used = end
    return part
  }

  complete(): Uint8Array {
    return this.#buffer.subarray(this.#headroom)
  }
}
