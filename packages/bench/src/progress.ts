// How far a run is: one line that is written again and again on a terminal, and a line for each scenario where there is
// none. It goes to stderr, so that stdout carries results alone.
import { createLogUpdate } from 'log-update'
import type { Colors } from 'picocolors/types.js'
import { budgetOf, expectedMs, roundsOf, settleOf, slotOf, warmUpOf, type Plan } from './plan.js'
import type { Watcher } from './run.js'
import type { Scenario } from './scenario.js'

export interface Progress extends Watcher {
  /** Takes the live line away, before something else is printed. */
  clear(): void
}

const BAR_LENGTH = 20

/** Fractions of the expected time, and how much of it is left. */
function createClock(
  scenarios: readonly Scenario[],
  plan: Plan,
): { reach(scenario: Scenario, ms: number): [number, number] } {
  const expected = scenarios.map(one => expectedMs(plan, one))
  const total = expected.reduce((sum, ms) => sum + ms, 0)
  const budget = budgetOf(plan, scenarios)
  const start = performance.now()
  return {
    reach: (scenario, ms) => {
      const at = scenarios.indexOf(scenario)
      const before = expected.slice(0, at).reduce((sum, one) => sum + one, 0)
      const done = Math.min(1, (before + Math.min(ms, expected[at] ?? 0)) / total)
      const elapsed = performance.now() - start
      const left = Math.min(budget - elapsed, done === 0 ? Infinity : (elapsed / done) * (1 - done))
      return [done, Math.max(0, left)]
    },
  }
}

export function liveProgress(
  scenarios: readonly Scenario[],
  plan: Plan,
  stream: NodeJS.WriteStream,
  colors: Colors,
): Progress {
  const write = createLogUpdate(stream)
  const clock = createClock(scenarios, plan)
  let ms = 0
  const draw = (scenario: Scenario, ...words: string[]): void => {
    const [done, left] = clock.reach(scenario, ms)
    const filled = Math.round(done * BAR_LENGTH)
    const bar = colors.cyan('━'.repeat(filled)) + colors.dim('╌'.repeat(BAR_LENGTH - filled))
    const percent = `${Math.round(done * 100)} %`.padStart(5)
    const time = `${Math.ceil(left / 1000)} s left`
    const room = stream.columns - BAR_LENGTH - percent.length - time.length - 8
    write(` ${bar} ${percent}  ${fit(words, room)}  ${colors.dim(time)}`)
  }
  return {
    scenario: scenario => {
      ms = 0
      draw(scenario, scenario.title, 'starting threads')
    },
    slot: (scenario, { arm }, round) => {
      const name = round === 0 ? 'warm-up' : `round ${round} of ${roundsOf(plan, scenario)}`
      draw(scenario, scenario.title, name, arm.title)
      ms += round === 0 ? warmUpOf(plan, scenario) : slotOf(plan, scenario) + settleOf(plan, scenario)
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

const count = (many: number, word: string): string => `${many} ${word}${many === 1 ? '' : 's'}`

export function plainProgress(print: (line: string) => void): Progress {
  let start = 0
  return {
    scenario: ({ title, cases, arms }) => {
      start = performance.now()
      print(`${title}: ${count(cases.length, 'case')}, ${count(arms.length, 'arm')} …`)
    },
    slot: () => {},
    done: ({ scenario: { title } }, rounds) => {
      const seconds = (performance.now() - start) / 1000
      print(`${title}: ${count(rounds, 'round')} in ${seconds.toFixed(1)} s`)
    },
    clear: () => {},
  }
}
