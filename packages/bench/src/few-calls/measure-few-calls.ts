// Measures one arm of `few-calls` in a fresh process, and derives its figures.
import type { Measurement } from '../model/scenario.js'
import type { Call } from '../payloads/payloads.js'
import { measureFresh } from '../run/measure-fresh.js'
import { median } from '../statistics/median.js'
import { MARKS, type Marks } from './loops.js'

/** Calls that are made one at a time, each after a pause. */
export interface Pauses {
  pauseMs: number
  count: number
}

export interface FewCallsJob {
  arm: string
  greet: Call
  pauses: readonly Pauses[]
}

export interface FewCalls {
  /** The time before the import by the shared clock, in µs. */
  start: number
  marks: Marks
  /** For each of the job's `pauses`: the time of each call, if the caller has a clock, and the CPU time for each, if it is known, in µs. */
  paused: readonly { times?: readonly number[]; cpu?: number }[]
}

/** The part of a measurement that waits between calls each 20 ms. Starts, the first calls and settling take the rest. */
const PAUSED_PART = 0.39

/** Calls each 250 ms are left out if there is no time for two. */
const MIN_RARE = 2

export function planPauses(ms: number): Pauses[] {
  const rare = { pauseMs: 250, count: Math.floor((ms * PAUSED_PART) / 250) }
  const usual = { pauseMs: 20, count: Math.max(1, Math.floor((ms * PAUSED_PART) / 20)) }
  return rare.count < MIN_RARE ? [usual] : [usual, rare]
}

export async function measureFewCalls(arm: string, ms: number, greet: Call): Promise<Measurement> {
  return toFigures(await measureFresh<FewCallsJob, FewCalls>('few-calls', { arm, greet, pauses: planPauses(ms) }))
}

export function toFigures({ start, marks, paused: [usual, rare] }: FewCalls): Measurement {
  const [first, second, third] = marks
  const figures = {
    ready: first - start,
    first: (second - first) / (MARKS[1] - MARKS[0]),
    next: (third - second) / (MARKS[2] - MARKS[1]),
    p50: usual?.times && median(usual.times),
    cpu: usual?.cpu,
    'rare-p50': rare?.times && median(rare.times),
    'rare-cpu': rare?.cpu,
  }
  return Object.fromEntries(
    Object.entries(figures).flatMap(([id, value]) => (value === undefined ? [] : [[id, value]])),
  )
}
