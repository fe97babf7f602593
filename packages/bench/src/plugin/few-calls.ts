// Measures the first calls of a process, and calls with pauses. Nothing that an arm shares with others is loaded before the start.
import { setTimeout as delay } from 'node:timers/promises'
import type { Measurement } from '../scenarios/scenario.js'
import type { Call } from '../scenarios/payloads.js'
import { HostCode } from './host-code.js'
import { getPluginKind } from './plugin-kinds.js'
import { median } from '../shared/statistics.js'
import { lacksProcessTree, startTreeCpuClock } from '../run/process-tree.js'

export interface FewCallsJob {
  /** A kind of plugin, whose function the host calls. */
  plugin: string
  greet: Call
  /** The number of calls with a pause before each. */
  count: number
}

export const PAUSE_MS = 20

/** The part of a measurement that waits between calls. Starts, the first calls and settling take the rest. */
const PAUSED_PART = 0.39

/** Returns the number of calls with pauses in the time of a measurement. */
export const getPausedCalls = (ms: number): number => Math.max(1, Math.floor((ms * PAUSED_PART) / PAUSE_MS))

/** The answers that are timed: the first, the 99th after it, and the 900th after that. */
const MARKS = [1, 100, 1000] as const

/** Time for the garbage and the compilations of the calls before. */
const SETTLE_MS = 100

export async function measureFewCalls({ plugin, greet, count }: FewCallsJob): Promise<Measurement> {
  const start = performance.now()
  const host = await getPluginKind(plugin)(new HostCode())
  const { request } = await host.start('plugin')
  const callOnce = async (): Promise<void> => {
    const answer = await request('greet', greet.args as object)
    if (answer !== greet.expected)
      throw new Error(`greet returned ${String(answer)}; expected ${String(greet.expected)}`)
  }
  const marks: number[] = []
  for (let made = 1; made <= MARKS.at(-1)!; made++) {
    await callOnce()
    if (made === MARKS[marks.length]) marks.push(performance.now())
  }
  await delay(SETTLE_MS)
  const seldom = await callEach(callOnce, count)
  await host.close?.()
  const [first, second, third] = marks as [number, number, number]
  return {
    ready: (first - start) * 1e3,
    first: ((second - first) / (MARKS[1] - MARKS[0])) * 1e3,
    next: ((third - second) / (MARKS[2] - MARKS[1])) * 1e3,
    ...seldom,
  }
}

/**
 * Makes calls one at a time, each after a pause. The CPU time of the process and its children contains a pause after each call. It is left
 * out if children cannot be read.
 */
export async function callEach(callOnce: () => Promise<unknown>, count: number): Promise<Measurement> {
  const times: number[] = []
  await delay(PAUSE_MS)
  const readCpu = startTreeCpuClock()
  for (let made = 0; made < count; made++) {
    const start = performance.now()
    await callOnce()
    times.push(performance.now() - start)
    await delay(PAUSE_MS)
  }
  const cpu = readCpu() / count
  return { p50: median(times) * 1e3, ...(lacksProcessTree() === undefined && { cpu }) }
}
