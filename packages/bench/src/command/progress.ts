// What a run shows while it measures.
import { createInterruptSignal, createProgress, type Output } from '@sallyport/compare/internal/output'
import { count } from '@sallyport/compare/internal/text'
import type { Scenario } from '../model/scenario.js'
import { getRounds, type Launch, type Outcome, type Plan, run, totalMs, type Watcher } from '../run/run.js'

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

  const draw = ({ scenario }: Outcome, ...words: string[]): void => {
    const left = Math.ceil((totalMs(plan, scenarios) - (performance.now() - start)) / 1000)
    // A late scenario takes longer than estimated: the count does not end at 0.
    const time = left > 5 ? `${left} s left` : 'a few more seconds'
    show([time, scenario.title, ...words].join(' · '))
  }
  const watcher: Watcher = {
    scenario: outcome => {
      const { title, cases, arms } = outcome.scenario
      began = performance.now()
      if (live) draw(outcome, 'starting threads')
      else log(`${title}: ${count(cases.length, 'case')}, ${count(arms.length, 'arm')} …`)
    },
    slot: (outcome, { inCase, arm }, round) => {
      const rounds = getRounds(plan, outcome.scenario) * plan.processes
      const measured = round > rounds ? `round ${round}` : `round ${round} of ${rounds}`
      if (live) draw(outcome, round < 1 ? 'warm-up' : measured, inCase.title, arm.title)
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
