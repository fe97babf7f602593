// A ratio to the reference, round by round: both were measured within the same moments, so a machine that changes its
// speed between rounds (as one does whose cores are shared) changes both, and leaves the ratio alone.
import { median } from './median.js'

/**
 * The median of `figure / reference` over the rounds that both have, as a geometric median: of two middle rounds, half
 * as fast and twice as fast make 1, not 1.25.
 *
 * @returns `null` where no round has both
 */
export function pairedRatio(figure: readonly number[], reference: readonly number[]): number | null {
  const logs: number[] = []
  for (const [round, value] of figure.entries()) {
    const base = reference[round]
    if (base !== undefined && base > 0 && value > 0) logs.push(Math.log(value / base))
  }
  return logs.length === 0 ? null : Math.exp(median(logs))
}
