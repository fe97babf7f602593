// The data model. A scenario is a question: plain data that names the arms that can answer it, and the cases to measure them in.
import type { Payload } from '../payloads/payloads.js'

/**
 * - `calls`: calls and their answers, `inFlight` at a time · `sparse`: one call after 4 ms of silence, again and again
 * - `burst`: 40 calls, one after the other, after 60 ms of silence · `open`: `perSecond` calls a second, each sent when it is due
 * - `giving`: bytes there and back, transferred by both sides
 */
type CallLoop = 'calls' | 'sparse' | 'burst' | 'open' | 'giving'
/**
 * - `events-in`: events from core to the measuring thread · `events-out`: the other direction
 * - `listeners`: events to `size` listeners, one after the other · `fan-out`: each event to `size` frontends
 * - `stream`: channels that core fills, one after the other
 */
type MessageLoop = 'events-in' | 'events-out' | 'listeners' | 'fan-out' | 'stream'
/**
 * The loops that a measuring thread can run. `codec`: `inFlight` messages written and read within one thread · `start`: from nothing to
 * the first reply · `idle`: silence after a start · `memory`: what frontends occupy
 */
export type Loop = CallLoop | MessageLoop | 'codec' | 'start' | 'idle' | 'memory'

/** One measurement to make: plain data, because tasks cross threads. */
export interface Task {
  loop: Loop
  /** A slow operation is always measured at least once. */
  ms: number
  /** More time for the same, of which the part before it is stationary is discarded: threads wake up, and polling begins. */
  settleMs?: number
  inFlight?: number
  /** Calls a second of an open loop. */
  perSecond?: number
  /** Number of listeners or frontends. */
  size?: number
}

/** Figures by name: µs for durations, per second for rates, % for parts of a core, bytes for memory. */
export type Measurement = Record<string, number>

/** One way of carrying messages: a bare MessagePort, another library, or the bus with one set of options. */
export interface Arm {
  /** Name in filters and reports: lower case, with dashes. */
  id: string
  title: string
  /** Starts fresh threads. They end when `close` is called, or when `open` rejects. */
  open(): Promise<OpenArm>
}

/** The first one is the reference of the others. */
export type Arms = readonly [Arm, ...Arm[]]

export interface OpenArm {
  /** Runs one task with one payload, and checks the answers outside of the measured time. */
  measure(task: Task, payload: Payload): Promise<Measurement>
  close(): Promise<void>
}

export interface FigureKind {
  /** Its name in a `Measurement`. */
  id: string
  title: string
  /** `%` is of one core, or of all attempts; `B` are bytes of memory; `` is a plain number. */
  unit: 'µs' | '/s' | '%' | 'B' | ''
  better: 'lower' | 'higher'
  /** Reported, but not shown in tables. */
  aside?: true
}

export interface Case {
  id: string
  title: string
  task: Omit<Task, 'ms'>
  /** The task to warm up with, if it is not `task`. */
  warmUp?: Omit<Task, 'ms'>
  payload: Payload
  figures: readonly FigureKind[]
  /** Replace those of the scenario. */
  share?: number
  settleShare?: number
  /** Measurements of each arm in a round: many short ones find the threads on many combinations of cores. @default 1 */
  repeats?: number
}

/** Something that goes on while a scenario is measured. */
export type Background = { end(): Promise<void> }

export interface Scenario {
  id: string
  title: string
  /** Measured without a filter; other scenarios only by name, or with `--all`. */
  main?: true
  /** One sentence: what is measured, and what the reference is. */
  about: string
  /** The first one is the reference of the others. */
  arms: readonly [Arm, ...Arm[]]
  cases: readonly Case[]
  /** Whether its table has one row for each arm or for each case. */
  rows: 'arms' | 'cases'
  /** Length of one measurement, as a multiple of the plan's. @default 1 */
  share?: number
  /** Length of an arm's warm-up, as a multiple of the plan's; 0 leaves it out. @default 1 */
  warmUpShare?: number
  /** Time to settle in each measurement, as a multiple of that measurement's length. @default 0 */
  settleShare?: number
  /** Number of rounds, as a multiple of the plan's. @default 1 */
  roundsShare?: number
  /** Returns what the scenario needs and this machine lacks. The scenario is then left out, and the run says why. */
  lacks?(): string | undefined
  /** Arms have processes of their own, whose CPU time cannot be told from that of other programs. */
  spawns?: true
  /** Starts something that goes on meanwhile, and ends with the scenario. */
  background?(): Promise<Background>
}

/** Id of the A/A scenario, which comes along with every run. */
export const NOISE = 'noise'

export const latency = (id: string, title: string): FigureKind => ({ id, title, unit: 'µs', better: 'lower' })
export const rate = (id: string, title: string): FigureKind => ({ id, title, unit: '/s', better: 'higher' })
