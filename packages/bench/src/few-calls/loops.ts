// The loops of few calls in a host's thread. `frontends/few-calls.js` has the same loops for sandboxes.
import { setTimeout as delay } from 'node:timers/promises'
import type { Call } from '../payloads/payloads.js'
import { sharedClock } from '../shared/clock.js'

/** The answers that are timed: the first, the 99th after it, and the 900th after that. */
export const MARKS = [1, 100, 1000] as const

/** The times of the answers in `MARKS` by the shared clock, in µs. */
export type Marks = [first: number, second: number, third: number]

/** Pause before the first of the calls with pauses, in which the caller of `callEach` reads the CPU time. */
export const LEAD_MS = 60

export type MakeCall = (command: string, args: object) => Promise<unknown>

async function callOnce(call: MakeCall, { command, args, expected }: Call): Promise<void> {
  const answer = await call(command, args as object)
  if (answer !== expected) throw new Error(`'${command}' returned ${String(answer)}; expected ${String(expected)}`)
}

/** Makes the first calls of a process, one at a time. */
export async function makeFirstCalls(call: MakeCall, greet: Call): Promise<Marks> {
  const marks: number[] = []
  for (let count = 1; count <= MARKS.at(-1)!; count++) {
    await callOnce(call, greet)
    if (count === MARKS[marks.length]) marks.push(sharedClock())
  }
  return marks as Marks
}

/** Makes `count` calls, each after `pauseMs`. Returns the time of each in µs. */
export async function callEach(call: MakeCall, greet: Call, pauseMs: number, count: number): Promise<number[]> {
  const latencies: number[] = []
  await delay(LEAD_MS)
  for (let made = 0; made < count; made++) {
    await delay(pauseMs)
    const start = sharedClock()
    await callOnce(call, greet)
    latencies.push(sharedClock() - start)
  }
  return latencies
}
