import { later } from './timers.js'

/** Reports that are emitted individually each second, unless a throttle has another limit. */
export const REPORTS_PER_SECOND = 100
const SECOND_MS = 1000

/**
 * Bounds how often something is reported, so that a flood of refused calls does not flood the log and the host. The first
 * reports of each second are emitted individually, the rest as one summary when the second is over.
 */
export class Throttle<T> {
  readonly #emit: (latest: T, more: number) => void
  readonly #perSecond: number
  #secondStartedAt = -Infinity
  #emitted = 0
  #latest: T | undefined
  #suppressed = 0
  #endWait: (() => void) | undefined

  /**
   * @param emit receives the latest report, and how many more were suppressed: 0 for an individual report
   * @param perSecond number of individual reports a second. With 1, there is one report a second in all: after a summary, the
   * next summary follows a second later
   */
  constructor(emit: (latest: T, more: number) => void, perSecond: number = REPORTS_PER_SECOND) {
    this.#emit = emit
    this.#perSecond = perSecond
  }

  /** @param count how many reports this one stands for */
  add(report: T, count = 1): void {
    const now = performance.now()
    // A busy thread runs its timers late.
    if (now - this.#secondStartedAt >= SECOND_MS) this.#startSecond(now)
    if (this.#emitted < this.#perSecond) {
      this.#emitted++
      return this.#emit(report, count - 1)
    }
    this.#latest = report
    this.#suppressed += count
    const rest = SECOND_MS - (now - this.#secondStartedAt)
    this.#endWait ??= later(rest, () => this.#startSecond(performance.now()))
  }

  /** Emits the summary of the current second now. */
  flush(): void {
    this.#endWait?.()
    this.#endWait = undefined
    const [latest, suppressed] = [this.#latest, this.#suppressed]
    this.#latest = undefined
    this.#suppressed = 0
    if (suppressed > 0) this.#emit(latest as T, suppressed - 1)
  }

  #startSecond(now: number): void {
    const hasSummary = this.#suppressed > 0
    this.flush()
    this.#secondStartedAt = now
    this.#emitted = hasSummary && this.#perSecond === 1 ? 1 : 0
  }
}

/** The log text of a report that stands for `more` others. */
export const formatSuppressed = (text: string, more: number): string => (more > 0 ? `${text}, and ${more} more` : text)
