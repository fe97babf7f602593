// Measures head and base interleaved. The base, the head and the base again are three arms of one scenario, each in its own
// processes.
import { sum } from 'd3-array'
import { dirname, join } from 'node:path'
import { type Arm, type Case, type FigureKind, NOISE, type Scenario } from '../model/scenario.js'
import type { CompareOptions } from '../command/options.js'
import { launchFresh } from '../run/fresh-process.js'
import type { Launch, Launched, Outcome } from '../run/run.js'
import { allScenarios } from '../scenarios/index.js'
import { createNothingFound, parseFilter, select } from '../scenarios/select.js'
import { makeHarness, type Base } from './checkout.js'
import { getMinProcesses, type Rule, type Sides } from './judge.js'

export type Side = 'base' | 'head' | 'again'

export const SIDES: readonly [Side, ...Side[]] = ['base', 'head', 'again']

/**
 * Multiples of the plan's lengths. One garbage collection would dominate a shorter slot. No round is left out, because each order of the
 * sides is needed.
 */
const LENGTHS = { roundsShare: 1, share: 3, warmUpShare: 1 } as const
const MAX_SETTLE_SHARE = 1

/** Runs scenarios, and passes the outcome of each to `done`. */
type RunAll = (all: readonly Scenario[], launch: Launch, done: (outcome: Outcome) => void) => Promise<unknown>

/** A way to measure both sides. */
export interface Method {
  rule: Rule
  notes: string[]
  /** Measures all figures or only some, and reports each scenario when it is measured. */
  measure(report: (measured: readonly Sides[]) => void, figures?: readonly string[]): Promise<Sides[]>
}

export function compareInterleaved(
  base: Base,
  { filter, plan, tolerance }: CompareOptions,
  temporary: string,
  runAll: RunAll,
): Method {
  const chosen = chooseForComparison(filter)
  const head = makeHarness(join(temporary, 'head-bench'))
  const other = makeHarness(join(temporary, 'base-bench'), base.root)
  const launchSide = (side: Side): Promise<Launched> => launchFresh(side === 'head' ? head : other)
  const countFigures = ({ figures }: Case): number => figures.filter(isComparable).length
  const rule = { tolerance, figures: sum(chosen, ({ arms, cases }) => arms.length * sum(cases, countFigures)) }
  return {
    rule,
    measure: async (report, figures) => {
      const paths = new Set(figures?.map(dirname))
      const again = chosen.flatMap(scenario =>
        scenario.arms.flatMap(arm => select([{ ...scenario, arms: [arm] }], path => paths.has(path), false)),
      )
      const sides = splitSides(figures ? again : chosen, launchSide)
      const all: Sides[] = []
      await runAll(sides.scenarios, sides.launch, outcome => {
        const measured = sides.read([outcome])
        all.push(...measured)
        report(measured)
      })
      return figures ? all.filter(({ figure }) => figures.includes(figure)) : all
    },
    notes: getTooFew(rule, plan.processes),
  }
}

/** Returns a note if all processes agree by chance more often than the confidence allows. */
export function getTooFew(rule: Rule, processes: number): string[] {
  const min = getMinProcesses(rule)
  const note = `${processes} processes are too few for the confidence of these bounds. Use --processes ${min}.`
  return processes < min ? [note] : []
}

export interface SplitSides {
  scenarios: Scenario[]
  /** Starts one process for each side. */
  launch: Launch
  read(outcomes: readonly Outcome[]): Sides[]
}

