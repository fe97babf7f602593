// How often one frontend may call one command: a bucket that a call takes a token from, and a count of those that run.

export interface QuotaLimits {
  /** Calls in a second; so many may come at once, after a second without any. */
  rate?: number | undefined
  /** Calls that run at a time. */
  concurrency?: number | undefined
}

export class Quota {
  readonly #limits: QuotaLimits
  /** Of the bucket: a second's calls, one at least. */
  readonly #size: number
  #tokens: number
  #at: number
  #running = 0

  /** @param now milliseconds, here and below, of a clock that never goes back */
  constructor(limits: QuotaLimits, now: number) {
    this.#limits = limits
    this.#size = Math.max(1, limits.rate ?? 1)
    this.#tokens = this.#size
    this.#at = now
  }

  /** So many run already. */
  get isBusy(): boolean {
    return this.#running >= (this.#limits.concurrency ?? Infinity)
  }

  /** Whole milliseconds until there is a token; 0 where there is one. */
  wait(now: number): number {
    const { rate } = this.#limits
    if (rate === undefined) return 0
    this.#tokens = Math.min(this.#size, this.#tokens + ((now - this.#at) * rate) / 1000)
    this.#at = now
    return this.#tokens >= 1 ? 0 : Math.max(1, Math.ceil(((1 - this.#tokens) * 1000) / rate))
  }

  /** A call begins, for which `wait` has given 0. */
  begin(): void {
    this.#tokens -= 1
    this.#running += 1
  }

  /** Its handler has come to its end. */
  end(): void {
    this.#running -= 1
  }

  /** As good as new. */
  isIdle(now: number): boolean {
    this.wait(now)
    return this.#running === 0 && (this.#limits.rate === undefined || this.#tokens >= this.#size)
  }
}
