// A run as any other, with its progress; what comes of it is not a report but a comparison.
import type { Launch } from '../run/run.js'
import type { Options } from '../command/options.js'
import type { Output } from '../command/output.js'
import { createProgress } from '../command/progress.js'
import { run, type Outcome } from '../run/run.js'
import type { Scenario } from '../model/scenario.js'
import { suspectsOf, type Judged } from './judge.js'

export interface Measuring {
  options: Pick<Options, 'plan'>
  output: Output
  signal: AbortSignal
}

export function measureAll(
  { options: { plan }, output, signal }: Measuring,
  scenarios: readonly Scenario[],
  launch: Launch,
): Promise<Outcome[]> {
  const progress = createProgress(output, scenarios, plan)
  return run(scenarios, plan, progress, signal, launch).finally(progress.clear)
}

/** A fresh repeat of those that looked slower; empty where none did. */
export async function judgeSuspectsAgain(
  { output }: Measuring,
  first: readonly Judged[],
  judgeAgain: (suspects: readonly string[]) => Promise<readonly Judged[]>,
): Promise<Judged[]> {
  const suspects = suspectsOf(first).map(({ figure }) => figure)
  if (suspects.length === 0) return []
  output.tell(`Slower at first, and so measured once more: ${suspects.join(' ')}`)
  return (await judgeAgain(suspects)).filter(({ figure }) => suspects.includes(figure))
}
