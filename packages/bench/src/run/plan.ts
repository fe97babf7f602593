// How long and how often a run measures, and when it ends on a slow machine.
import { sum } from 'd3-array'
import type { Case, Measurement, Scenario, Task } from '../scenarios/scenario.js'
import { isStationary } from '../shared/statistics.js'

export interface Plan {
  mode: 'quick' | 'full'
  /** Approximate length of the warm-up of an arm in each process; see `WarmUp`. */
  warmUpMs: number
  /** Number of fresh processes. Each opens and warms up all arms of a scenario. */
  processes: number
  /** Rounds of each process. In a round, every case of a scenario is measured once with every arm. */
  rounds: number
  /** No more rounds than these, whatever their intervals. */
  isExact?: boolean
  /** Length of one measurement. */
  slotMs: number
  /** Approximate length of the run: a late scenario measures fewer rounds, but at least two. */
  budgetMs: number
}

export const QUICK: Plan = { mode: 'quick', processes: 1, warmUpMs: 1000, rounds: 8, slotMs: 25, budgetMs: 75_000 }
export const FULL: Plan = { mode: 'full', processes: 3, warmUpMs: 3000, rounds: 4, slotMs: 40, budgetMs: 240_000 }

/** A round and its reverse, so that each arm is the first once. */
export const MIN_ROUNDS = 2

/** Approximate time to start and end one process, to open and close one arm, and to request a measurement. */
const LAUNCH_MS = 150
const OPEN_MS = 120
const REQUEST_MS = 3

/** For a busy machine. */
const SLACK = 1.04

/** The plan's budget, or more if the scenarios need more. */
export const getBudgetMs = (plan: Plan, scenarios: readonly Scenario[]): number =>
  Math.max(plan.budgetMs, totalMs(plan, scenarios) * SLACK)

/** Returns the plan's rounds, or an even part of them. */
export function getRounds({ rounds }: Plan, { roundsShare = 1 }: Scenario): number {
  if (roundsShare === 1 || rounds <= MIN_ROUNDS) return rounds
  return Math.max(MIN_ROUNDS, 2 * Math.round((rounds * roundsShare) / 2))
}

export const getSlotMs = (plan: Plan, scenario: Scenario, inCase: Case): number =>
  plan.slotMs * (inCase.share ?? scenario.share ?? 1)

export const getSettleMs = (plan: Plan, scenario: Scenario, inCase: Case): number =>
  getSlotMs(plan, scenario, inCase) * (inCase.settleShare ?? scenario.settleShare ?? 0)

const getWarmUpMs = (plan: Plan, scenario: Scenario): number =>
  (plan.warmUpMs * (scenario.warmUpShare ?? 1)) / scenario.cases.length

/** Returns the approximate time of a scenario that is not late. */
export function expectedMs(plan: Plan, scenario: Scenario): number {
  const { cases, arms } = scenario
  const getCaseMs = (inCase: Case): number =>
    (getSlotMs(plan, scenario, inCase) + getSettleMs(plan, scenario, inCase) + REQUEST_MS) * (inCase.repeats ?? 1)
  const measured = sum(cases, getCaseMs) * getRounds(plan, scenario)
  return plan.processes * (LAUNCH_MS + arms.length * (OPEN_MS + cases.length * getWarmUpMs(plan, scenario) + measured))
}

export const totalMs = (plan: Plan, scenarios: readonly Scenario[]): number =>
  sum(scenarios, scenario => expectedMs(plan, scenario))

/** Returns the deadlines of the scenarios, in milliseconds after the start. */
export function deadlines(plan: Plan, scenarios: readonly Scenario[]): number[] {
  const share = getBudgetMs(plan, scenarios) / totalMs(plan, scenarios)
  let until = 0
  return scenarios.map(scenario => (until += expectedMs(plan, scenario) * share))
}

/**
 * The warm-up of an arm for a case: measurements that are discarded, until they are stationary. It takes at least half of its planned time,
 * because code that is not compiled yet can be stationary too.
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

  async measure(measure: (task: Task) => Promise<Measurement>): Promise<void> {
    const { figures, task, warmUp = task } = this.#inCase
    const start = performance.now()
    const measured = await measure({ ...warmUp, ms: this.#slotMs })
    // The process can still be starting, so that only the planned time of the first measurement counts.
    this.#elapsedMs += this.#values.length === 0 ? this.#slotMs : Math.max(performance.now() - start, this.#slotMs)
    // Another task than the case's can have other figures.
    this.#values.push(measured[figures[0]?.id ?? ''] ?? Object.values(measured)[0] ?? 0)
  }
}
