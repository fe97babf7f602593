// The data model. A scenario measures several arms in several cases.
import type { Payload } from './payloads.js'

/**
 * The loops that a measuring thread can run:
 * - `calls`: `inFlight` calls at a time · `sparse`: one call after 4 ms of silence · `burst`: 40 calls after 60 ms of silence
 * - `load`: calls that are offered at fixed rates · `cipher`: sealing and opening
 * - `few-calls`: the first calls of a process, and calls each 20 ms · `sandbox`: the start of one plugin · `plugin`: its life
 * - `many`: the lives of `count` plugins
 */
export type Loop = 'calls' | 'sparse' | 'burst' | 'load' | 'few-calls' | 'sandbox' | 'plugin' | 'many' | 'cipher'

/** The parameters of one measurement: plain data, because tasks cross threads. */
export interface Task {
  loop: Loop
  /** A slow operation is measured at least once. */
  ms: number
  /** Additional time before, for threads to wake up and polls to begin. */
  settleMs?: number
  inFlight?: number
  count?: number
}

/** Figures by their ids. */
export type Measurement = Record<string, number>

/** A bare MessagePort, another library, or the bus with certain options. */
export interface Arm {
  /** Name in filters and reports: lower case, with dashes. */
  id: string
  title: string
  /** Returns why this machine cannot measure the arm, which is then left out; with its reference, the scenario is. */
  lacks?(): string | undefined | Promise<string | undefined>
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
  id: string
  title: string
  /** `B` are bytes of memory; `` is a plain number. */
  unit: 'µs' | '/s' | 'B' | ''
  better: 'lower' | 'higher'
  /** Rounds go on until half the width of each ratio's interval is at most this part of the ratio, or the time is over. */
  precise?: number
}

export interface Case {
  id: string
  title: string
  /** A quick run without a filter leaves it out: two sizes that are told are better than four of which none is. */
  from?: 'full'
  task: Omit<Task, 'ms'>
  /** The most CPU time to warm up, with the task of many. In the rounds that are discarded, the other cases of the payload then have none. */
  warmUpMs?: number
  payload: Payload
  figures: readonly FigureKind[]
  /** Replaces the scenario's value. */
  share?: number
  settleShare?: number
}

export interface Scenario {
  id: string
  title: string
  /** The shortest run without a filter that measures it. Other scenarios are measured only by name. */
  from?: Mode
  /** One sentence: what is measured, and what the reference is. */
  about: string
  arms: Arms
  cases: readonly Case[]
  /** Whether its table has one row for each arm or for each case. */
  rows: 'arms' | 'cases'
  /** Length of one measurement, as a multiple of the plan's. @default 1 */
  share?: number
  /** Time to settle in each measurement, as a multiple of that measurement's length. @default 0 */
  settleShare?: number
  /** Number of rounds, as a multiple of the plan's. @default 1 */
  roundsShare?: number
  /** The arms start processes, whose CPU time cannot be told apart from the time of other programs. */
  spawns?: true
}

/** `quick` runs are shorter and less precise. */
export type Mode = 'quick' | 'full'

/** Ends the id of an arm that is the same as the one without it (A/A). */
export const AGAIN = '-again'

/** Adds the reference a second time. It is opened and measured as all others: as far as the two differ, nothing else can be told apart. */
export const withAgain = ([first, ...others]: Arms): Arms => [
  first,
  { ...first, id: `${first.id}${AGAIN}`, title: `${first.title}, again` },
  ...others,
]

/** Suffix of the case that sends one message at a time. */
export const ALONE = '-alone'

/** Begins the id of a scenario of a user's payload. */
export const PAYLOAD_PREFIX = 'payload-'

export const latency = (id: string, title: string): FigureKind => ({ id, title, unit: 'µs', better: 'lower' })
export const rate = (id: string, title: string): FigureKind => ({ id, title, unit: '/s', better: 'higher' })
