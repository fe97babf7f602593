// Runs scenarios: the arms of each case in turns, round after round, in one fresh process after the other. Gives the rounds as
// they were, for the report to be made of.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Arm, OpenArm } from '../arm.js'
import { launchHere, type Launch, type Launched } from './launch.js'
import { checkMeasurement } from './check-measurement.js'
import { deadlines, MIN_ROUNDS, roundsOf, settleOf, slotOf, type Plan } from './plan.js'
import type { Beside, Case, Scenario } from '../scenario.js'
import type { Measurement } from '../task.js'
import { inTurns } from './turns.js'
import { warmUp } from './warm-up.js'

/** How long arms may take to close, in milliseconds. */
const PATIENCE_MS = 5000

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
}

/** Told as the run goes on. */
export interface Watcher {
  scenario(outcome: Outcome): void
  /** One measurement begins. Round 0 is the warm-up of each process; the others are counted over all processes. */
  slot(outcome: Outcome, cell: Cell, round: number): void
  done(outcome: Outcome): void
  /** Where it is there, what is measured call by call is asked for each single latency: µs, in the order in which they came. */
  samples?(outcome: Outcome, cell: Cell, round: number, us: readonly number[]): void
}

/**
 * @throws the signal's reason when it is aborted; all threads and processes have ended by then
 */
export async function run(
  scenarios: readonly Scenario[],
  plan: Plan,
  watcher: Watcher,
  signal: AbortSignal,
  launch: Launch = launchHere,
): Promise<Outcome[]> {
  const start = performance.now()
  const ends = deadlines(plan, scenarios)
  const outcomes: Outcome[] = []
  for (const [at, scenario] of scenarios.entries()) {
    const cells = scenario.cases.flatMap(inCase => scenario.arms.map((arm): Cell => ({ inCase, arm, processes: [] })))
    const outcome: Outcome = { scenario, cells }
    watcher.scenario(outcome)
    for (let number = 0; number < plan.processes; number++) {
      for (const cell of cells) cell.processes.push([])
      // What one process has no time for is left to the others.
      const now = performance.now()
      const until = now + (start + ends[at]! - now) / (plan.processes - number)
      await runProcess({ outcome, plan, number, until, watcher, signal, launch })
    }
    watcher.done(outcome)
    outcomes.push(outcome)
  }
  return outcomes
}

interface Process {
  outcome: Outcome
  plan: Plan
  /** From 0. */
  number: number
  until: number
  watcher: Watcher
  signal: AbortSignal
  launch: Launch
}

/** Opens the arms, measures every cell again and again until the plan or its time is fulfilled, and closes the arms. */
async function runProcess({ outcome, plan, number, until, watcher, signal, launch }: Process): Promise<void> {
  const { scenario, cells } = outcome
  const rounds = roundsOf(plan, scenario)
  const open = new Map<Arm, OpenArm>()
  let launched: Launched | undefined
  let beside: Beside | undefined

  async function start(): Promise<void> {
    signal.throwIfAborted()
    try {
      beside = await scenario.beside?.()
      launched = await launch()
    } catch (error) {
      for (const cell of cells) cell.error ??= asError(error)
    }
  }

  async function openAll(): Promise<void> {
    for (const arm of scenario.arms) {
      const ofArm = cells.filter(cell => cell.arm === arm)
      if (ofArm.every(({ error }) => error)) continue
      signal.throwIfAborted()
      try {
        open.set(arm, await launched!.open(scenario, arm))
      } catch (error) {
        for (const cell of ofArm) cell.error ??= asError(error)
      }
    }
  }

  async function measureRound(round: number, measure: (cell: Cell, arm: OpenArm) => Promise<unknown>): Promise<void> {
    for (const cell of inTurns(cells, scenario.arms.length, number * rounds + round)) {
      if (cell.error) continue
      signal.throwIfAborted()
      watcher.slot(outcome, cell, round === 0 ? 0 : number * rounds + round)
      try {
        await unlessAborted(measure(cell, open.get(cell.arm)!), signal)
      } catch (error) {
        signal.throwIfAborted()
        cell.error = asError(error)
      }
    }
  }

  try {
    await start()
    await openAll()
    await measureRound(0, ({ inCase }, arm) =>
      warmUp(plan, scenario, inCase, async task => checkMeasurement(inCase, await arm.measure(task, inCase.payload))),
    )
    let took = 0
    for (let round = 1; round <= rounds; round++) {
      const before = performance.now()
      if (round > MIN_ROUNDS && before + took > until) return
      await measureRound(round, async (cell, arm) => {
        const { task, payload } = cell.inCase
        const lengths = { ms: slotOf(plan, scenario), settleMs: settleOf(plan, scenario) }
        const measured = await arm.measure({ ...task, ...lengths }, payload)
        cell.processes.at(-1)!.push(checkMeasurement(cell.inCase, measured))
        if (!watcher.samples || !hasSamples(task)) return
        const samples = await arm.measure({ loop: 'samples', ms: 0 }, payload)
        watcher.samples(outcome, cell, number * rounds + round, Object.values(samples))
      })
      took = performance.now() - before
    }
  } finally {
    const closed = Promise.allSettled([beside?.end(), ...[...open.values()].map(opened => opened.close())])
    // A process that is stuck in an arm answers nothing; its end takes the arms along.
    await Promise.race([closed, sleep(PATIENCE_MS, undefined, { ref: false })])
    await launched?.end()
  }
}

/** With more in flight a rate is measured, and no single call. */
const hasSamples = ({ loop, inFlight = 1 }: Case['task']): boolean =>
  loop === 'sparse' || loop === 'open' || (loop === 'calls' && inFlight === 1)

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
