// Runs scenarios: the arms of each case in turns, round after round. Gives the rounds as they were, for the report to be
// made of.
import type { Arm, OpenArm } from './arm.js'
import { deadlines, MIN_ROUNDS, roundsOf, settleOf, slotOf, warmUpOf, type Plan } from './plan.js'
import type { Beside, Case, Scenario } from './scenario.js'
import type { Measurement, Task } from './task.js'

/** One arm in one case: the figures of each round, or the error that ended them. */
export interface Cell {
  inCase: Case
  arm: Arm
  rounds: Measurement[]
  error?: Error
}

export interface Outcome {
  scenario: Scenario
  cells: Cell[]
}

/** Told as the run goes on. */
export interface Watcher {
  scenario(scenario: Scenario): void
  /** One measurement begins. Round 0 is the warm-up. */
  slot(scenario: Scenario, cell: Cell, round: number): void
  done(outcome: Outcome, rounds: number): void
}

/**
 * @throws the signal's reason when it is aborted; all threads have ended by then
 */
export async function run(
  scenarios: readonly Scenario[],
  plan: Plan,
  watcher: Watcher,
  signal: AbortSignal,
): Promise<Outcome[]> {
  const start = performance.now()
  const ends = deadlines(plan, scenarios)
  const outcomes: Outcome[] = []
  for (const [at, scenario] of scenarios.entries()) {
    watcher.scenario(scenario)
    const cells = scenario.cases.flatMap(inCase => scenario.arms.map((arm): Cell => ({ inCase, arm, rounds: [] })))
    const outcome: Outcome = { scenario, cells }
    const rounds = await runRounds(outcome, plan, start + ends[at]!, watcher, signal)
    watcher.done(outcome, rounds)
    outcomes.push(outcome)
  }
  return outcomes
}

/** Opens the arms, measures every cell again and again until the plan or its time is fulfilled, and closes the arms. */
async function runRounds(
  { scenario, cells }: Outcome,
  plan: Plan,
  deadline: number,
  watcher: Watcher,
  signal: AbortSignal,
): Promise<number> {
  const rounds = roundsOf(plan, scenario)
  const open = new Map<Arm, OpenArm>()
  let beside: Beside | undefined

  async function startBeside(): Promise<void> {
    try {
      beside = await scenario.beside?.()
    } catch (error) {
      for (const cell of cells) cell.error = asError(error)
    }
  }

  async function openAll(): Promise<void> {
    for (const arm of scenario.arms) {
      signal.throwIfAborted()
      try {
        open.set(arm, await arm.open())
      } catch (error) {
        for (const cell of cells) if (cell.arm === arm) cell.error = asError(error)
      }
    }
  }

  async function measureRound(round: number): Promise<void> {
    for (const cell of inTurns(cells, scenario.arms.length, round)) {
      const { inCase, arm } = cell
      if (cell.error) continue
      signal.throwIfAborted()
      watcher.slot(scenario, cell, round)
      try {
        const task = taskOf(plan, scenario, inCase, round)
        const figures = await unlessAborted(open.get(arm)!.measure(task, inCase.payload), signal)
        if (round > 0) cell.rounds.push(figures)
      } catch (error) {
        signal.throwIfAborted()
        cell.error = asError(error)
      }
    }
  }

  try {
    await startBeside()
    await openAll()
    if (warmUpOf(plan, scenario) > 0) await measureRound(0)
    let took = 0
    for (let round = 1; round <= rounds; round++) {
      const before = performance.now()
      if (round > MIN_ROUNDS && before + took > deadline) return round - 1
      await measureRound(round)
      took = performance.now() - before
    }
    return rounds
  } finally {
    await Promise.allSettled([beside?.end(), ...[...open.values()].map(opened => opened.close())])
  }
}

function taskOf(plan: Plan, scenario: Scenario, { task, warmUp = task }: Case, round: number): Task {
  if (round === 0) return { ...warmUp, ms: warmUpOf(plan, scenario) }
  return { ...task, ms: slotOf(plan, scenario), settleMs: settleOf(plan, scenario) }
}

/**
 * The order of a round. Arms go forwards in one round and backwards in the next (A B C, C B A), so that a machine that warms
 * up or slows down favours none, and each two rounds begin with the next arm: an arm that is measured first, or twice in a
 * row, finds its threads on other cores than the rest do.
 *
 * @param cells all arms of the first case, then all of the second, …
 */
export function inTurns<T>(cells: readonly T[], arms: number, round: number): T[] {
  const first = Math.floor((round - 1) / 2) % arms
  return Array.from({ length: cells.length / arms }, (_, at) => {
    const ofCase = cells.slice(at * arms, (at + 1) * arms)
    const turned = [...ofCase.slice(first), ...ofCase.slice(0, first)]
    return round % 2 === 0 ? turned.toReversed() : turned
  }).flat()
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
