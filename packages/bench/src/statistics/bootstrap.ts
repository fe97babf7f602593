// The bootstrap in two steps, as the data came: processes are drawn with replacement, and rounds within each. No distribution
// is assumed, and nothing is left out. (Kalibera and Jones, Rigorous Benchmarking in Reasonable Time, 2013.)
import { randomInt, randomLcg } from 'd3-random'

/** So that quantiles of 99.9 % lie between drawn values. */
const DRAWS = 2000

/** The same data give the same interval. */
const SEED = 0.5

/**
 * What `statistic` gives for data drawn again and again from these.
 *
 * @param processes one list for each process, none of them empty
 * @returns ascending
 */
export function resample(processes: readonly number[][], statistic: (processes: number[][]) => number): Float64Array {
  const below = randomInt.source(randomLcg(SEED))
  const draw = <T>(from: readonly T[]): T[] => {
    const at = below(from.length)
    return from.map(() => from[at()]!)
  }
  return Float64Array.from({ length: DRAWS }, () => statistic(draw(processes).map(draw))).sort()
}
