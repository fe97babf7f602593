// What a person sees of a run: where it runs, a table for each scenario as soon as it is done, and the digest at the end.
import type { Output } from './output.js'
import type { Plan } from '../run/plan.js'
import type { Progress } from './progress.js'
import { scenarioReport } from '../report/build.js'
import { digestTable } from '../report/digest.js'
import { goalsTable } from '../report/goals.js'
import { describe, describeRun, notes } from '../report/notes.js'
import type { Machine, Report } from '../report/report.js'
import { carriedTable, failures, scenarioTable } from '../report/table.js'
import { drawCost, drawTable, wrap } from '../report/terminal.js'
import type { Watcher } from '../run/run.js'

export function showStart(
  tool: Report['tool'],
  machine: Machine,
  { screen, print }: Output,
  leftOut: readonly string[] = [],
): void {
  const { bold, dim } = screen.colors
  const lines = [describe(machine), ...leftOut].map(line => ` ${dim(line)}\n`)
  print(`\n ${bold('Sallyport bench')} ${tool.version}\n${lines.join('')}`)
}

/** Draws a scenario's table in place of the progress line. */
export const showScenario =
  (progress: Progress, plan: Plan, { screen, print }: Output): Watcher['done'] =>
  outcome => {
    progress.clear()
    progress.done(outcome)
    print(`${drawTable(scenarioTable(scenarioReport(outcome, plan)), screen)}\n`)
  }

export function showEnd(report: Report, written: readonly string[], { screen, print }: Output): void {
  const { dim, red } = screen.colors
  const digest = digestTable(report)
  const goals = goalsTable(report)
  const carried = carriedTable(report)
  const cost = report.isolationCost
  if (carried) print(`${drawTable(carried, screen)}\n`)
  if (cost.length > 0) print(`${drawCost(cost, screen)}\n`)
  if (digest) print(`${drawTable(digest, screen)}\n`)
  if (goals) print(`${drawTable(goals, screen)}\n`)
  const bullets = (lines: readonly string[], tint: (text: string) => string): void => {
    for (const line of lines.flatMap(note => wrap(note, screen.columns - 2))) print(` ${tint(line)}`)
  }
  bullets(
    failures(report).map(failure => `Failed: ${failure}`),
    red,
  )
  bullets([...notes(report), describeRun(report), `Written: ${written.join(' · ')}`], dim)
  print('')
}
