// How long and how often: the two modes, and the time within which a run ends on any machine.
import type { Scenario } from '../scenario.js'

export interface Plan {
  mode: 'quick' | 'full'
  /** For about how long an arm works in each process before its first round, in milliseconds; see warm-up.ts. */
  warmUpMs: number
  /** Fresh processes: each opens the arms of a scenario anew and measures its part of the rounds. */
  processes: number
  /** Rounds of each process: in one, every case of a scenario is measured once with every arm. */
  rounds: number
  /** How long one measurement takes, in milliseconds. */
  slotMs: number
  /** A scenario that is late measures fewer rounds, down to two, so that the run ends in about this many milliseconds. */
  budgetMs: number
}

export const QUICK: Plan = { mode: 'quick', processes: 2, warmUpMs: 400, rounds: 4, slotMs: 30, budgetMs: 56_000 }
export const FULL: Plan = { mode: 'full', processes: 3, warmUpMs: 600, rounds: 4, slotMs: 40, budgetMs: 240_000 }

/** A round and its reverse: with fewer, what is measured first has an advantage or the opposite. */
export const MIN_ROUNDS = 2

/** About how long it takes to start and end one process, and to open and close one arm in it, in milliseconds. */
const LAUNCH_MS = 200
const OPEN_MS = 150

/** What a busy machine may need beyond what is expected. */
const SLACK = 1.1

/** Within how many milliseconds a run of these scenarios ends: the plan's, or what takes longer has to take. */
export const budgetOf = (plan: Plan, scenarios: readonly Scenario[]): number =>
  Math.max(plan.budgetMs, totalMs(plan, scenarios) * SLACK)

/** How many rounds a scenario has: the plan's, or a part of them that is even. */
export function roundsOf({ rounds }: Plan, { roundsShare = 1 }: Scenario): number {
  if (roundsShare === 1 || rounds <= MIN_ROUNDS) return rounds
  return Math.max(MIN_ROUNDS, 2 * Math.round((rounds * roundsShare) / 2))
}

/** The length of one measurement of a scenario, in milliseconds. */
export const slotOf = (plan: Plan, scenario: Scenario): number => plan.slotMs * (scenario.share ?? 1)

/** For how long an arm works before each of them, in milliseconds. */
export const settleOf = (plan: Plan, scenario: Scenario): number => slotOf(plan, scenario) * (scenario.settleShare ?? 0)

/** The length of one of the discarded measurements, of which each arm makes one for each case. */
export const warmUpOf = (plan: Plan, scenario: Scenario): number =>
  (plan.warmUpMs * (scenario.warmUpShare ?? 1)) / scenario.cases.length

/** About how long a scenario takes when nothing is late, in milliseconds. */
export function expectedMs(plan: Plan, scenario: Scenario): number {
  const { cases, arms } = scenario
  const round = slotOf(plan, scenario) + settleOf(plan, scenario)
  const inEachCase = warmUpOf(plan, scenario) + round * roundsOf(plan, scenario)
  return plan.processes * (LAUNCH_MS + arms.length * (OPEN_MS + cases.length * inEachCase))
}

/** All of them, one after the other. */
export const totalMs = (plan: Plan, scenarios: readonly Scenario[]): number =>
  scenarios.reduce((sum, scenario) => sum + expectedMs(plan, scenario), 0)

/** When each scenario has to end for all of them to end within the budget, in milliseconds after the start. */
export function deadlines(plan: Plan, scenarios: readonly Scenario[]): number[] {
  const share = budgetOf(plan, scenarios) / totalMs(plan, scenarios)
  let until = 0
  return scenarios.map(scenario => (until += expectedMs(plan, scenario) * share))
}
