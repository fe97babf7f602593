// What is counted of the traffic over one link, in memory that core writes and the host reads whenever it wants, core's end or
// an endless loop in it notwithstanding. How long calls take is measured of some of them: looking at the clock twice costs a
// tenth of what a small call does.
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'

export const COUNT = {
  /** Of commands; events that a frontend emits are among them here. */
  calls: 0,
  failures: 1,
  denied: 2,
  late: 3,
  eventsIn: 4,
  eventsOut: 5,
  dropped: 6,
  bytesIn: 7,
  bytesOut: 8,
  /** As it was after the last frame, or when core was last asked: like the next, which is looked up only then. */
  inFlight: 9,
  queued: 10,
} as const

const COUNTS = Object.keys(COUNT).length

/** What host and core share. */
export interface MeterMemory {
  counts: SharedArrayBuffer
  /** Of times in nanoseconds. It may serve several links, one after the other. */
  latency: RecordableHistogram
}

/** An hour, in nanoseconds. */
const LONGEST = 3.6e12

/** It takes about 30 KB; what it says is exact to a hundredth. */
export const createLatency = (): RecordableHistogram => createHistogram({ lowest: 64, highest: LONGEST, figures: 2 })

export const createCounts = (): SharedArrayBuffer => new SharedArrayBuffer(COUNTS * Float64Array.BYTES_PER_ELEMENT)

/** Of calls in a second so many are timed, */
const ALL = 500
/** and of the rest one in so many: a number that a program’s own pattern of calls hardly has. */
const ONE_IN = 251

/** Core's end. */
export class Meter {
  readonly counts: Float64Array
  readonly #latency: RecordableHistogram
  #skip = 1
  #left = ALL
  #since = 0

  constructor({ counts, latency }: MeterMemory = { counts: createCounts(), latency: createLatency() }) {
    this.counts = new Float64Array(counts)
    this.#latency = latency
  }

  /** Counts a call. Gives when it began, for `end`, or 0 where it is not timed. */
  begin(): number {
    this.counts[COUNT.calls]! += 1
    return --this.#skip > 0 ? 0 : this.#time()
  }

  end(began: number): void {
    const took = (performance.now() - began) * 1e6
    this.#latency.record(Math.max(1, Math.min(LONGEST, Math.round(took))))
  }

  /** Where it resolves. */
  endWith(result: Promise<unknown>, began: number): void {
    result.then(
      () => this.end(began),
      () => {},
    )
  }

  #time(): number {
    const now = performance.now()
    if (now - this.#since > 1000) {
      this.#since = now
      this.#left = ALL
    }
    this.#skip = --this.#left > 0 ? 1 : ONE_IN
    return now
  }
}
