// A report of the real scenarios with figures that were made up, so that what is drawn can be compared.
import type { Plan } from '../src/plan.js'
import { buildReport } from '../src/report/build.js'
import type { Machine, Report } from '../src/report/report.js'
import type { Cell, Outcome } from '../src/run.js'
import type { Scenario } from '../src/scenario.js'
import { allScenarios } from '../src/scenarios/index.js'

const machine: Machine = {
  cpu: 'Sample CPU 3.0 GHz',
  cores: 4,
  memoryBytes: 8 * 1024 ** 3,
  platform: 'linux',
  release: '6.1.0',
  arch: 'x64',
  node: 'v20.20.2',
  busyBefore: 0.02,
  loadBefore: 0.25,
  loadAfter: 1.5,
}

const plan: Plan = { mode: 'quick', warmUpMs: 10, rounds: 2, slotMs: 100, budgetMs: 50_000 }

/** How much more than the reference each arm takes. */
const FACTORS: Record<string, number> = {
  'brownfield-json': 1.25,
  'brownfield-msgpack': 0.5,
  'pass-json': 1.75,
  'hook-json': 2,
  'isolation-json': 2.5,
  'isolation-msgpack': 2.25,
  'port-json': 1.25,
  'ring-json': 0.5,
  'ring-msgpack': 0.25,
}

function outcomeOf(scenario: Scenario): Outcome {
  const cells = scenario.cases.flatMap(inCase =>
    scenario.arms.map((arm): Cell => {
      const factor = FACTORS[arm.id] ?? 1
      const inFlight = inCase.task.inFlight ?? 1
      const time = 40 * factor
      const round = {
        p50: time,
        p99: 2 * time,
        time: 1000 * time,
        each: 2 * factor,
        cpu: factor,
        rss: 2 ** 23 * factor,
        rate: (inFlight * 1e6) / time,
      }
      return { inCase, arm, rounds: [round, { ...round, p50: time + 10 }] }
    }),
  )
  return { scenario, cells }
}

export function sampleReport(
  change: (outcomes: Outcome[]) => Outcome[] = outcomes => outcomes,
  scenarios: readonly Scenario[] = allScenarios(),
): Report {
  return buildReport(change(scenarios.map(outcomeOf)), {
    tool: { name: '@sallyport/bench', version: '1.2.3' },
    plan,
    filter: null,
    startedAt: new Date('2026-01-02T03:04:05Z'),
    seconds: 42.4,
    machine,
  })
}

/** One arm fails in one scenario. */
export const withFailure =
  (scenarioId: string, armId: string, message: string) =>
  (outcomes: Outcome[]): Outcome[] => {
    for (const { scenario, cells } of outcomes) {
      if (scenario.id !== scenarioId) continue
      for (const cell of cells) if (cell.arm.id === armId) cell.error = new Error(message)
    }
    return outcomes
  }
