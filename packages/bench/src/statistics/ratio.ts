// Ratios to the reference in each round: a machine that becomes faster or slower changes both. Processes differ in memory layout and
// compilation: the median of each counts once.
import { randomInt, randomLcg } from 'd3-random'
import { medianOfMedians, quantile } from './median.js'

/** One list for each fresh process, with one value for each round. */
export type Processes = readonly (readonly number[])[]

export interface Estimate {
  /** figure ÷ reference: the median of the processes' medians, of logarithms. */
  ratio: number
  /** Percentiles of a bootstrap by process and round. */
  interval: [low: number, high: number]
}

export interface Difference {
  /** figure − before: the median of the processes' medians. */
  difference: number
  interval: [low: number, high: number]
}

/**
 * @param confidence - for each end of the interval. With 0.975, the interval has 95 %. For several checks, `1 - 0.01 / count` (Bonferroni).
 * @returns `null` if no round has two values above zero
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

/** Returns the median of the rounds' differences, with its 95 % interval; `null` if no round has two values. */
export function estimateDifference(figure: Processes, before: Processes): Difference | null {
  const differences = figure.map((rounds, process) =>
    rounds.map((value, round) => value - (before[process]?.[round] ?? NaN)).filter(value => !Number.isNaN(value)),
  )
  if (differences.flat().length === 0) return null
  const drawn = resample(
    differences.filter(rounds => rounds.length > 0),
    medianOfMedians,
  )
  return { difference: medianOfMedians(differences), interval: [quantile(drawn, 0.025), quantile(drawn, 0.975)] }
}

/** Leaves out rounds without two values above zero. */
function getLogRatios(figure: Processes, reference: Processes): number[][] {
  const logs = figure.map((rounds, process) =>
    rounds.flatMap((value, round) => {
      const base = reference[process]?.[round] ?? 0
      return base > 0 && value > 0 ? [Math.log(value / base)] : []
    }),
  )
  return logs.filter(rounds => rounds.length > 0)
}

/** Enough for quantiles of 99.9 %. */
const DRAWS = 2000

/** Constant, so that an interval is reproducible. */
const SEED = 0.5

/**
 * Draws processes with replacement, and rounds within each (Kalibera and Jones, Rigorous Benchmarking in Reasonable Time, 2013).
 *
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
