// Ratios to the reference, round by round. Both were measured within the same moments, so a machine that changes its speed between
// rounds changes both and leaves the ratio alone. Processes differ too, in where their memory lies and what was compiled when: each
// has a median of its own, and counts once.
import { deviation } from 'd3-array'
import { randomInt, randomLcg } from 'd3-random'
import { medianOfMedians, quantile } from './median.js'

/** One list for each fresh process, with one value for each round. */
export type Processes = readonly (readonly number[])[]

export interface Estimate {
  /** figure ÷ reference: the median over processes of the median over rounds, of logarithms. */
  ratio: number
  /** Contains the ratio with 95 % confidence: bootstrap by process and round, percentiles. */
  interval: [low: number, high: number]
  /**
   * The smallest change of this ratio that such a run shows in 8 of 10 cases, as a factor above 1: 1.03 is 3 %. Infinity if there is
   * only one round.
   */
  smallestEffect: number
}

/** Two-sided 5 % and a power of 80 %: 1.96 + 0.84 standard errors (Cohen, Statistical Power Analysis, 1988). */
const DETECTABLE = 2.8

/** @returns `null` if no round has both values, or one of them is zero */
export function estimateRatio(figure: Processes, reference: Processes): Estimate | null {
  const logs = getLogRatios(figure, reference)
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
 * Returns bounds that the ratio does not exceed, each with `confidence`, for a check that must not raise false alarms.
 *
 * @param confidence 0.99 for one case; with many, `1 - 0.01 / many` (Bonferroni)
 * @returns `null` if no round has both values, or only one round has: it says nothing about the next
 */
export function estimateBounds(
  figure: Processes,
  reference: Processes,
  confidence: number,
): [low: number, high: number] | null {
  const logs = getLogRatios(figure, reference)
  if (logs.flat().length < 2) return null
  const drawn = resample(logs, medianOfMedians)
  return [Math.exp(quantile(drawn, 1 - confidence)), Math.exp(quantile(drawn, confidence))]
}

/** Takes the rounds that both have, and in which neither value is zero. */
function getLogRatios(figure: Processes, reference: Processes): number[][] {
  return figure
    .map((rounds, process) =>
      rounds.flatMap((value, round) => {
        const base = reference[process]?.[round]
        return base !== undefined && base > 0 && value > 0 ? [Math.log(value / base)] : []
      }),
    )
    .filter(rounds => rounds.length > 0)
}

/** So many that quantiles of 99.9 % lie between drawn values. */
const DRAWS = 2000

/** Constant, so that an interval is reproducible. */
const SEED = 0.5

/**
 * The bootstrap in two steps, as the data were made: draws processes with replacement, and rounds within each. It assumes no
 * distribution, and drops no value. (Kalibera and Jones, Rigorous Benchmarking in Reasonable Time, 2013.)
 *
 * @param processes one list for each process, none of them empty
 * @returns the statistic of each draw, ascending
 */
function resample(processes: readonly number[][], statistic: (processes: number[][]) => number): Float64Array {
  const below = randomInt.source(randomLcg(SEED))
  const draw = <T>(from: readonly T[]): T[] => {
    const at = below(from.length)
    return from.map(() => from[at()]!)
  }
  return Float64Array.from({ length: DRAWS }, () => statistic(draw(processes).map(draw))).sort()
}
