// Measures a sample of durations, because reading the clock twice costs a tenth of a small call.
import type { RecordableHistogram } from 'node:perf_hooks'

/** An hour, in nanoseconds. Longer durations are recorded as this one. */
export const MAX_DURATION_NS = 3.6e12

const ALL_MEASURED = 500
/** One in this many of the remaining durations is measured. A prime number is unlikely to match a pattern of calls. */
const SAMPLE_INTERVAL = 251

export class SamplingTimer {
  readonly #getTimes: (() => RecordableHistogram) | undefined
  #times: RecordableHistogram | undefined
  #skip = 1
  #remaining = ALL_MEASURED
  #secondStartedAt = 0

  /**
   * @param getTimes - returns what records nanoseconds, up to `MAX_DURATION_NS`; another thread can read them. Called with the first
   * duration. Without it, nothing is recorded
   */
  constructor(getTimes?: () => RecordableHistogram) {
    this.#getTimes = getTimes
  }

  /** Returns the start time for `end`, or 0 if this duration is not measured. */
  begin(): number {
    if (--this.#skip > 0) return 0
    const now = performance.now()
    if (now - this.#secondStartedAt > 1000) {
      this.#secondStartedAt = now
      this.#remaining = ALL_MEASURED
    }
    this.#skip = --this.#remaining > 0 ? 1 : SAMPLE_INTERVAL
    return now
  }

  /** Records the duration and returns it, in nanoseconds. */
  end(startedAt: number): number {
    const elapsed = Math.round((performance.now() - startedAt) * 1e6)
    const nanoseconds = Math.max(1, Math.min(MAX_DURATION_NS, elapsed))
    this.#times ??= this.#getTimes?.()
    this.#times?.record(nanoseconds)
    return nanoseconds
  }

  /** Measures until the promise resolves, and calls `recorded` with the nanoseconds. A rejected promise is not measured. */
  endWith(result: Promise<unknown>, startedAt: number, recorded?: (nanoseconds: number) => void): void {
    result.then(
      () => {
        const nanoseconds = this.end(startedAt)
        recorded?.(nanoseconds)
      },
      () => {},
    )
  }
}
