// Core's own clock of calls, for frontends that have none: when each came. Of calls made one at a time, the time between two
// arrivals is that of a call there and back.
import type { Measurement } from '../task.js'
import { percentiles } from './percentiles.js'

/** A bound on memory: of more calls the first ones count. */
const MAX_ARRIVALS = 2 ** 20

export class CoreClock {
  #arrivals = new Float64Array(0)
  #count = 0

  start(): void {
    if (this.#arrivals.length === 0) this.#arrivals = new Float64Array(MAX_ARRIVALS)
    this.#count = 0
  }

  tick(): void {
    if (this.#count < MAX_ARRIVALS) this.#arrivals[this.#count++] = performance.now()
  }

  /** @throws Error where too few calls came for any time to lie between them */
  stop(): Measurement {
    const arrivals = this.#arrivals.subarray(0, this.#count)
    const taken = arrivals.subarray(1).map((at, before) => at - arrivals[before]!)
    if (taken.length === 0) throw new Error(`core has seen ${arrivals.length} calls`)
    return { ...percentiles(taken), rate: (taken.length / (arrivals.at(-1)! - arrivals[0]!)) * 1e3 }
  }
}
