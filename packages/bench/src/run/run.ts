// Runs scenarios: the arms of each case interleaved, round after round, in one fresh process after the other.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Arm, Background, Case, Measurement, OpenArm, Scenario } from '../model/scenario.js'
import { readCpuTimes } from './machine.js'
import { deadlines, getRounds, getSettleMs, getSlotMs, MIN_ROUNDS, WarmUp, type Plan } from './plan.js'

const CLOSE_TIMEOUT_MS = 5000

/** One arm in one case: the figures of each round, by process, or the error that ended them. */
export interface Cell {
  inCase: Case
  arm: Arm
  processes: Measurement[][]
  /** Warm-ups that ended before the arm was stationary. */
  coldStarts?: number
  error?: Error
}

export interface Outcome {
  scenario: Scenario
  cells: Cell[]
  /** CPU time of the machine while the scenario was measured, and the part that other programs took, in ms; if known. */
  cpu?: { total: number; others: number }
}

export interface Watcher {
  scenario(outcome: Outcome): void
  /** One measurement begins. Round 0 is the warm-up of each process; the others are counted over all processes. */
  slot(outcome: Outcome, cell: Cell, round: number): void
  done(outcome: Outcome): void
}

export interface Launched {
  open(scenario: Scenario, arm: Arm): Promise<OpenArm>
  /** Returns the CPU time that was used since the launch, in ms. */
  readCpu?(): Promise<number>
  /** Ends whatever is still open. */
  end(): Promise<void>
}

export type Launch = () => Promise<Launched>

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
  const outcomes: Outcome[] = []
  for (const [index, scenario] of scenarios.entries()) {
    const cells = scenario.cases.flatMap(inCase => scenario.arms.map((arm): Cell => ({ inCase, arm, processes: [] })))
    const outcome: Outcome = { scenario, cells }
    watcher.scenario(outcome)
    for (let number = 0; number < plan.processes; number++) {
      for (const cell of cells) cell.processes.push([])
      // The time that one process does not use is left to the others.
      const now = performance.now()
      const until = now + (start + ends[index]! - now) / (plan.processes - number)
      await runProcess(outcome, number, until, { plan, watcher, signal, launch })
    }
    watcher.done(outcome)
    outcomes.push(outcome)
  }
  return outcomes
}

type Context = { plan: Plan; watcher: Watcher; signal: AbortSignal; launch: Launch }

