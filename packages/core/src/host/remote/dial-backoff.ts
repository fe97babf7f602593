// Delays between attempts to open a session.
import { getBackoff } from '@sallyport/protocol/internal/util'

const BACKOFF_MS = { min: 100, max: 5000 }
/** A session that was open for this long resets the backoff. Longer than any delay, so that two sessions of one label do not alternate. */
const STABLE_SESSION_MS = 30_000

/** Exponential backoff with jitter. Sessions that are refused or end soon cost core little; the first attempt is immediate. */
export class DialBackoff {
  readonly #now: () => number
  readonly #random: () => number
  #failures: number | undefined
  #openedAt: number | undefined

  /** For tests, with a clock and a random source of their own. */
  constructor(now: () => number = () => performance.now(), random: () => number = Math.random) {
    this.#now = now
    this.#random = random
  }

  opened(): void {
    this.#openedAt = this.#now()
  }

  next(): number {
    const wasStable = this.#openedAt !== undefined && this.#now() - this.#openedAt >= STABLE_SESSION_MS
    this.#openedAt = undefined
    this.#failures = this.#failures === undefined ? 0 : wasStable ? 1 : this.#failures + 1
    return this.#failures === 0 ? 0 : getBackoff(this.#failures - 1, { ...BACKOFF_MS, random: this.#random() })
  }
}
