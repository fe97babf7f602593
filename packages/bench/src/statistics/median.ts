// Medians and percentiles: what a noisy machine does to a few rounds moves a mean, and hardly a median.

const ascending = (values: Iterable<number>): Float64Array => Float64Array.from(values).sort()

/**
 * The value below which the part `share` of the values lies, interpolated between neighbours (R's type 7).
 *
 * @param sorted ascending; `NaN` comes back when it is empty
 * @param share 0 to 1
 */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = (sorted.length - 1) * share
  const low = sorted[Math.floor(at)] ?? NaN
  const high = sorted[Math.ceil(at)] ?? NaN
  return low + (high - low) * (at - Math.floor(at))
}

export const median = (values: Iterable<number>): number => quantile(ascending(values), 0.5)

/**
 * The mean of the middle half (the interquartile mean). For differences of figures that have two states: where a median of
 * a few rounds jumps from one to the other, this moves with the number of rounds in each.
 */
export function middleMean(values: readonly number[]): number {
  const sorted = ascending(values)
  const cut = Math.floor(sorted.length / 4)
  const middle = sorted.subarray(cut, sorted.length - cut)
  return middle.reduce((sum, value) => sum + value, 0) / middle.length
}

export interface Summary {
  median: number
  low: number
  high: number
}

/** The median of a figure over rounds, with the lowest and highest round beside it. */
export function summarize(rounds: readonly number[]): Summary {
  const sorted = ascending(rounds)
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0), high: quantile(sorted, 1) }
}
