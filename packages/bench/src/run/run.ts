// Runs scenarios: the arms of each case interleaved, round after round, in several fresh processes, as long and as often as a plan says.
import { getUncertainty, orderOf } from '@sallyport/compare/internal/statistics'
import { sum } from 'd3-array'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Arm, Case, Measurement, OpenArm, Scenario } from '../model/scenario.js'
import { readCpuTimes } from './machine.js'

const CLOSE_TIMEOUT_MS = 5000

/** One arm in one case: the figures of each round, by process, or the error that ended them. */
export interface Cell {
  inCase: Case
  arm: Arm
  processes: Measurement[][]
  error?: Error
}

export interface Outcome {
  scenario: Scenario
  cells: Cell[]
  /** What ended the rounds of the last process: their number, intervals that are narrow enough, or the time. */
  ended?: 'rounds' | 'intervals' | 'time'
  /** CPU time of the machine in ms while the scenario was measured, and the part of other programs, if known. */
  cpu?: { total: number; others: number }
}

export interface Watcher {
  scenario(outcome: Outcome): void
  /** Called before each measurement. The rounds of all processes are numbered from 1; those before are discarded. */
  slot(outcome: Outcome, cell: Cell, round: number): void
  done(outcome: Outcome): void
}

export interface Launched {
  open(scenario: Scenario, arm: Arm): Promise<OpenArm>
  /** Returns the CPU time that was used since the launch, in ms. */
  readCpu?(): Promise<number>
  /** Ends the process and all its arms. */
  end(): Promise<void>
}

export type Launch = () => Launched

/** @throws the signal's reason if it aborts; all threads and processes have ended by then */
export async function run(
  scenarios: readonly Scenario[],
  plan: Plan,
  watcher: Watcher,
  signal: AbortSignal,
  launch: Launch,
): Promise<Outcome[]> {
  const start = performance.now()
  const ends = deadlines(plan, scenarios)
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
  aborted.catch(() => {})
  const outcomes: Outcome[] = []
  for (const [index, scenario] of scenarios.entries()) {
    const cells = scenario.cases.flatMap(inCase => scenario.arms.map((arm): Cell => ({ inCase, arm, processes: [] })))
    const outcome: Outcome = { scenario, cells }
    watcher.scenario(outcome)
    for (let number = 0; number < plan.processes; number++) {
      for (const cell of cells) cell.processes.push([])
      // Time that earlier processes did not use is shared by the rest.
      const now = performance.now()
      const until = now + (start + ends[index]! - now) / (plan.processes - number)
      await runProcess(outcome, number, until, { plan, watcher, signal, aborted, launch })
    }
    watcher.done(outcome)
    outcomes.push(outcome)
  }
  return outcomes
}

type Context = { plan: Plan; watcher: Watcher; signal: AbortSignal; aborted: Promise<never>; launch: Launch }

/**
 * Opens the arms, measures every cell in each round, and closes the arms. The first rounds are discarded, because V8 compiles during them.
 * After the planned rounds, others follow until the intervals of the figures that have to be precise are narrow enough, or the time is over.
 */
async function runProcess(outcome: Outcome, number: number, until: number, context: Context): Promise<void> {
  const { plan, watcher, signal, aborted, launch } = context
  const { scenario, cells } = outcome
  const rounds = getRounds(plan, scenario)
  const open = new Map<Arm, OpenArm>()
  let launched: Launched | undefined

  const [machineBefore, ownBefore] = [readCpuTimes(), process.cpuUsage()]

  async function openAll(): Promise<void> {
    signal.throwIfAborted()
    launched = launch()
    for (const arm of scenario.arms) {
      const cellsOfArm = cells.filter(cell => cell.arm === arm)
      if (cellsOfArm.every(({ error }) => error)) continue
      signal.throwIfAborted()
      await launched.open(scenario, arm).then(
        opened => open.set(arm, opened),
        (error: unknown) => {
          for (const cell of cellsOfArm) cell.error ??= toError(error)
        },
      )
    }
  }

  async function measureCell(cell: Cell, round: number): Promise<void> {
    const { inCase, arm, processes } = cell
    if (cell.error) return
    signal.throwIfAborted()
    watcher.slot(outcome, cell, round)
    const lengths = { ms: getSlotMs(plan, scenario, inCase), settleMs: getSettleMs(plan, scenario, inCase) }
    const task = { ...lengths, ...((round < 1 && inCase.warmUp) || inCase.task) }
    try {
      const measuring = open.get(arm)!.measure(task, inCase.payload)
      const measured = checkMeasurement(inCase, await Promise.race([measuring, aborted]))
      if (round > 0) processes[number]!.push(measured)
    } catch (error) {
      signal.throwIfAborted()
      cell.error = toError(error)
    }
  }

  try {
    await openAll()
    let lastRoundMs = 0
    for (let round = 1 - getDiscarded(plan, scenario); ; round++) {
      const before = performance.now()
      const isLate = round > MIN_ROUNDS && before + lastRoundMs > until
      const ended = getEnd(cells, round > rounds) ?? (isLate ? 'time' : undefined)
      if (ended) {
        outcome.ended = ended
        break
      }
      const counted = round < 1 ? round : number * rounds + round
      for (const cell of interleave(cells, scenario.arms.length, counted, getRepeats)) await measureCell(cell, counted)
      lastRoundMs = performance.now() - before
    }
  } finally {
    const used = scenario.spawns ? undefined : await launched?.readCpu?.().catch(() => undefined)
    if (used !== undefined) {
      const [{ total, busy }, { user, system }] = [readCpuTimes(machineBefore), process.cpuUsage(ownBefore)]
      const others = Math.max(0, busy - used - (user + system) / 1e3)
      outcome.cpu = { total: total + (outcome.cpu?.total ?? 0), others: others + (outcome.cpu?.others ?? 0) }
    }
    const closed = Promise.allSettled([...open.values()].map(opened => opened.close()))
    // An arm that hangs does not close. It ends with its process.
    await Promise.race([closed, sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })])
    await launched?.end()
  }
}

