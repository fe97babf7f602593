// What a run shows while it measures.
import { createInterruptSignal, createProgress, type Output } from '#measure/output'
import { count } from '#measure/text'
import type { Scenario } from '../model/scenario.js'
import { getBudgetMs, type Launch, type Outcome, type Plan, run, type Watcher } from '../run/run.js'

export async function runWithProgress(
  output: Output,
  scenarios: readonly Scenario[],
  plan: Plan,
  launch: Launch,
): Promise<Outcome[]> {
  const { live, log } = output
  const show = createProgress(output)
  const start = performance.now()
  let began = start

  const end = start + getBudgetMs(plan, scenarios)

  const draw = ({ scenario }: Outcome, what: string, ...words: string[]): void => {
    const left = Math.ceil((end - performance.now()) / 1000)
    const time = left >= 0 ? `${left} s left` : `${-left} s over time, for the least of rounds`
    show([time, `${scenario.id}: ${what}`, ...words].join(' · '))
  }
  const watcher: Watcher = {
    scenario: outcome => {
      const { title, cases, arms } = outcome.scenario
      began = performance.now()
      if (live) draw(outcome, 'starting threads')
      else log(`${title}: ${count(cases.length, 'case')}, ${count(arms.length, 'arm')} …`)
    },
    slot: (outcome, { inCase, arm, processes }, round) => {
      if (!live) return
      const measured = round < 1 ? 'warm-up' : `round ${round}`
      draw(outcome, inCase.title, `${measured}, process ${processes.length} of ${plan.processes}`, arm.title)
    },
    done: outcome => {
      const rounds = Math.max(...outcome.cells.map(({ processes }) => processes.flat().length))
      const seconds = ((performance.now() - began) / 1000).toFixed(1)
      show('')
      if (!live) log(`${outcome.scenario.title}: ${count(rounds, 'round')} in ${seconds} s`)
    },
  }
  return run(scenarios, plan, watcher, createInterruptSignal(), launch).finally(() => show(''))
}
