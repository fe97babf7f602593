// Runs scenarios, as long and as often as a plan says:
// 1. in several fresh processes, one payload after the other: between two slots of small calls, a document would empty the caches
// 2. the arms of a payload interleaved, round after round, after a warm-up
// 3. the time goes to the payload whose ratios have the widest intervals
import { getUncertainty, isStationary, orderOf } from '#measure/statistics'
import { group, sum } from 'd3-array'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  AGAIN,
  type Arm,
  type Case,
  type Measurement,
  type Mode,
  type OpenArm,
  type Scenario,
  type Task,
} from '../model/scenario.js'
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
  /** What ended the rounds of the last process: their number, intervals that are all narrow enough, or the time. */
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
  const end = start + getBudgetMs(plan, scenarios)
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  aborted.catch(() => {})
  const outcomes: Outcome[] = []
  for (const [index, scenario] of scenarios.entries()) {
    const cells = scenario.cases.flatMap(inCase => scenario.arms.map((arm): Cell => ({ inCase, arm, processes: [] })))
    const parts = [...group(cells, ({ inCase }) => inCase.payload).values()].map(toPart)
    const outcome: Outcome = { scenario, cells }
    watcher.scenario(outcome)
    for (let number = 0; number < plan.processes; number++) {
      for (const cell of cells) cell.processes.push([])
      // Time that others did not use is shared by the rest.
      const now = performance.now()
      const part = expectedMs(plan, scenario) / totalMs(plan, scenarios.slice(index)) / (plan.processes - number)
      const until = now + (end - now) * part
      await runProcess(outcome, parts, number, until, { plan, watcher, signal, aborted, launch })
    }
    watcher.done(outcome)
    outcomes.push(outcome)
  }
  return outcomes
}

type Context = { plan: Plan; watcher: Watcher; signal: AbortSignal; aborted: Promise<never>; launch: Launch }

/** The cases of one payload, and what a warm-up and a round of them last took. */
interface Part {
  cells: readonly Cell[]
  warmUpMs: number
  roundMs: number
}

const toPart = (cells: readonly Cell[]): Part => ({ cells, warmUpMs: 0, roundMs: 0 })

