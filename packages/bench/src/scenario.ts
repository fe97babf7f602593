// A scenario is a question: the arms that can answer it, and the cases they are measured in, in turns. It is plain data;
// everything that runs is in the arms.
import type { Arm } from './arm.js'
import type { Payload } from './payloads/payload.js'
import type { Task } from './task.js'

export interface FigureKind {
  /** The name that the measurement gives it. */
  id: string
  title: string
  /** `%` is of one core, or of all that was tried; `B` are bytes of memory; `` is a plain number. */
  unit: 'µs' | '/s' | '%' | 'B' | ''
  better: 'lower' | 'higher'
  /** Reported, and left out of the tables, which have no room for all. */
  aside?: true
}

export interface Case {
  id: string
  title: string
  task: Omit<Task, 'ms'>
  /** What an arm warms up with, where that is not the task itself. */
  warmUp?: Omit<Task, 'ms'>
  payload: Payload
  figures: readonly FigureKind[]
}

export interface Beside {
  end(): Promise<void>
}

export interface Scenario {
  id: string
  title: string
  /** Measured without a filter; others only by their names, or with `--all`. */
  main?: true
  /** One sentence: what is measured, and what the reference is. */
  about: string
  /** The first one is the reference of the others. */
  arms: readonly [Arm, ...Arm[]]
  cases: readonly Case[]
  /** How its table reads: one row for each arm, or one for each case. */
  rows: 'arms' | 'cases'
  /** How long one measurement takes, as a part of the plan’s; 1 where it is not given. */
  share?: number
  /** How long an arm warms up, as a part of the plan’s; 1 where it is not given, and with 0 there is none. */
  warmUpShare?: number
  /** How long it settles before each measurement, as a part of that measurement’s length; 0 where it is not given. */
  settleShare?: number
  /** How many rounds, as a part of the plan’s; 1 where it is not given. */
  roundsShare?: number
  /** What it needs and this machine has not: then it is left out, with this word. */
  lacks?(): string | undefined
  /** Starts what goes on meanwhile; it ends with the scenario. */
  beside?(): Promise<Beside>
}

export const latency = (id: string, title: string): FigureKind => ({ id, title, unit: 'µs', better: 'lower' })
export const cpuTime: FigureKind = latency('cpu', 'CPU each')
export const rate = (id: string, title: string): FigureKind => ({ id, title, unit: '/s', better: 'higher' })
