// Medians and percentiles. A few slow rounds on a noisy machine move a mean, but hardly a median.
import { quantileSorted } from 'd3-array'

const ascending = (values: Iterable<number>): Float64Array => Float64Array.from(values).sort()

/** Returns a quantile of ascending values, interpolated between neighbours (R's type 7). `NaN` without values. */
export const quantile = (sorted: ArrayLike<number>, share: number): number =>
  // Its types accept arrays only; it reads a length and elements.
  quantileSorted(sorted as number[], share) ?? NaN

export const median = (values: Iterable<number>): number => quantile(ascending(values), 0.5)

/** True if the last three of the values are stationary: the highest is at most a fifth above the lowest. */
export function isStationary(values: readonly number[]): boolean {
  const last = values.slice(-3)
  return last.length === 3 && Math.max(...last) <= Math.min(...last) * 1.2
}

/** Returns the median of the processes' medians: a process with more rounds counts no more than the others. */
export const medianOfMedians = (processes: readonly (readonly number[])[]): number =>
  median(processes.filter(rounds => rounds.length > 0).map(median))
