// How long and how often: the two modes, and the time within which a run ends on any machine.
import type { Scenario } from './scenario.js'

export interface Plan {
  mode: 'quick' | 'full'
  /** For how long an arm works before its first round, in milliseconds; what it measures then is discarded. */
  warmUpMs: number
  /** Rounds: each measures every case of a scenario once with every arm. */
  rounds: number
  /** How long one measurement takes, in milliseconds. */
  slotMs: number
  /** A scenario that is late measures fewer rounds, down to two, so that the run ends in about this many milliseconds. */
  budgetMs: number
}

export const QUICK: Plan = { mode: 'quick', warmUpMs: 800, rounds: 12, slotMs: 30, budgetMs: 56_000 }
export const FULL: Plan = { mode: 'full', warmUpMs: 3000, rounds: 50, slotMs: 100, budgetMs: 690_000 }

/** A round and its reverse: with fewer, what is measured first has an advantage or the opposite. */
export const MIN_ROUNDS = 2

/** About how long it takes to open and close one arm, in milliseconds. */
const OPEN_MS = 250

/** The links are measured in slots ten times as long: polling has to begin in each. That takes three minutes. */
const LINK_BUDGET = 3.6

export const isLink = ({ id }: Pick<Scenario, 'id'>): boolean => id.startsWith('link-')

/** Within how many milliseconds a run of these scenarios ends. */
export const budgetOf = (plan: Plan, scenarios: readonly Scenario[]): number =>
  plan.budgetMs * (scenarios.some(isLink) ? LINK_BUDGET : 1)

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
  return arms.length * (OPEN_MS + cases.length * inEachCase)
}

/**
 * When each scenario has to end for all of them to end within the budget, in milliseconds after the start.
 */
export function deadlines(plan: Plan, scenarios: readonly Scenario[]): number[] {
  const expected = scenarios.map(scenario => expectedMs(plan, scenario))
  const total = expected.reduce((sum, ms) => sum + ms, 0)
  let until = 0
  return expected.map(ms => (until += (ms / total) * budgetOf(plan, scenarios)))
}
