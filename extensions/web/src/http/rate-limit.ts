/** Counts what happens in one second. */
export class RateLimit {
  readonly #max: number
  #left = 0
  #startedAt = -Infinity

  constructor(max: number) {
    this.#max = max
  }

  /** Returns false if the maximum is reached. */
  take(): boolean {
    const now = performance.now()
    if (now - this.#startedAt >= 1000) {
      this.#startedAt = now
      this.#left = this.#max
    }
    return this.#left-- > 0
  }
}
