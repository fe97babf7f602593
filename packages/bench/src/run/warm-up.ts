// How long an arm works before its rounds: until three measurements in a row agree, and no shorter than a while, because code
// that is not compiled yet can be steady too.
import { type Plan, slotOf, warmUpOf } from './plan.js'
import type { Case, Scenario } from '../scenario.js'
import type { Measurement, Task } from '../task.js'

/** Three medians agree when the highest is at most a tenth above the lowest. */
const AGREE = 1.1
const IN_A_ROW = 3

/** From half of the plan's time on they may end it; after twice that time nobody waits for them any more. */
const SHORTEST = 0.5
const LONGEST = 2

/** Measures again and again, and discards what came out. */
export async function warmUp(
  plan: Plan,
  scenario: Scenario,
  inCase: Case,
  measure: (task: Task) => Promise<Measurement>,
): Promise<void> {
  const usual = warmUpOf(plan, scenario)
  const ms = Math.min(slotOf(plan, scenario), usual)
  if (usual === 0) return
  const start = performance.now()
  const all: number[] = []
  for (;;) {
    const figures = await measure({ ...(inCase.warmUp ?? inCase.task), ms })
    all.push(steadyFigure(inCase, figures))
    const took = Math.max(performance.now() - start, all.length * ms)
    if (took >= usual * LONGEST) return
    if (took >= usual * SHORTEST && agree(all.slice(-IN_A_ROW))) return
  }
}

/** The first figure of the case; where the warm-up is another task, whatever it measures. */
const steadyFigure = ({ figures }: Case, measured: Measurement): number =>
  measured[figures[0]?.id ?? ''] ?? Object.values(measured)[0] ?? 0

const agree = (values: readonly number[]): boolean =>
  values.length === IN_A_ROW && Math.max(...values) <= Math.min(...values) * AGREE
