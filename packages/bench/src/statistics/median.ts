// Medians and percentiles: what a noisy machine does to a few rounds moves a mean, and hardly a median.
import { mean, quantileSorted } from 'd3-array'

const ascending = (values: Iterable<number>): Float64Array => Float64Array.from(values).sort()

/**
 * The value below which the part `share` of the values lies, interpolated between neighbours (R's type 7).
 *
 * @param sorted ascending; `NaN` comes back when it is empty
 * @param share 0 to 1
 */
export const quantile = (sorted: ArrayLike<number>, share: number): number =>
  // Its types know arrays alone; it reads a length and elements.
  quantileSorted(sorted as number[], share) ?? NaN

export const median = (values: Iterable<number>): number => quantile(ascending(values), 0.5)

/**
 * The mean of the middle half (the interquartile mean). For differences of figures that have two states: where a median of
 * a few rounds jumps from one to the other, this moves with the number of rounds in each.
 */
export function middleMean(values: readonly number[]): number {
  const sorted = ascending(values)
  const cut = Math.floor(sorted.length / 4)
  return mean(sorted.subarray(cut, sorted.length - cut)) ?? NaN
}

/** The lowest and the highest round. */
export interface Summary {
  median: number
  low: number
  high: number
}

/** The median of a figure over processes, each with the median of its rounds, with the lowest and highest round beside it. */
export function summarize(processes: readonly (readonly number[])[]): Summary {
  const sorted = ascending(processes.flat())
  return { median: medianOfMedians(processes), low: quantile(sorted, 0), high: quantile(sorted, 1) }
}

/** The median by process, and the median of those: a process that has more rounds counts no more than the others. */
export const medianOfMedians = (processes: readonly (readonly number[])[]): number =>
  median(processes.filter(rounds => rounds.length > 0).map(median))
