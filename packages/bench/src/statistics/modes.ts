// Whether the rounds of a figure have two levels: a thread that polls answers within microseconds, and one that sleeps has to be woken.
import { median } from './median.js'
import type { Processes } from './estimate.js'

/** Limit of the factor between two neighbouring rounds. To wake a thread takes three to five times as long as to poll. */
const MODES_LIMIT = 2

/** Fewer rounds do not show two levels. */
const ENOUGH = 4

/** The least part of the rounds that is a level. A smaller part consists of outliers. */
const LEAST_PART = 1 / 8

/** Returns the medians of the two levels, if a gap divides the rounds; otherwise `undefined`. */
export function getModes(processes: Processes): [low: number, high: number] | undefined {
  const rounds = processes.flat().toSorted((a, b) => a - b)
  if (rounds.length < ENOUGH) return undefined
  const least = Math.ceil(rounds.length * LEAST_PART)
  const splits = rounds.flatMap((value, at) => {
    const below = rounds[at - 1] ?? 0
    return below > 0 && at >= least && rounds.length - at >= least ? [{ at, factor: value / below }] : []
  })
  const widest = splits.toSorted((a, b) => b.factor - a.factor)[0]
  if (!widest || widest.factor <= MODES_LIMIT) return undefined
  return [median(rounds.slice(0, widest.at)), median(rounds.slice(widest.at))]
}