/** Opens the arms, measures each payload, and closes the arms. The first rounds are discarded, because V8 compiles during them. */
async function runProcess(
  outcome: Outcome,
  parts: readonly Part[],
  number: number,
  until: number,
  context: Context,
): Promise<void> {
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
    const measure = async (task: Task): Promise<Measurement> =>
      checkMeasurement(inCase, await Promise.race([open.get(arm)!.measure(task, inCase.payload), aborted]))
    try {
      const { warmUpMs: most, task } = inCase
      if (round < 1 && most) return await warmUp(measure, { ...task, ...lengths, loop: 'calls' }, most)
      const measured = await measure({ ...task, ...lengths })
      if (round > 0) processes[number]!.push(measured)
    } catch (error) {
      signal.throwIfAborted()
      cell.error = toError(error)
    }
  }

  /** Measures the cases of one payload, or of those that warm up, once with every arm. */
  async function measureRound(part: Part, round: number): Promise<void> {
    const before = performance.now()
    const warm = part.cells.filter(({ inCase }) => inCase.warmUpMs !== undefined)
    const measured = round < 1 && warm.length > 0 ? warm : part.cells
    const counted = round < 1 ? round : number * rounds + round
    for (const cell of interleave(measured, scenario.arms.length, counted)) await measureCell(cell, counted)
    part[round < 1 ? 'warmUpMs' : 'roundMs'] = performance.now() - before
  }

  try {
    await openAll()
    for (const [at, part] of parts.entries()) {
      const now = performance.now()
      const wanted = parts.slice(at).map(each => getWantedMs(plan, scenario, each))
      const end = now + ((until - now) * wanted[0]!) / sum(wanted)
      let [round, ended]: [number, Outcome['ended']] = [1 - getDiscarded(plan, scenario), undefined]
      while (!(ended = getEnd(part, round, rounds, end))) await measureRound(part, round++)
      outcome.ended = at > 0 && outcome.ended === 'time' ? 'time' : ended
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

/** V8 has compiled the code of a call after so many: before, it takes four to seven times as long, and MessagePack longer than JSON. */
const WARM_CALLS = 100_000
const MOST_SLOTS = 60

/**
 * Measures until calls are enough, or took `mostMs` of CPU time, or half of it and three slots agree: beside other programs, a time would be too short. It
 * does so in slots as long as later ones. After one long slot, the first begin of another made V8 discard the code, and calls took ten times as long.
 */
async function warmUp(measure: (task: Task) => Promise<Measurement>, task: Task, mostMs: number): Promise<void> {
  const times: number[] = []
  let [made, usedMs] = [0, 0]
  while (made < WARM_CALLS && usedMs < mostMs && times.length < MOST_SLOTS) {
    const { cpu = 0, rate = 0 } = await measure(task)
    const calls = (rate * (task.ms + (task.settleMs ?? 0))) / 1e3
    made += calls
    usedMs += (cpu * calls) / 1e3
    if (times.push(cpu) > 3 && usedMs > mostMs / 2 && isStationary(times)) break
  }
}

/** Returns the order of a round. @param cells - all arms of the first case, then all of the second, … */
export const interleave = <T>(cells: readonly T[], arms: number, round: number): T[] =>
  Array.from({ length: cells.length / arms }, (_, at) =>
    orderOf(cells.slice(at * arms, (at + 1) * arms), round - 1),
  ).flat()

/** Returns why no more rounds follow: of precise figures, the planned ones are the least. */
function getEnd({ cells, roundMs }: Part, round: number, rounds: number, end: number): Outcome['ended'] {
  const isLate = performance.now() + roundMs > end
  if (!cells.some(isPrecise)) return round > rounds ? 'rounds' : undefined
  if (round <= rounds) return undefined
  // A round and its reverse belong together.
  return round % 2 === 1 && getWidth(cells) <= 1 ? 'intervals' : isLate ? 'time' : undefined
}

const isPrecise = ({ inCase }: Cell): boolean => inCase.figures.some(({ precise }) => precise !== undefined)

/** Returns the widest interval of a ratio to the reference, as a multiple of what is narrow enough. */
function getWidth(cells: readonly Cell[]): number {
  const widths = cells.flatMap(({ inCase, arm, processes, error }) => {
    const reference = cells.find(cell => cell.inCase === inCase)!
    if (error || reference.error || arm === reference.arm || arm.id.endsWith(AGAIN)) return []
    return inCase.figures.flatMap(({ id, precise }) => {
      const toValues = (all: Measurement[][]): number[][] =>
        all.map(rounds => rounds.map(measured => measured[id] ?? NaN))
      return precise === undefined ? [] : getUncertainty(toValues(processes), toValues(reference.processes)) / precise
    })
  })
  return Math.max(0, ...widths)
}

const getCases = (cells: readonly Cell[]): Case[] => [...new Set(cells.map(({ inCase }) => inCase))]

/** Times as many rounds as so far: more would leave none for the other payloads. */
const MOST_TIMES = 16

/**
 * The time that a payload should have in a process: by the plan at first, then by how wide its intervals still are. Its square would be the rounds that
 * it needs, but then the narrow ones would have so few in this process that they become wide again.
 */
function getWantedMs(plan: Plan, scenario: Scenario, { cells, warmUpMs, roundMs }: Part): number {
  const before = Math.max(...cells.map(({ processes }) => processes.flat().length))
  const rounds = getRounds(plan, scenario)
  if (before === 0) return expectedPartMs(plan, scenario, getCases(cells))
  const times = Math.min(MOST_TIMES, getWidth(cells))
  return warmUpMs + roundMs * Math.max(rounds, before * times)
}

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
  mode: Mode
  /** Number of fresh processes. Each opens all arms of a scenario. */
  processes: number
  /** Rounds of each process before those that count. */
  discarded: number
  /** Rounds of each process. In a round, every case of a payload is measured once with every arm. */
  rounds: number
  /** Length of one measurement. */
  slotMs: number
  /** Approximate length of the run. Scenarios share it by what they need. */
  budgetMs: number
}

/** Differences between processes are in an interval only if there are several. */
export const QUICK: Plan = { mode: 'quick', processes: 2, discarded: 1, rounds: 5, slotMs: 25, budgetMs: 82_000 }
export const FULL: Plan = { mode: 'full', processes: 4, discarded: 1, rounds: 6, slotMs: 25, budgetMs: 480_000 }

/** Approximate time to start and end one process, to open and close one arm, and to request a measurement. */
const [LAUNCH_MS, OPEN_MS, REQUEST_MS] = [150, 250, 3]

/** The part of its longest warm-up that an arm takes, about. */
const WARM_UP_PART = 0.5

/** The plan's budget, or more if the scenarios need more. */
export const getBudgetMs = (plan: Plan, scenarios: readonly Scenario[]): number =>
  Math.max(plan.budgetMs, totalMs(plan, scenarios))

export const getRounds = ({ rounds }: Plan, { roundsShare = 1 }: Scenario): number =>
  Math.max(1, Math.round(rounds * roundsShare))

export const getSlotMs = (plan: Plan, scenario: Scenario, inCase: Case): number =>
  plan.slotMs * (inCase.share ?? scenario.share ?? 1)

const getSettleMs = (plan: Plan, scenario: Scenario, inCase: Case): number =>
  getSlotMs(plan, scenario, inCase) * (inCase.settleShare ?? scenario.settleShare ?? 0)

/** A fresh process has no rounds before. */
const getDiscarded = ({ discarded }: Plan, { spawns }: Scenario): number => (spawns ? 0 : discarded)

/** The time of one payload in one process. */
function expectedPartMs(plan: Plan, scenario: Scenario, cases: readonly Case[]): number {
  const getCaseMs = (inCase: Case): number =>
    getSlotMs(plan, scenario, inCase) + getSettleMs(plan, scenario, inCase) + REQUEST_MS
  const roundMs = sum(cases, getCaseMs)
  const isWarmedUp = cases.some(({ warmUpMs }) => warmUpMs !== undefined)
  const warmUpMs = isWarmedUp ? sum(cases, ({ warmUpMs: most = 0 }) => most * WARM_UP_PART) : roundMs
  const measured = roundMs * getRounds(plan, scenario) + warmUpMs * getDiscarded(plan, scenario)
  return scenario.arms.length * measured
}

export function expectedMs(plan: Plan, scenario: Scenario): number {
  const parts = group(scenario.cases, ({ payload }) => payload).values()
  const measured = sum(parts, cases => expectedPartMs(plan, scenario, cases))
  return plan.processes * (LAUNCH_MS + scenario.arms.length * OPEN_MS + measured)
}

export const totalMs = (plan: Plan, scenarios: readonly Scenario[]): number =>
  sum(scenarios, scenario => expectedMs(plan, scenario))