/**
 * Returns the order of a round with its repeats. An arm that is measured twice in a row is on other cores the second time.
 *
 * @param cells all arms of the first case, then all of the second, …
 * @param round - from 1, or below it if it is discarded
 */
export function interleave<T>(
  cells: readonly T[],
  arms: number,
  round: number,
  getRepeats: (cell: T) => number = () => 1,
): T[] {
  const cases = Array.from({ length: cells.length / arms }, (_, at) => cells.slice(at * arms, (at + 1) * arms))
  return cases.flatMap(inOrder => {
    const repeats = getRepeats(inOrder[0]!)
    return Array.from({ length: repeats }, (_, repeat) => orderOf(inOrder, (round - 1) * repeats + repeat)).flat()
  })
}

function getEnd(cells: readonly Cell[], isPlanned: boolean): Outcome['ended'] {
  if (!isPlanned) return undefined
  const wanted = cells.flatMap(({ inCase, processes, error }) =>
    error ? [] : inCase.figures.flatMap(({ id, precise }) => (precise === undefined ? [] : { id, precise, processes })),
  )
  if (wanted.length === 0) return 'rounds'
  const isPrecise = wanted.every(({ id, precise, processes }) => {
    const values = processes.map(rounds => rounds.flatMap(measured => measured[id] ?? []))
    return getUncertainty(values) <= precise
  })
  return isPrecise ? 'intervals' : undefined
}

const getRepeats = ({ inCase }: Cell): number => inCase.repeats ?? 1

/** An arm can leave out figures. @throws Error if a figure is not a number, or impossible */
export function checkMeasurement({ figures }: Pick<Case, 'figures'>, measured: Measurement): Measurement {
  for (const { id, unit } of figures) {
    const value = measured[id] ?? 0
    const isPossible = Number.isFinite(value) && (value >= 0 || (unit !== 'µs' && unit !== '/s'))
    if (!isPossible) throw new Error(`Invalid figure: ${id} is ${value}`)
  }
  return measured
}

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

export interface Plan {
  mode: 'quick' | 'full'
  /** Number of fresh processes. Each opens all arms of a scenario. */
  processes: number
  /** Rounds of each process before those that count. */
  discarded: number
  /** Rounds of each process. In a round, every case of a scenario is measured once with every arm. */
  rounds: number
  /** Length of one measurement. */
  slotMs: number
  /** Approximate length of the run: a late scenario measures fewer rounds, but at least two. */
  budgetMs: number
}

export const QUICK: Plan = { mode: 'quick', processes: 1, discarded: 1, rounds: 8, slotMs: 25, budgetMs: 86_000 }
export const FULL: Plan = { mode: 'full', processes: 3, discarded: 1, rounds: 4, slotMs: 40, budgetMs: 240_000 }

/** A round and its reverse, so that each arm is the first once. */
const MIN_ROUNDS = 2

/** Approximate time to start and end one process, to open and close one arm, and to request a measurement. */
const LAUNCH_MS = 150
const OPEN_MS = 120
const REQUEST_MS = 3

/** For a busy machine. */
const SLACK = 1.04

/** The plan's budget, or more if the scenarios need more. */
export const getBudgetMs = (plan: Plan, scenarios: readonly Scenario[]): number =>
  Math.max(plan.budgetMs, totalMs(plan, scenarios) * SLACK)

export function getRounds({ rounds }: Plan, { roundsShare = 1 }: Scenario): number {
  if (roundsShare === 1 || rounds <= MIN_ROUNDS) return rounds
  return Math.max(MIN_ROUNDS, 2 * Math.round((rounds * roundsShare) / 2))
}

export const getSlotMs = (plan: Plan, scenario: Scenario, inCase: Case): number =>
  plan.slotMs * (inCase.share ?? scenario.share ?? 1)

const getSettleMs = (plan: Plan, scenario: Scenario, inCase: Case): number =>
  getSlotMs(plan, scenario, inCase) * (inCase.settleShare ?? scenario.settleShare ?? 0)

/** A fresh process has no rounds before. */
const getDiscarded = ({ discarded }: Plan, { spawns }: Scenario): number => (spawns ? 0 : discarded)

export function expectedMs(plan: Plan, scenario: Scenario): number {
  const { cases, arms } = scenario
  const getCaseMs = (inCase: Case): number =>
    (getSlotMs(plan, scenario, inCase) + getSettleMs(plan, scenario, inCase) + REQUEST_MS) * (inCase.repeats ?? 1)
  const discarded = getDiscarded(plan, scenario)
  const warmUpMs = sum(cases, ({ warmUp }) => warmUp?.settleMs ?? 0) * discarded
  const measured = warmUpMs + sum(cases, getCaseMs) * (getRounds(plan, scenario) + discarded)
  return plan.processes * (LAUNCH_MS + arms.length * (OPEN_MS + measured))
}

export const totalMs = (plan: Plan, scenarios: readonly Scenario[]): number =>
  sum(scenarios, scenario => expectedMs(plan, scenario))

export function deadlines(plan: Plan, scenarios: readonly Scenario[]): number[] {
  const share = getBudgetMs(plan, scenarios) / totalMs(plan, scenarios)
  let until = 0
  return scenarios.map(scenario => (until += expectedMs(plan, scenario) * share))
}
