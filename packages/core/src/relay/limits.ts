// Limits of a frontend's process: memory at any moment, and CPU time over ten seconds. Linux only, as usage is read from /proc;
// elsewhere the options are rejected.
import { readFileSync } from 'node:fs'
import type { ProcessLimits } from './messages.js'

const CPU_WINDOW_MS = 10_000
/** Interval of checks. Memory can grow by some hundred MiB between two of them. */
export const CHECK_INTERVAL_MS = 100
const MIB: number = 2 ** 20
/** Linux counts CPU time in ticks of this length for programs, on every machine that Node runs on. */
const TICKS_PER_SECOND = 100

/** Returns a function that takes one sample after another, and returns which limit was exceeded, if any. */
export function createLimitCheck({ memory, cpu }: ProcessLimits): (usage: Usage, now: number) => string | undefined {
  /** Samples within the window, and the last one before it. */
  const samples: { at: number; cpu: number }[] = []
  return (usage, now) => {
    if (memory !== undefined && usage.memory > memory * MIB) {
      return `used ${Math.ceil(usage.memory / MIB)} MiB of memory (limit: ${memory} MiB)`
    }
    if (cpu === undefined) return undefined
    samples.push({ at: now, cpu: usage.cpu })
    while (samples.length > 1 && now - samples[1]!.at >= CPU_WINDOW_MS) samples.shift()
    const oldest = samples[0]!
    const time = now - oldest.at
    if (time < CPU_WINDOW_MS) return undefined
    const share = (usage.cpu - oldest.cpu) / time
    if (share <= cpu) return undefined
    return `used ${share.toFixed(2)} of a core for ${CPU_WINDOW_MS / 1000} s (limit: ${cpu})`
  }
}

export interface Usage {
  /** Resident bytes. */
  memory: number
  /** Milliseconds of CPU time of all threads since the process started. */
  cpu: number
}

/** Returns `undefined` if the process has exited. Synchronous, because reading /proc takes a few microseconds. */
export function readUsage(pid: number): Usage | undefined {
  try {
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
    // The name of the program is in parentheses and can contain anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ')
    const ticks = Number(stat[11]) + Number(stat[12])
    return { memory: Number(resident?.[1] ?? 0) * 1024, cpu: (ticks * 1000) / TICKS_PER_SECOND }
  } catch {
    return undefined
  }
}
