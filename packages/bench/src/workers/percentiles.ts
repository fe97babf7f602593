// The latencies of a measurement in two figures.
import { quantile } from '../statistics/median.js'

/** Takes milliseconds, and sorts them; gives µs. */
export function percentiles(ms: Float64Array): { p50: number; p99: number } {
  const sorted = ms.sort()
  return { p50: quantile(sorted, 0.5) * 1e3, p99: quantile(sorted, 0.99) * 1e3 }
}
