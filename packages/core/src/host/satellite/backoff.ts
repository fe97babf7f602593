// How long to wait before a session is opened again: not at all after one that has lasted, and twice as long each time after
// others, so that whoever is refused, or ends what it has at once, costs core little.

const MIN_MS = 100
const MAX_MS = 5000
/** A session that was open for so long was a good one. */
const LASTED_MS = 5000

export class Backoff {
  readonly #now: () => number
  readonly #random: () => number
  #failures = 0
  #openedAt: number | undefined

  /** Time and chance can be given: for tests. */
  constructor(now: () => number = () => performance.now(), random: () => number = Math.random) {
    this.#now = now
    this.#random = random
  }

  opened(): void {
    this.#openedAt = this.#now()
  }

  /** Milliseconds, less up to a half by chance. */
  next(): number {
    if (this.#openedAt !== undefined && this.#now() - this.#openedAt >= LASTED_MS) this.#failures = 0
    this.#openedAt = undefined
    const failures = this.#failures++
    if (failures === 0) return 0
    return Math.min(MAX_MS, MIN_MS * 2 ** Math.min(failures - 1, 30)) * (1 - this.#random() / 2)
  }
}
