// A ratio to the reference, round by round: both were measured within the same moments, so a machine that changes its
// speed between rounds (as one does whose cores are shared) changes both, and leaves the ratio alone. Fresh processes differ
// too, in what their threads and compiled code happen to look like: each has a median of its own, and counts once.
import { deviation } from 'd3-array'
import { resample } from './bootstrap.js'
import { medianOfMedians, quantile } from './median.js'

/** One list for each fresh process, with one value for each round. */
export type Processes = readonly (readonly number[])[]

export interface Estimate {
  /** figure ÷ reference: the median over processes of the median over rounds, of logarithms. */
  ratio: number
  /** What the ratio lies between with 95 % confidence: bootstrap by process and round, percentiles. */
  interval: [low: number, high: number]
  /**
   * The smallest change of this ratio that a run like this one would have shown in 8 of 10 times, as a factor above 1: 1.03 is
   * 3 %. Infinity where one round can't tell.
   */
  smallestEffect: number
}

/** Two-sided 5 % and a power of 80 %: 1.96 + 0.84 standard errors (Cohen, Statistical Power Analysis, 1988). */
const DETECTABLE = 2.8

/** @returns `null` where no round has both, or one of them is zero */
export function estimateRatio(figure: Processes, reference: Processes): Estimate | null {
  const logs = logRatios(figure, reference)
  if (logs.length === 0) return null
  const drawn = resample(logs, medianOfMedians)
  const spread = logs.flat().length > 1 ? (deviation(drawn) ?? 0) : Infinity
  return {
    ratio: Math.exp(medianOfMedians(logs)),
    interval: [Math.exp(quantile(drawn, 0.025)), Math.exp(quantile(drawn, 0.975))],
    smallestEffect: Math.exp(DETECTABLE * spread),
  }
}

/**
 * What the ratio is, with `confidence` on one side, not beyond: for a gate that must not cry wolf.
 *
 * @param confidence 0.99 for one case; with many, `1 - 0.01 / many` (Bonferroni)
 * @returns `null` where no round has both, and where there is but one, which says nothing about the next
 */
export function boundsOf(
  figure: Processes,
  reference: Processes,
  confidence: number,
): [low: number, high: number] | null {
  const logs = logRatios(figure, reference)
  if (logs.flat().length < 2) return null
  const drawn = resample(logs, medianOfMedians)
  return [Math.exp(quantile(drawn, 1 - confidence)), Math.exp(quantile(drawn, confidence))]
}

/** The rounds that both have, and in which neither is zero. */
function logRatios(figure: Processes, reference: Processes): number[][] {
  return figure
    .map((rounds, process) =>
      rounds.flatMap((value, round) => {
        const base = reference[process]?.[round]
        return base !== undefined && base > 0 && value > 0 ? [Math.log(value / base)] : []
      }),
    )
    .filter(rounds => rounds.length > 0)
}