/** Opens the arms, measures every cell again and again until the plan or its time is fulfilled, and closes the arms. */
async function runProcess(outcome: Outcome, number: number, until: number, context: Context): Promise<void> {
  const { plan, watcher, signal, launch } = context
  const { scenario, cells } = outcome
  const rounds = getRounds(plan, scenario)
  const open = new Map<Arm, OpenArm>()
  let launched: Launched | undefined
  let background: Background | undefined

  const [machineBefore, ownBefore] = [readCpuTimes(), process.cpuUsage()]

  async function openAll(): Promise<void> {
    signal.throwIfAborted()
    try {
      background = await scenario.background?.()
      launched = await launch()
    } catch (error) {
      for (const cell of cells) cell.error ??= toError(error)
    }
    for (const arm of scenario.arms) {
      const cellsOfArm = cells.filter(cell => cell.arm === arm)
      if (cellsOfArm.every(({ error }) => error)) continue
      signal.throwIfAborted()
      try {
        open.set(arm, await launched!.open(scenario, arm))
      } catch (error) {
        for (const cell of cellsOfArm) cell.error ??= toError(error)
      }
    }
  }

  async function measureCell(cell: Cell, round: number, measure: (arm: OpenArm) => Promise<unknown>): Promise<void> {
    if (cell.error) return
    signal.throwIfAborted()
    watcher.slot(outcome, cell, round)
    try {
      await unlessAborted(measure(open.get(cell.arm)!), signal)
    } catch (error) {
      signal.throwIfAborted()
      cell.error = toError(error)
    }
  }

  /** The arms take turns, as in the rounds: otherwise the last one's warm-up would be the most recent. */
  async function warmUp(inCase: Case): Promise<void> {
    const all = cells.filter(cell => cell.inCase === inCase)
    let warming = all.map(cell => ({ cell, warmUp: new WarmUp(plan, scenario, inCase) }))
    const isGoingOn = ({ cell, warmUp }: (typeof warming)[number]): boolean => !cell.error && !warmUp.isOver
    while ((warming = warming.filter(isGoingOn).toReversed()).length > 0) {
      for (const { cell, warmUp } of warming) {
        await measureCell(cell, 0, arm =>
          warmUp.measure(async task => checkMeasurement(inCase, await arm.measure(task, inCase.payload))),
        )
        if (warmUp.isOver && warmUp.isCold) cell.coldStarts = (cell.coldStarts ?? 0) + 1
      }
    }
  }

  try {
    await openAll()
    for (const inCase of scenario.cases) await warmUp(inCase)
    let lastRoundMs = 0
    for (let round = 1; round <= rounds; round++) {
      const before = performance.now()
      if (round > MIN_ROUNDS && before + lastRoundMs > until) return
      const roundOfAll = number * rounds + round
      for (const cell of interleave(cells, scenario.arms.length, roundOfAll, getRepeats)) {
        const { inCase, processes } = cell
        const lengths = { ms: getSlotMs(plan, scenario, inCase), settleMs: getSettleMs(plan, scenario, inCase) }
        await measureCell(cell, roundOfAll, async arm => {
          const measured = await arm.measure({ ...inCase.task, ...lengths }, inCase.payload)
          processes.at(-1)!.push(checkMeasurement(inCase, measured))
        })
      }
      lastRoundMs = performance.now() - before
    }
  } finally {
    const used = scenario.spawns ? undefined : await launched?.readCpu?.().catch(() => undefined)
    if (used !== undefined) {
      const [{ total, busy }, { user, system }] = [readCpuTimes(machineBefore), process.cpuUsage(ownBefore)]
      const others = Math.max(0, busy - used - (user + system) / 1e3)
      outcome.cpu = { total: total + (outcome.cpu?.total ?? 0), others: others + (outcome.cpu?.others ?? 0) }
    }
    const closed = Promise.allSettled([background?.end(), ...[...open.values()].map(opened => opened.close())])
    // A process that hangs in an arm answers nothing; its end also ends the arms.
    await Promise.race([closed, sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })])
    await launched?.end()
  }
}

/**
 * Returns the order of a round, or of one of the repeats in it. Arms go forwards in one round and backwards in the next (A B C, C B A): a machine that warms up or
 * slows down then favours none. Every two rounds begin with the next arm. An arm that is measured first, or twice in a row, finds its
 * threads on other cores than the rest.
 *
 * @param cells all arms of the first case, then all of the second, …
 * @param round from 1
 */
export function interleave<T>(
  cells: readonly T[],
  arms: number,
  round: number,
  getRepeats: (cell: T) => number = () => 1,
): T[] {
  const byCase = Array.from({ length: cells.length / arms }, (_, index) =>
    cells.slice(index * arms, (index + 1) * arms),
  )
  return byCase.flatMap(inOrder => {
    const repeats = getRepeats(inOrder[0]!)
    return Array.from({ length: repeats }, (_, repeat) => {
      const number = (round - 1) * repeats + repeat
      const first = Math.floor(number / 2) % arms
      const rotated = [...inOrder.slice(first), ...inOrder.slice(0, first)]
      return number % 2 === 1 ? rotated.toReversed() : rotated
    }).flat()
  })
}

const getRepeats = ({ inCase }: Cell): number => inCase.repeats ?? 1

/** Checks what an arm returned, which may leave out figures. @throws Error if a figure is not a number, or impossible */
export function checkMeasurement({ figures }: Pick<Case, 'figures'>, measured: unknown): Measurement {
  if (typeof measured !== 'object' || measured === null) throw new Error('The arm returned no figures')
  for (const { id, unit } of figures) {
    const value = (measured as Record<string, unknown>)[id]
    if (value === undefined) continue
    const least = unit === 'µs' || unit === '/s' ? 0 : -Infinity
    if (!Number.isFinite(value) || (value as number) < least)
      throw new Error(`Invalid figure: ${id} is ${String(value)}`)
  }
  return measured as Measurement
}

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