/** Makes a scenario of each arm. The sides are its arms. */
export function splitSides(chosen: readonly Scenario[], launchSide: (side: Side) => Promise<Launched>): SplitSides {
  const originals = new Map<Arm, Arm>()
  const scenarios = chosen.flatMap(scenario =>
    scenario.arms.map((arm): Scenario => {
      const [first, ...others] = SIDES.map((side): Arm => ({ ...arm, id: side, title: `${arm.title}, ${side}` }))
      for (const entry of [first!, ...others]) originals.set(entry, arm)
      // An arm that starts a process for each measurement keeps the length of its slots.
      const settleShare = Math.min(MAX_SETTLE_SHARE, scenario.settleShare ?? 0)
      const lengths = scenario.spawns ? { roundsShare: 1 } : { ...LENGTHS, settleShare }
      return { ...scenario, ...lengths, title: `${scenario.title}: ${arm.title}`, arms: [first!, ...others] }
    }),
  )
  const launch: Launch = async () => {
    const started = await Promise.allSettled(SIDES.map(launchSide))
    return {
      // The other sides are measured even if one does not start: the base can be older than a package.
      open: async (scenario, arm) => {
        const side = started[SIDES.indexOf(arm.id as Side)]!
        if (side.status === 'rejected') throw side.reason
        return side.value.open(scenario, originals.get(arm)!)
      },
      end: async () => {
        await Promise.all(started.map(async side => side.status === 'fulfilled' && side.value.end()))
      },
    }
  }
  const read = (outcomes: readonly Outcome[]): Sides[] =>
    outcomes.flatMap(outcome => readSides(outcome, originals.get(outcome.scenario.arms[0])!.id))
  return { scenarios, launch, read }
}

/** False for tails, which are imprecise in few rounds, and for figures without a ratio. */
const isComparable = ({ id, unit }: FigureKind): boolean =>
  !id.startsWith('p99') && (unit === 'µs' || unit === '/s' || unit === 'B')

const readSides = ({ scenario, cells }: Outcome, arm: string): Sides[] =>
  scenario.cases.flatMap(inCase => {
    const caseCells = scenario.arms.map(side => cells.find(cell => cell.inCase === inCase && cell.arm === side)!)
    const [base, head, again] = caseCells.map(({ error }) => error?.message)
    const missing = base ?? again
    return inCase.figures.filter(isComparable).map((kind): Sides => {
      const [first, second, third] = caseCells.map(({ error, processes }) =>
        error ? [] : processes.map(rounds => rounds.map(figures => figures[kind.id] ?? NaN)),
      )
      return {
        figure: [scenario.id, inCase.id, arm, kind.id].join('/'),
        kind,
        ...{ base: first!, head: second!, again: third! },
        ...(missing === undefined ? head !== undefined && { failed: head } : { missing }),
      }
    })
  })

/**
 * The default: CPU time of the bus's own code, with client and core in one thread. Threads add what the scheduler does with them: a slow-down
 * of 10 % cannot be seen there in a few minutes.
 */
const USUAL = ['one-thread/64/json/cpu', 'one-thread/64/msgpack/cpu']

/** Leaves out references, which the head cannot change, unless only they match. @throws {UsageError} if nothing matches */
function chooseForComparison(filter: string | null): Scenario[] {
  const all = allScenarios().filter(({ id }) => id !== NOISE)
  const usual = new Set(USUAL.map(dirname))
  const isWanted = filter === null ? (path: string): boolean => usual.has(path) : parseFilter(filter)
  const chosen = all.flatMap(scenario => {
    const reference = `/${scenario.arms[0].id}`
    const others = select([scenario], path => isWanted(path) && !path.endsWith(reference), false)
    return others.length > 0 ? others : select([scenario], isWanted, false)
  })
  if (chosen.length === 0) throw createNothingFound(String(filter), all)
  return filter === null ? chosen.map(keepUsual) : chosen
}

/** Leaves out figures that are not compared by default. */
function keepUsual(scenario: Scenario): Scenario {
  const isKept = (inCase: Case, { id }: FigureKind): boolean =>
    scenario.arms.some(arm => USUAL.includes([scenario.id, inCase.id, arm.id, id].join('/')))
  const cases = scenario.cases.map(inCase => ({
    ...inCase,
    figures: inCase.figures.filter(kind => isKept(inCase, kind)),
  }))
  return { ...scenario, cases }
}
