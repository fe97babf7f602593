// Whether a figure moved within a run.
import { median } from './median.js'
import type { Processes } from './estimate.js'

/** Limit of the factor between two halves of a run. */
const MOVED_LIMIT = 1.5

/**
 * Returns the factor between the halves of a run, or 1 if they overlap. Halves are apart when every round of one is beyond every round of the
 * other by the limit. A few slow rounds do not count, because medians leave them out.
 */
export function getMovement(processes: Processes): number {
  const rounds = processes.flat()
  const middle = Math.floor(rounds.length / 2)
  if (middle < 2) return 1
  const halves = [rounds.slice(0, middle), rounds.slice(-middle)]
  const [low, high] = halves.toSorted((a, b) => median(a) - median(b)) as [number[], number[]]
  const isApart = Math.min(...high) > Math.max(...low) * MOVED_LIMIT
  return isApart && Math.max(...low) > 0 ? median(high) / median(low) : 1
}
