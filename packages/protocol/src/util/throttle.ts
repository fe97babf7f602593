// A bound on what is told of one frontend: whoever floods core or its gate with calls that are refused must not flood the log
// and the host as well. The first of each second are told one by one, the others as a number.

/** Told one by one, in each second. */
export const REPORTS_PER_SECOND = 100
const SECOND = 1000

export class Throttle<T> {
  readonly #tell: (latest: T, more: number) => void
  #begun = -Infinity
  #told = 0
  #latest: T | undefined
  #held = 0
  #timer: NodeJS.Timeout | undefined

  /** @param tell `more` is how many others, like `latest`, were not told: 0 for each that is told by itself */
  constructor(tell: (latest: T, more: number) => void) {
    this.#tell = tell
  }

  add(report: T): void {
    const now = performance.now()
    // A thread that is kept busy comes late to its timers.
    if (now - this.#begun >= SECOND) this.#begin(now)
    if (this.#told < REPORTS_PER_SECOND) {
      this.#told++
      return this.#tell(report, 0)
    }
    this.#latest = report
    this.#held++
    this.#timer ??= setTimeout(() => this.#begin(performance.now()), SECOND - (now - this.#begun)).unref()
  }

  /** Tells at once of what is held back: nothing more comes. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const [latest, held] = [this.#latest, this.#held]
    this.#latest = undefined
    this.#held = 0
    if (held > 0) this.#tell(latest as T, held - 1)
  }

  #begin(now: number): void {
    this.flush()
    this.#begun = now
    this.#told = 0
  }
}
