// A report of the real scenarios with made-up figures, so that what is drawn can be compared.
import { usualCall } from '../src/model/payloads.js'
import { AGAIN, type FigureKind, type Measurement, type Scenario } from '../src/model/scenario.js'
import { buildReport } from '../src/report/build.js'
import type { Report } from '../src/report/report.js'
import type { Cell, Outcome, Plan } from '../src/run/run.js'
import { allScenarios } from '../src/scenarios/index.js'

/** The scenarios that a full run measures. */
export const mainScenarios = (): Scenario[] => allScenarios().filter(({ from }) => from)

export const getScenario = (id: string): Scenario => allScenarios().find(scenario => scenario.id === id)!

const machine: Report['machine'] = {
  cpu: 'Sample CPU 3.0 GHz',
  cores: 4,
  memoryBytes: 8 * 1024 ** 3,
  platform: 'linux',
  release: '6.1.0',
  arch: 'x64',
  node: 'v20.20.2',
  loadBefore: 0.25,
  loadAfter: 1.5,
}

const plan: Plan = { mode: 'quick', processes: 1, discarded: 0, rounds: 2, slotMs: 100, budgetMs: 50_000 }

/** The time of each arm, as a multiple of the reference's. */
const FACTORS: Record<string, number> = {
  'port-json': 1.25,
  'ring-json': 0.5,
  'ring-msgpack': 0.25,
  'ring-bytes': 0.25,
  'hook-ring-msgpack': 1,
  'isolation-ring-msgpack': 1.5,
  'hook-ring-json': 2,
  'isolation-ring-json': 2.5,
  second: 1.5,
}

/** Returns numbers between -1 and 1 that look random and are the same each time. */
function randomNumbers(): () => number {
  let seed = 7
  return () => (seed = (seed * 16807) % 2147483647) / 1073741823.5 - 1
}

/** Makes three processes of three rounds, with each figure off by up to a tenth. */
const addNoise = (outcomes: Outcome[]): Outcome[] => {
  const random = randomNumbers()
  for (const cell of outcomes.flatMap(({ cells }) => cells)) {
    const [round] = cell.processes[0]!
    const noisy = (size: number): Measurement =>
      Object.fromEntries(Object.entries(round!).map(([id, value]) => [id, value * (size + 0.05 * random())]))
    cell.processes = Array.from({ length: 3 }, () => {
      const size = 1 + 0.05 * random()
      return Array.from({ length: 3 }, () => noisy(size))
    })
  }
  return outcomes
}

/** A report with intervals, some of them wide and some narrow. */
export const noisySample = (scenarios?: readonly Scenario[]): Report => sampleReport(addNoise, scenarios)

/** Returns the report as if identical arms differed by at least 30 % in these cases. @param cases - by default all */
export function tooNoisy(report: Report, cases?: string): Report {
  for (const { id, results } of report.scenarios.flatMap(scenario => scenario.cases))
    for (const { figures } of results.filter(({ arm }) => arm.endsWith(AGAIN) && (cases ?? id) === id))
      for (const figure of figures) figure.interval = [1.3, 1.6]
  return report
}

function toOutcome(scenario: Scenario): Outcome {
  const cells = scenario.cases.flatMap(inCase =>
    scenario.arms.map((arm): Cell => {
      const factor = FACTORS[arm.id.replace(AGAIN, '')] ?? 1
      const inFlight = inCase.task.inFlight ?? 1
      const time = 40 * factor
      const known: Measurement = {
        cpu: arm.id === 'ring-bytes' ? 0.2 : factor,
        seal: factor,
        open: factor,
        pss: 2 ** 23 * factor,
        things: 10 / factor,
        seldom: 5 * time,
        ready: 1000 * time,
        import: 1000 * time,
        first: 2 * time,
        bytes: 100 * time,
        end: 1000 * time,
        rate: (inFlight * 1e6) / time,
      }
      const round = Object.fromEntries(inCase.figures.map(({ id }) => [id, known[id] ?? time]))
      const next = 'p50' in round ? { ...round, p50: time + 10 } : round
      return { inCase, arm, processes: [[round, next, round, next, round, next]] }
    }),
  )
  return { scenario, cells }
}

const unchanged = (outcomes: Outcome[]): Outcome[] => outcomes

/** Intervals take their time: a report that several tests want is made once, and copied. */
const made = new Map<string, Report>()

export function sampleReport(
  change: (outcomes: Outcome[]) => Outcome[] = unchanged,
  scenarios: readonly Scenario[] = mainScenarios(),
): Report {
  const build = (): Report =>
    buildReport(change(scenarios.map(toOutcome)), {
      tool: { name: '@sallyport/bench', version: '1.2.3' },
      plan,
      filter: null,
      startedAt: new Date('2026-01-02T03:04:05Z'),
      seconds: 42.4,
      machine,
    })
  if (change !== unchanged && change !== addNoise) return build()
  const key = [change.name, ...scenarios.map(({ id }) => id)].join(' ')
  const report = made.get(key) ?? build()
  made.set(key, report)
  return structuredClone(report)
}

const things: FigureKind = { id: 'things', title: 'things', unit: '', better: 'higher' }

/** A scenario as a user can write one: ids that no report knows, and titles with anything in them. */
export const hostileScenario: Scenario = {
  id: 'my-own',
  title: 'A custom <img src=x onerror=alert(1)>',
  about: 'things & "more" of them </script>',
  arms: [
    { id: 'first', title: '<b>first</b>', open: () => Promise.reject(new Error('made up')) },
    { id: 'second', title: 'second | `third`', open: () => Promise.reject(new Error('made up')) },
  ],
  cases: [{ id: 'a-case', title: 'a case', task: { loop: 'calls' }, payload: usualCall, figures: [things] }],
  rows: 'cases',
}

/** Lets one arm fail in one scenario. */
export const withFailure =
  (scenarioId: string, armId: string, message: string) =>
  (outcomes: Outcome[]): Outcome[] => {
    for (const { scenario, cells } of outcomes) {
      if (scenario.id !== scenarioId) continue
      for (const cell of cells) if (cell.arm.id === armId) cell.error = new Error(message)
    }
    return outcomes
  }
