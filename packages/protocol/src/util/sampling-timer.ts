// How long something takes, of which there may be millions in a second: the first of a second are timed, and of the rest a few.
// Looking at the clock twice costs a tenth of what a small call does.
import type { RecordableHistogram } from 'node:perf_hooks'

/** An hour, in nanoseconds: the longest that is told apart. */
export const MAX_DURATION_NS = 3.6e12

/** In a second so many are timed, */
const ALL = 500
/** and of the rest one in so many: a number that a program’s own pattern of calls hardly has. */
const ONE_IN = 251

export class SamplingTimer {
  readonly #times: RecordableHistogram
  #skip = 1
  #left = ALL
  #since = 0

  /** @param times in nanoseconds, up to `LONGEST`. Another thread may read them. */
  constructor(times: RecordableHistogram) {
    this.#times = times
  }

  /** Gives when it began, for `end`, or 0 where it is not timed. */
  begin(): number {
    return --this.#skip > 0 ? 0 : this.#look()
  }

  end(began: number): void {
    const took = (performance.now() - began) * 1e6
    this.#times.record(Math.max(1, Math.min(MAX_DURATION_NS, Math.round(took))))
  }

  /** Where it resolves. */
  endWith(result: Promise<unknown>, began: number): void {
    result.then(
      () => this.end(began),
      () => {},
    )
  }

  #look(): number {
    const now = performance.now()
    if (now - this.#since > 1000) {
      this.#since = now
      this.#left = ALL
    }
    this.#skip = --this.#left > 0 ? 1 : ONE_IN
    return now
  }
}
