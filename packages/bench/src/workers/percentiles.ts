// The latencies of a measurement in two figures, and one by one for who asks for them afterwards.
import { quantile } from '../statistics/median.js'
import type { Measurement } from '../task.js'

/** A bound on what is kept, and crosses threads: 2 MiB of them. */
const MAX_KEPT = 2 ** 18
let kept = new Float64Array()

/** Takes milliseconds, and sorts them; gives µs. */
export function percentiles(ms: Float64Array): { p50: number; p99: number } {
  kept = ms.slice(0, MAX_KEPT)
  const sorted = ms.sort()
  return { p50: quantile(sorted, 0.5) * 1e3, p99: quantile(sorted, 0.99) * 1e3 }
}

/** Each single latency of the last measurement in this thread, in µs, in the order in which they came; none the second time. */
export function keptSamples(): Measurement {
  const samples = kept
  kept = new Float64Array()
  return Object.fromEntries(Array.from(samples, (ms, at) => [at, Math.round(ms * 1e6) / 1e3]))
}
