// The base, the head and the base again as three arms of one scenario: then the run that measures arms in turns, each in fresh
// processes, is the comparison. Each arm gets a scenario of its own, so that six rounds are the six orders of three sides.
import type { Arm } from '../model/scenario.js'
import type { Launch, Launched } from '../run/run.js'
import type { Outcome } from '../run/run.js'
import type { FigureKind, Scenario } from '../model/scenario.js'
import type { Sides } from './judge.js'

export type Side = 'base' | 'head' | 'again'

const SIDES: readonly [Side, ...Side[]] = ['base', 'head', 'again']

/** No slot is shorter than so many of the plan’s: in a few milliseconds, one collection of garbage is all that is seen. */
const LEAST_SHARE = 4

export interface Turns {
  scenarios: Scenario[]
  /** Starts one process for each side. */
  launch: Launch
  /** What was measured, by figure. */
  read(outcomes: readonly Outcome[]): Sides[]
}

export function inTurnsBySide(chosen: readonly Scenario[], launchSide: (side: Side) => Promise<Launched>): Turns {
  const originals = new Map<Arm, Arm>()
  const scenarios = chosen.flatMap(scenario =>
    scenario.arms.map((arm): Scenario => {
      const arms = SIDES.map((side): Arm => ({ ...arm, id: side, title: `${arm.title}, ${side}` }))
      for (const one of arms) originals.set(one, arm)
      // All rounds, whatever part of them the scenario usually has: their orders make a whole.
      const lengths = { roundsShare: 1, share: Math.max(LEAST_SHARE, scenario.share ?? 1) }
      return { ...scenario, ...lengths, title: `${scenario.title}: ${arm.title}`, arms: arms as [Arm, ...Arm[]] }
    }),
  )
  return {
    scenarios,
    launch: () => launchSides(launchSide, originals),
    read: outcomes => outcomes.flatMap(outcome => readSides(outcome, originals.get(outcome.scenario.arms[0])!)),
  }
}

async function launchSides(
  launchSide: (side: Side) => Promise<Launched>,
  originals: ReadonlyMap<Arm, Arm>,
): Promise<Launched> {
  const started = await Promise.allSettled(SIDES.map(launchSide))
  return {
    // A side that does not start fails by itself: the base may know nothing of what the head can.
    open: async (scenario, arm) => {
      const side = started[SIDES.indexOf(arm.id as Side)]!
      if (side.status === 'rejected') throw side.reason
      return side.value.open(scenario, originals.get(arm)!)
    },
    end: async () => {
      await Promise.all(started.flatMap(side => (side.status === 'fulfilled' ? [side.value.end()] : [])))
    },
  }
}

/** Tails say too little in few rounds, what can be zero or negative has no ratio, and what stands aside says nothing more. */
export const isJudged = ({ id, unit, aside }: FigureKind): boolean =>
  !aside && !id.startsWith('p99') && (unit === 'µs' || unit === '/s' || unit === 'B')

/** How many figures will be judged, at most. */
export const countFigures = (chosen: readonly Scenario[]): number =>
  chosen.reduce(
    (sum, { arms, cases }) => sum + arms.length * cases.flatMap(one => one.figures.filter(isJudged)).length,
    0,
  )

function readSides({ scenario, cells }: Outcome, arm: Arm): Sides[] {
  return scenario.cases.flatMap(inCase => {
    const [base, head, again] = scenario.arms.map(side =>
      cells.find(cell => cell.inCase === inCase && cell.arm === side),
    )
    const failed = head?.error && !base?.error && !again?.error ? head.error.message : undefined
    const missing = base?.error ?? again?.error
    return inCase.figures.filter(isJudged).map((kind): Sides => {
      const valuesOf = (cell = base): number[][] =>
        cell?.error ? [] : (cell?.processes ?? []).map(rounds => rounds.map(figures => figures[kind.id] ?? NaN))
      return {
        figure: `${scenario.id}/${inCase.id}/${arm.id}/${kind.id}`,
        kind,
        base: valuesOf(base),
        head: valuesOf(head),
        again: valuesOf(again),
        ...(failed !== undefined && { failed }),
        ...(missing && { missing: missing.message }),
      }
    })
  })
}
