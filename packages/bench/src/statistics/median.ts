// Medians and percentiles. A few slow rounds on a noisy machine move a mean, but hardly a median.
import { quantileSorted } from 'd3-array'

/** Returns a quantile of ascending values by R's type 7, or `NaN` without values. */
export const quantile = (sorted: ArrayLike<number>, share: number): number =>
  // Its types accept only arrays, but it reads only a length and elements.
  quantileSorted(sorted as number[], share) ?? NaN

export const median = (values: Iterable<number>): number => quantile(Float64Array.from(values).sort(), 0.5)

/** True if the highest of the last three values is at most a fifth above the lowest. */
export function isStationary(values: readonly number[]): boolean {
  const last = values.slice(-3)
  return last.length === 3 && Math.max(...last) <= Math.min(...last) * 1.2
}

/** Returns the median of the processes' medians. A process with more rounds does not count more. */
export const medianOfMedians = (processes: readonly (readonly number[])[]): number =>
  median(processes.filter(rounds => rounds.length > 0).map(median))

/** Returns the range that holds eight of ten rounds. */
export function getSpread(processes: readonly (readonly number[])[]): [low: number, high: number] {
  const rounds = Float64Array.from(processes.flat()).sort()
  return [quantile(rounds, 0.1), quantile(rounds, 0.9)]
}
