// How long and how often a run measures: its two modes, and the time within which it ends on any machine.
import type { Case, Measurement, Scenario, Task } from '../model/scenario.js'
import { isStationary } from '../statistics/median.js'

export interface Plan {
  mode: 'quick' | 'full'
  /** Milliseconds that an arm works in each process before its first round, approximately; see `warmUp`. */
  warmUpMs: number
  /** Fresh processes: each opens and warms up the arms of a scenario, and measures its part of the rounds. */
  processes: number
  /** Rounds of each process. In a round, every case of a scenario is measured once with every arm. */
  rounds: number
  /** Milliseconds of one measurement. */
  slotMs: number
  /** A scenario that is late measures fewer rounds, but at least two, so that the run ends in about this many milliseconds. */
  budgetMs: number
}

export const QUICK: Plan = { mode: 'quick', processes: 1, warmUpMs: 1000, rounds: 8, slotMs: 25, budgetMs: 51_000 }
export const FULL: Plan = { mode: 'full', processes: 3, warmUpMs: 3000, rounds: 4, slotMs: 40, budgetMs: 240_000 }

/** A round and its reverse: with fewer, the arm that is measured first has an advantage or a disadvantage. */
export const MIN_ROUNDS = 2

/** The approximate time to start and end one process, to open and close one arm in it, and to ask that for a measurement. */
const LAUNCH_MS = 150
const OPEN_MS = 120
const REQUEST_MS = 3

/** Allows for a busy machine. */
const SLACK = 1.04

/** The plan's budget, or more if the scenarios need more. */
export const getBudgetMs = (plan: Plan, scenarios: readonly Scenario[]): number =>
  Math.max(plan.budgetMs, totalMs(plan, scenarios) * SLACK)

/** The plan's rounds, or an even part of them. */
export function getRounds({ rounds }: Plan, { roundsShare = 1 }: Scenario): number {
  if (roundsShare === 1 || rounds <= MIN_ROUNDS) return rounds
  return Math.max(MIN_ROUNDS, 2 * Math.round((rounds * roundsShare) / 2))
}

export const getSlotMs = (plan: Plan, scenario: Scenario, inCase: Case): number =>
  plan.slotMs * (inCase.share ?? scenario.share ?? 1)

export const getSettleMs = (plan: Plan, scenario: Scenario, inCase: Case): number =>
  getSlotMs(plan, scenario, inCase) * (inCase.settleShare ?? scenario.settleShare ?? 0)

/** The time that each arm warms up for each case. */
const getWarmUpMs = (plan: Plan, scenario: Scenario): number =>
  (plan.warmUpMs * (scenario.warmUpShare ?? 1)) / scenario.cases.length

/** The approximate time of a scenario when nothing is late. */
export function expectedMs(plan: Plan, scenario: Scenario): number {
  const { cases, arms } = scenario
  const rounds = cases.map(
    inCase =>
      (getSlotMs(plan, scenario, inCase) + getSettleMs(plan, scenario, inCase) + REQUEST_MS) * (inCase.repeats ?? 1),
  )
  const measured = rounds.reduce((sum, ms) => sum + ms, 0) * getRounds(plan, scenario)
  return plan.processes * (LAUNCH_MS + arms.length * (OPEN_MS + cases.length * getWarmUpMs(plan, scenario) + measured))
}

export const totalMs = (plan: Plan, scenarios: readonly Scenario[]): number =>
  scenarios.reduce((sum, scenario) => sum + expectedMs(plan, scenario), 0)

/** Returns when each scenario must end for all of them to end within the budget, in milliseconds after the start. */
export function deadlines(plan: Plan, scenarios: readonly Scenario[]): number[] {
  const share = getBudgetMs(plan, scenarios) / totalMs(plan, scenarios)
  let until = 0
  return scenarios.map(scenario => (until += expectedMs(plan, scenario) * share))
}

/**
 * One arm's warm-up for a case: measurements that are discarded, until their figures are stationary. It takes half of its planned time at
 * least, because code that is not compiled yet can be stationary too.
 */
export class WarmUp {
  readonly #plannedMs: number
  readonly #slotMs: number
  readonly #inCase: Case
  readonly #values: number[] = []
  #elapsedMs = 0

  constructor(plan: Plan, scenario: Scenario, inCase: Case) {
    this.#plannedMs = getWarmUpMs(plan, scenario)
    this.#slotMs = Math.min(getSlotMs(plan, scenario, inCase), this.#plannedMs / 4)
    this.#inCase = inCase
  }

  get isOver(): boolean {
    if (this.#elapsedMs >= this.#plannedMs) return true
    return this.#elapsedMs >= this.#plannedMs / 2 && isStationary(this.#values)
  }

  /** True if the arm is not stationary yet. An arm that is too slow for a third measurement cannot be judged. */
  get isCold(): boolean {
    return this.#values.length >= 3 && !isStationary(this.#values)
  }

  async measure(measure: (task: Task) => Promise<Measurement>): Promise<void> {
    const { figures, task, warmUp = task } = this.#inCase
    const start = performance.now()
    const measured = await measure({ ...warmUp, ms: this.#slotMs })
    // The first measurement can wait for a process that is still starting: only its planned time counts.
    this.#elapsedMs += this.#values.length === 0 ? this.#slotMs : Math.max(performance.now() - start, this.#slotMs)
    // If the warm-up is another task, any figure that it measures.
    this.#values.push(measured[figures[0]?.id ?? ''] ?? Object.values(measured)[0] ?? 0)
  }
}
