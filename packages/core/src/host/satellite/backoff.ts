// How long to wait before a session is opened again: hardly at all after one that has lasted, and twice as long each time after
// others, so that whoever is refused, gives way to another, or ends what it has at once, costs core little.

const MIN_MS = 100
const MAX_MS = 5000
/** A session that was open for so long was a good one: longer than any delay, so that two of one label do not take turns. */
const LASTED_MS = 30_000

export class Backoff {
  readonly #now: () => number
  readonly #random: () => number
  #failures: number | undefined
  #openedAt: number | undefined

  /** Time and chance can be given: for tests. */
  constructor(now: () => number = () => performance.now(), random: () => number = Math.random) {
    this.#now = now
    this.#random = random
  }

  opened(): void {
    this.#openedAt = this.#now()
  }

  /** Milliseconds, of which chance takes up to a half: not all that have lost one core come to the next at once. None at first. */
  next(): number {
    const hasLasted = this.#openedAt !== undefined && this.#now() - this.#openedAt >= LASTED_MS
    this.#openedAt = undefined
    this.#failures = this.#failures === undefined ? 0 : hasLasted ? 1 : this.#failures + 1
    if (this.#failures === 0) return 0
    return Math.min(MAX_MS, MIN_MS * 2 ** Math.min(this.#failures - 1, 30)) * (1 - this.#random() / 2)
  }
}
