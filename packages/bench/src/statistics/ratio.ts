// Ratios to the reference, round by round: a machine that changes its speed between rounds changes both, and leaves the ratio alone.
// Processes differ too, in where their memory lies and what was compiled when: each has a median of its own, and counts once.
import { randomInt, randomLcg } from 'd3-random'
import { medianOfMedians, quantile } from './median.js'

/** One list for each fresh process, with one value for each round. */
export type Processes = readonly (readonly number[])[]

export interface Estimate {
  /** figure ÷ reference: the median over processes of the median over rounds, of logarithms. */
  ratio: number
  /** Contains the ratio, by default with 95 % confidence: bootstrap by process and round, percentiles. */
  interval: [low: number, high: number]
}

/**
 * @param confidence with which the ratio does not exceed one end of the interval: 0.975 for both together to hold 95 %; for a check
 *   that must not raise false alarms `1 - 0.01 / many` (Bonferroni)
 * @returns `null` if no round has both values, or one of them is zero
 */
export function estimateRatio(figure: Processes, reference: Processes, confidence = 0.975): Estimate | null {
  const logs = getLogRatios(figure, reference)
  if (logs.length === 0) return null
  const drawn = resample(logs, medianOfMedians)
  return {
    ratio: Math.exp(medianOfMedians(logs)),
    interval: [Math.exp(quantile(drawn, 1 - confidence)), Math.exp(quantile(drawn, confidence))],
  }
}

/** Takes the rounds that both have, and in which neither value is zero. */
function getLogRatios(figure: Processes, reference: Processes): number[][] {
  const logs = figure.map((rounds, process) =>
    rounds.flatMap((value, round) => {
      const base = reference[process]?.[round] ?? 0
      return base > 0 && value > 0 ? [Math.log(value / base)] : []
    }),
  )
  return logs.filter(rounds => rounds.length > 0)
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
