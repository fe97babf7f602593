// The quota of one command for one frontend: a token bucket, the number of running calls, and a budget of calls.
import type { CallQuota } from '../contract/host-core.js'

export class Quota {
  /** True if calls wait for their turn instead of being refused. */
  readonly waits: boolean
  /** Calls per second. After a second without calls, this many can come at once. */
  readonly rate: number
  readonly concurrency: number
  /** Calls in the life of the frontend, of which `#spent` have begun. */
  readonly calls: number
  /** Tokens of a full bucket: those of one second, at least one. */
  readonly #bucketSize: number
  #tokens: number
  #refilledAt: number
  #runningCount = 0
  #spent = 0

  /** @param now milliseconds of a monotonic clock, as in all methods */
  constructor({ rate = Infinity, concurrency = Infinity, calls = Infinity, overflow }: CallQuota, now: number) {
    this.waits = overflow === 'wait'
    this.rate = rate
    this.concurrency = concurrency
    this.calls = calls
    this.#bucketSize = this.#tokens = Math.max(1, rate)
    this.#refilledAt = now
  }

  get isBusy(): boolean {
    return this.#runningCount >= this.concurrency
  }

  /** True if no further call can begin in the life of the frontend. */
  get isSpent(): boolean {
    return this.#spent >= this.calls
  }

  /** Returns the whole milliseconds until there is a token, 0 if there is one. */
  getRetryAfter(now: number): number {
    if (this.rate === Infinity) return 0
    this.#tokens = Math.min(this.#bucketSize, this.#tokens + ((now - this.#refilledAt) * this.rate) / 1000)
    this.#refilledAt = now
    return this.#tokens >= 1 ? 0 : Math.max(1, Math.ceil(((1 - this.#tokens) * 1000) / this.rate))
  }

  /** Takes a token for a call, for which `getRetryAfter` has returned 0. */
  begin(): void {
    this.#tokens -= 1
    this.#runningCount += 1
    this.#spent += 1
  }

  end(): void {
    this.#runningCount -= 1
  }

  /** Another frontend gets the label: its budget is whole. */
  endLife(): void {
    this.#spent = 0
  }

  /** True if this quota could be replaced by a new one. */
  isIdle(now: number): boolean {
    this.getRetryAfter(now)
    const isWhole = this.calls === Infinity || this.#spent === 0
    return this.#runningCount === 0 && this.#tokens >= this.#bucketSize && isWhole
  }
}
