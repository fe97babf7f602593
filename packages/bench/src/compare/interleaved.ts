// Measures head and base interleaved, at one time on one machine: the comparison that can be trusted. The base, the head and
// the base again are three arms of one scenario, each in its own processes. A run like any other is then the comparison.
import { dirname, join } from 'node:path'
import { type Arm, type FigureKind, NOISE, type Scenario } from '../model/scenario.js'
import type { CompareOptions } from '../command/options.js'
import { launchFresh } from '../run/fresh-process.js'
import type { Launch, Launched, Outcome } from '../run/run.js'
import { allScenarios } from '../scenarios/index.js'
import { nothingFound, parseFilter, select } from '../scenarios/select.js'
import { makeHarness, type CodeBase } from './checkout.js'
import { judge, leastProcesses, type Comparison, type Judged, type Sides } from './judge.js'

export type Side = 'base' | 'head' | 'again'

const SIDES: readonly [Side, ...Side[]] = ['base', 'head', 'again']

/**
 * The lengths of a comparison, as multiples of its plan's: many short slots of the same length. One garbage collection
 * would dominate a slot of a few milliseconds. All rounds are measured, because only together do they have each order of the sides.
 */
const LENGTHS = { roundsShare: 1, share: 3, warmUpShare: 1 } as const
const MAX_SETTLE_SHARE = 1

/** Runs scenarios, and shows the progress. */
export type Measure = (
  scenarios: readonly Scenario[],
  launch: Launch,
  done: (outcome: Outcome) => void,
) => Promise<unknown>

export interface Method extends Pick<Comparison, 'rule' | 'notes'> {
  /** Measures everything, or only these figures. Reports each part when it is measured. */
  measure(report: (judged: readonly Judged[]) => void, figures?: readonly string[]): Promise<Judged[]>
}

export function compareInterleaved(
  base: CodeBase,
  { filter, plan, tolerance }: CompareOptions,
  temporary: string,
  measure: Measure,
): Method {
  const chosen = chooseForComparison(filter)
  const head = makeHarness(join(temporary, 'head-bench'))
  const other = makeHarness(join(temporary, 'base-bench'), base.root)
  const launchSide = (side: Side): Promise<Launched> => launchFresh((side === 'head' ? head : other).entry)
  const figures = chosen.flatMap(({ arms, cases }) =>
    arms.flatMap(() => cases.flatMap(inCase => inCase.figures.filter(isJudged))),
  )
  const rule = { tolerance, figures: figures.length }
  const least = leastProcesses(rule)
  const isSame = head.libraries.every((path, at) => path === other.libraries[at])
  const notes = [
    isSame && 'Head and base are the same directories: every difference is noise.',
    plan.processes < least &&
      `The bounds claim more than ${plan.processes} of --processes can hold: from ${least} on they hold it.`,
  ]
  return {
    rule,
    measure: async (report, suspects) => {
      const paths = new Set(suspects?.map(dirname))
      const again = chosen.flatMap(scenario =>
        scenario.arms.flatMap(arm => select([{ ...scenario, arms: [arm] }], path => paths.has(path), false)),
      )
      const sides = splitSides(suspects ? again : chosen, launchSide)
      const all: Judged[] = []
      await measure(sides.scenarios, sides.launch, outcome => {
        const judged = sides.read([outcome]).map(entry => judge(entry, rule))
        all.push(...judged)
        report(judged)
      })
      return all
    },
    notes: notes.filter(note => note !== false),
  }
}

export interface SplitSides {
  scenarios: Scenario[]
  /** Starts one process for each side. */
  launch: Launch
  read(outcomes: readonly Outcome[]): Sides[]
}

/** Makes a scenario for each arm, whose arms are the sides. */
export function splitSides(chosen: readonly Scenario[], launchSide: (side: Side) => Promise<Launched>): SplitSides {
  const originals = new Map<Arm, Arm>()
  const scenarios = chosen.flatMap(scenario =>
    scenario.arms.map((arm): Scenario => {
      const [first, ...others] = SIDES.map((side): Arm => ({ ...arm, id: side, title: `${arm.title}, ${side}` }))
      for (const entry of [first!, ...others]) originals.set(entry, arm)
      // An arm that starts a process for each measurement needs its own time.
      const settleShare = Math.min(MAX_SETTLE_SHARE, scenario.settleShare ?? 0)
      const lengths = scenario.spawns ? { roundsShare: 1 } : { ...LENGTHS, settleShare }
      return { ...scenario, ...lengths, title: `${scenario.title}: ${arm.title}`, arms: [first!, ...others] }
    }),
  )
  const launch: Launch = async () => {
    const started = await Promise.allSettled(SIDES.map(launchSide))
    return {
      // A side that does not start fails by itself: the base can lack what the head has.
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

/** False for tails, which say too little in few rounds, for what has no ratio, and for what stands aside. */
export const isJudged = ({ id, unit, aside }: FigureKind): boolean =>
  !aside && !id.startsWith('p99') && (unit === 'µs' || unit === '/s' || unit === 'B')

const readSides = ({ scenario, cells }: Outcome, arm: string): Sides[] =>
  scenario.cases.flatMap(inCase => {
    const caseCells = scenario.arms.map(side => cells.find(cell => cell.inCase === inCase && cell.arm === side)!)
    const [base, head, again] = caseCells.map(({ error }) => error?.message)
    const missing = base ?? again
    return inCase.figures.filter(isJudged).map((kind): Sides => {
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

/** Without a filter: what a slower line of the bus shows in first, and the two patterns. Latencies between threads vary too much to be judged. */
const USUAL = new Set([
  ...['ring-json', 'isolation-ring-json'].map(arm => `throughput/64/${arm}`),
  ...['codec/usual/json', 'codec/usual/msgpack', 'one-thread/64/json'],
])

/** Chooses what the head can change: a reference only if nothing else is asked for. @throws {UsageError} if nothing is left */
function chooseForComparison(filter: string | null): Scenario[] {
  const all = allScenarios().filter(({ id }) => id !== NOISE)
  const isWanted = filter === null ? (path: string): boolean => USUAL.has(path) : parseFilter(filter)
  const chosen = all.flatMap(scenario => {
    const reference = `/${scenario.arms[0].id}`
    const others = select([scenario], path => isWanted(path) && !path.endsWith(reference), false)
    return others.length > 0 ? others : select([scenario], isWanted, false)
  })
  if (chosen.length > 0) return chosen
  throw nothingFound(String(filter), all)
}
