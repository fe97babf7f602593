// How far a run is: one line that is written again and again on a terminal, and a line for each scenario where there is
// none. It goes to stderr, so that stdout carries results alone.
import { createLogUpdate } from 'log-update'
import type { Colors } from 'picocolors/types.js'
import type { Output } from './output.js'
import { getBudgetMs, expectedMs, getRounds, totalMs, type Plan } from '../run/plan.js'
import { count } from '../report/format.js'
import { runningRatio } from '../report/running.js'
import type { Cell, Outcome, Watcher } from '../run/run.js'
import type { Scenario } from '../model/scenario.js'

export interface Progress extends Watcher {
  /** Takes the live lines away, before something else is printed. */
  clear(): void
}

const BAR_LENGTH = 20

/** Between two looks at the ratios: each takes a moment, in which nothing is measured. */
const LOOK_MS = 700

/** Fractions of the expected time, and how much of it is left. */
function createClock(
  scenarios: readonly Scenario[],
  plan: Plan,
): (outcome: Outcome, slots: number) => [number, number] {
  const total = totalMs(plan, scenarios)
  const budget = getBudgetMs(plan, scenarios)
  const start = performance.now()
  return ({ scenario, cells }, slots) => {
    const before = totalMs(plan, scenarios.slice(0, scenarios.indexOf(scenario)))
    // A warm-up counts as one round of each process.
    const all = cells.length * plan.processes * (getRounds(plan, scenario) + 1)
    const done = Math.min(1, (before + expectedMs(plan, scenario) * Math.min(1, slots / all)) / total)
    const elapsed = performance.now() - start
    const left = Math.min(budget - elapsed, done === 0 ? Infinity : (elapsed / done) * (1 - done))
    return [done, Math.max(0, left)]
  }
}

/** As the output can take it. */
export const createProgress = ({ live, screen, tell }: Output, scenarios: readonly Scenario[], plan: Plan): Progress =>
  live ? liveProgress(scenarios, plan, process.stderr, screen.colors) : plainProgress(tell)

/** Two lines: how far, and what the arm that has its turn gave until now. */
function liveProgress(
  scenarios: readonly Scenario[],
  plan: Plan,
  stream: NodeJS.WriteStream,
  colors: Colors,
): Progress {
  const write = createLogUpdate(stream)
  const clock = createClock(scenarios, plan)
  let slots = 0
  let looked = 0
  let ratio = ''
  const draw = (outcome: Outcome, ...words: string[]): void => {
    const [done, left] = clock(outcome, slots)
    const filled = Math.round(done * BAR_LENGTH)
    const bar = colors.cyan('━'.repeat(filled)) + colors.dim('╌'.repeat(BAR_LENGTH - filled))
    const percent = `${Math.round(done * 100)} %`.padStart(5)
    const room = stream.columns - BAR_LENGTH - percent.length - 22
    const time = colors.dim(`${Math.ceil(left / 1000)} s left`)
    write(` ${bar} ${percent}  ${fit([outcome.scenario.title, ...words], room)}  ${time}\n ${colors.dim(ratio)}`)
  }
  const look = (outcome: Outcome, cell: Cell): void => {
    if (performance.now() - looked < LOOK_MS) return
    ratio = fit(runningRatio(outcome, cell), stream.columns - 2)
    looked = performance.now()
  }
  return {
    scenario: outcome => {
      slots = 0
      ratio = ''
      draw(outcome, 'starting threads')
    },
    slot: (outcome, cell, round) => {
      slots++
      look(outcome, cell)
      const rounds = getRounds(plan, outcome.scenario) * plan.processes
      draw(outcome, cell.inCase.title, round === 0 ? 'warm-up' : `round ${round} of ${rounds}`, cell.arm.title)
    },
    done: () => {},
    clear: () => write.clear(),
  }
}

/** As many of the words as there is room for. */
function fit(words: readonly string[], room: number): string {
  let line = ''
  for (const word of words) {
    const longer = line === '' ? word : `${line} · ${word}`
    if (longer.length > room) break
    line = longer
  }
  return line
}

function plainProgress(print: (line: string) => void): Progress {
  let start = 0
  return {
    scenario: ({ scenario: { title, cases, arms } }) => {
      start = performance.now()
      print(`${title}: ${count(cases.length, 'case')}, ${count(arms.length, 'arm')} …`)
    },
    slot: () => {},
    done: ({ scenario: { title }, cells }) => {
      const seconds = (performance.now() - start) / 1000
      const rounds = Math.max(...cells.map(({ processes }) => processes.flat().length))
      print(`${title}: ${count(rounds, 'round')} in ${seconds.toFixed(1)} s`)
    },
    clear: () => {},
  }
}
