// What an arm gave until now, while the run goes on.
import type { Cell, Outcome } from '../run/run.js'
import { estimateRatio } from '../statistics/ratio.js'
import { formatRatio } from './format.js'

/** In words, the most telling ones first; none for the reference, and none before the first round. */
export function runningRatio({ scenario, cells }: Outcome, { inCase, arm, processes }: Cell): string[] {
  const [kind] = inCase.figures
  const reference = cells.find(cell => cell.inCase === inCase && cell.arm === scenario.arms[0])
  if (!kind || !reference || arm === reference.arm) return []
  const valuesOf = (of: Cell['processes']): number[][] => of.map(rounds => rounds.map(figures => figures[kind.id] ?? 0))
  const estimate = estimateRatio(valuesOf(processes), valuesOf(reference.processes))
  if (!estimate) return []
  const [low, high] = estimate.interval.map(formatRatio)
  const between = low === high ? [] : [`${low} to ${high}`]
  return [`${arm.title}: ${formatRatio(estimate.ratio)}`, ...between, `${inCase.title}, ${kind.title}`]
}
