// From rounds to what they say. A round compares an arm with its reference, because a machine that becomes faster or slower changes both. A
// process has its own memory layout and compilation, so the median of each counts once. Then, in this order:
// 1. medians, which a few slow rounds hardly move
// 2. an estimate: the median ratio or difference, with a bootstrap interval by process and round, or the ratio of a part of the processes
// 3. a judgement: an estimate against a tolerance
import { mean, quantileSorted } from 'd3-array'
import { randomInt, randomLcg } from 'd3-random'

/**
 * Returns the order of a round, from 0. It alternates between forwards and backwards (A B C, C B A), so that a machine that becomes faster or slower
 * favours none. The first one changes every second time: its threads are on other cores than those of later ones.
 */
export function orderOf<T>(items: readonly T[], round: number): T[] {
  const first = Math.floor(round / 2) % items.length
  const rotated = [...items.slice(first), ...items.slice(0, first)]
  return round % 2 !== 0 ? rotated.toReversed() : rotated
}

/** One list for each fresh process, with one value for each round. */
export type Processes = readonly (readonly number[])[]

export type Range = readonly [low: number, high: number]

export const quantile = (sorted: ArrayLike<number>, share: number): number =>
  // Its types accept only arrays, but it reads only a length and elements.
  quantileSorted(sorted as number[], share) ?? NaN

const sort = (values: Iterable<number>): Float64Array => Float64Array.from(values).sort()

export const median = (values: Iterable<number>): number => quantile(sort(values), 0.5)

/** True if the highest of the last three values is at most a fifth above the lowest. */
export function isStationary(values: readonly number[]): boolean {
  const last = values.slice(-3)
  return last.length === 3 && Math.max(...last) <= Math.min(...last) * 1.2
}

export const medianOfMedians = (processes: Processes): number =>
  median(processes.filter(rounds => rounds.length > 0).map(median))

export function getSpread(processes: Processes): Range {
  const rounds = sort(processes.flat())
  return [quantile(rounds, 0.1), quantile(rounds, 0.9)]
}

interface Estimate {
  /** The median of the processes' medians. */
  value: number
  /** Percentiles of the bootstrap. Of fewer than `ENOUGH_ROUNDS` rounds it is no 95 % interval. */
  interval: Range
  /** Eight of ten rounds. */
  spread: Range
  rounds: number
}

/** All of five rounds lie on one side of the true median more often than one time in twenty: 2 × 0.5⁵. */
export const ENOUGH_ROUNDS = 6

/**
 * Estimates figure ÷ reference within rounds.
 *
 * @param confidence - for each end of the interval. With 0.975, the interval has 95 %. For several checks, `1 - 0.01 / count` (Bonferroni).
 * @returns `null` if no round has two values above zero
 */
export function estimateRatio(figure: Processes, reference: Processes, confidence = 0.975): Estimate | null {
  const logs = estimateDifference(toLogs(figure), toLogs(reference), confidence)
  if (!logs) return null
  return {
    ...{ value: Math.exp(logs.value), rounds: logs.rounds },
    ...{ interval: toRatios(logs.interval), spread: toRatios(logs.spread) },
  }
}

const toRatios = ([low, high]: Range): Range => [Math.exp(low), Math.exp(high)]

const toLogs = (processes: Processes): number[][] =>
  processes.map(rounds => rounds.map(value => (value > 0 ? Math.log(value) : NaN)))

/** Estimates figure − before within rounds; `null` if no round has two values. */
export function estimateDifference(figure: Processes, before: Processes, confidence = 0.975): Estimate | null {
  const differences = figure
    .map((rounds, process) => rounds.map((value, round) => value - (before[process]?.[round] ?? NaN)))
    .map(rounds => rounds.filter(value => !Number.isNaN(value)))
    .filter(rounds => rounds.length > 0)
  if (differences.length === 0) return null
  // Kalibera and Jones, Rigorous Benchmarking in Reasonable Time, 2013.
  return {
    value: medianOfMedians(differences),
    interval: bootstrap(draw => medianOfMedians(draw(differences).map(draw)), confidence),
    spread: getSpread(differences),
    rounds: differences.flat().length,
  }
}

/** Returns half the width of the ratio's interval, as a part of the ratio. */
export function getUncertainty(figure: Processes, reference: Processes): number {
  const estimate = estimateRatio(figure, reference)
  if (!estimate || estimate.rounds < ENOUGH_ROUNDS) return Infinity
  const [low, high] = estimate.interval
  return (high - low) / 2 / estimate.value
}

/** Enough for quantiles of 99.9 %. */
const DRAWS = 2000

/** Constant, so that an interval is reproducible. */
const SEED = 0.5

/** Draws with replacement. @returns the interval of what `estimate` makes of the drawn values */
function bootstrap(estimate: (draw: <T>(from: readonly T[]) => T[]) => number, confidence: number): Range {
  const below = randomInt.source(randomLcg(SEED))
  const draw = <T>(from: readonly T[]): T[] => {
    const at = below(from.length)
    return from.map(() => from[at()]!)
  }
  const drawn = Float64Array.from({ length: DRAWS }, () => estimate(draw)).sort()
  return [quantile(drawn, 1 - confidence), quantile(drawn, confidence)]
}

/**
 * Estimates figure ÷ references by the geometric means of the lowest processes of each (Chen and Revels, Robust Benchmarking in Noisy Environments, 2016).
 *
 * @param share - of the processes; below 0, of the highest
 * @returns `null` unless each process has values above zero
 */
export function estimatePart(
  all: readonly Processes[],
  share: number,
  confidence: number,
): Pick<Estimate, 'value' | 'interval'> | null {
  const sides = all.map(side => toLogs(side).map(median))
  const processes = [...all[0]!.keys()]
  if (sides.some(logs => logs.length !== processes.length || !logs.every(Number.isFinite))) return null
  const many = Math.round(processes.length * Math.abs(share))
  const part = share > 0 ? ([0, many] as const) : ([-many] as const)
  const estimate = (drawn: readonly number[]): number => {
    const [figure, ...references] = sides.map(logs => mean(sort(drawn.map(at => logs[at]!)).subarray(...part))!)
    return figure! - mean(references)!
  }
  const interval = bootstrap(draw => estimate(draw(processes)), confidence)
  return { value: Math.exp(estimate(processes)), interval: toRatios(interval) }
}

/** A factor above 1 is slower, or more. */
export interface Change {
  factor: number
  bounds: Range
}

/** `unclear`: neither, and twice the tolerance could not have been seen. */
export type Judgement = 'slower' | 'faster' | 'same' | 'unclear'

/** Multiple of the tolerance that has to be visible before a figure is called the same. */
const BLIND = 2

/** @param tolerance - a factor above 1 */
export function judgeChange(change: Change, tolerance: number): Judgement {
  if (change.bounds[0] > tolerance) return 'slower'
  if (change.bounds[1] < 1 / tolerance) return 'faster'
  return getDetectableFactor(change, tolerance) > 1 + BLIND * (tolerance - 1) ? 'unclear' : 'same'
}

export function getDetectableFactor({ factor, bounds: [low, high] }: Change, tolerance: number): number {
  const reported = (tolerance * factor) / low
  return low > tolerance ? reported : Math.max(reported, high)
}

/** Turns a ratio into a change for the worse: of a rate, less is worse. `null` without an interval. */
export function toChange(ratio: number | null, interval: Range | null, better: 'lower' | 'higher'): Change | null {
  if (ratio === null || interval === null) return null
  if (better === 'lower') return { factor: ratio, bounds: interval }
  return { factor: 1 / ratio, bounds: [1 / interval[1], 1 / interval[0]] }
}
