// Ratios to the reference in each round: a machine that becomes faster or slower changes both. Processes differ in memory layout and
// compilation: the median of each counts once.
import { randomInt, randomLcg } from 'd3-random'
import { getSpread, medianOfMedians, quantile } from './median.js'

/** One list for each fresh process, with one value for each round. */
export type Processes = readonly (readonly number[])[]

type Range = [low: number, high: number]

interface Difference {
  /** figure − before: the median of the processes' medians. */
  difference: number
  /** Percentiles of a bootstrap by process and round. */
  interval: Range
  /** Eight of ten rounds. */
  spread: Range
}

interface Ratio {
  /** figure ÷ reference: the median of the processes' medians, of logarithms. */
  ratio: number
  interval: Range
  spread: Range
}

/**
 * @param confidence - for each end of the interval. With 0.975, the interval has 95 %. For several checks, `1 - 0.01 / count` (Bonferroni).
 * @returns `null` if no round has two values above zero
 */
export function estimateRatio(figure: Processes, reference: Processes, confidence = 0.975): Ratio | null {
  const logs = estimateDifference(toLogs(figure), toLogs(reference), confidence)
  if (!logs) return null
  const toRatios = ([low, high]: Range): Range => [Math.exp(low), Math.exp(high)]
  return { ratio: Math.exp(logs.difference), interval: toRatios(logs.interval), spread: toRatios(logs.spread) }
}

const toLogs = (processes: Processes): number[][] =>
  processes.map(rounds => rounds.map(value => (value > 0 ? Math.log(value) : NaN)))

/** Estimates the difference within rounds; `null` if no round has two values. */
export function estimateDifference(figure: Processes, before: Processes, confidence = 0.975): Difference | null {
  const differences = figure
    .map((rounds, process) => rounds.map((value, round) => value - (before[process]?.[round] ?? NaN)))
    .map(rounds => rounds.filter(value => !Number.isNaN(value)))
    .filter(rounds => rounds.length > 0)
  if (differences.length === 0) return null
  const drawn = resample(differences)
  return {
    difference: medianOfMedians(differences),
    interval: [quantile(drawn, 1 - confidence), quantile(drawn, confidence)],
    spread: getSpread(differences),
  }
}

/** Enough for quantiles of 99.9 %. */
const DRAWS = 2000

/** Constant, so that an interval is reproducible. */
const SEED = 0.5

/**
 * Draws processes with replacement, and rounds within each (Kalibera and Jones, Rigorous Benchmarking in Reasonable Time, 2013).
 *
 * @returns the median of the processes' medians of each draw, ascending
 */
function resample(processes: Processes): Float64Array {
  const below = randomInt.source(randomLcg(SEED))
  const draw = <T>(from: readonly T[]): T[] => {
    const at = below(from.length)
    return from.map(() => from[at()]!)
  }
  return Float64Array.from({ length: DRAWS }, () => medianOfMedians(draw(processes).map(draw))).sort()
}
