// Says when a process has used more than it may: memory at once, a core over a while.
import { readFileSync } from 'node:fs'
import type { ProcessLimits } from './messages.js'

const CPU_WINDOW_MS = 10_000
/** How often to look. Memory may grow by some hundred MiB between two looks. */
export const LOOK_EVERY_MS = 100
const MIB: number = 2 ** 20

/** @returns what finds in one look after the other, each with its time in milliseconds, why the process must end */
export function createJudge({ memory, cpu }: ProcessLimits): (usage: Usage, now: number) => string | undefined {
  /** Looks within the window, and the last one before it. */
  const looks: { at: number; cpu: number }[] = []
  return (usage, now) => {
    if (memory !== undefined && usage.memory > memory * MIB) {
      return `uses ${Math.ceil(usage.memory / MIB)} MiB of memory, and may use ${memory}`
    }
    if (cpu === undefined) return undefined
    looks.push({ at: now, cpu: usage.cpu })
    while (looks.length > 1 && now - looks[1]!.at >= CPU_WINDOW_MS) looks.shift()
    const first = looks[0]!
    const time = now - first.at
    if (time < CPU_WINDOW_MS) return undefined
    const share = (usage.cpu - first.cpu) / time
    if (share <= cpu) return undefined
    return `has used ${share.toFixed(2)} of a core for ${CPU_WINDOW_MS / 1000} s, and may use ${cpu}`
  }
}

// What a process uses, as Linux tells it in /proc. Read at once: a few microseconds each. Elsewhere there is no such thing,
// and the option that asks for it is refused.

export interface Usage {
  /** Bytes that are resident. */
  memory: number
  /** Milliseconds of a core, of all its threads, since it began. */
  cpu: number
}

/** Linux counts in these for programs, on every machine that Node runs on. */
const TICKS_PER_SECOND = 100

/** `undefined` where there is no such process any more. */
export function readUsage(pid: number): Usage | undefined {
  try {
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
    // The name of the program stands in brackets, and may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ')
    const ticks = Number(stat[11]) + Number(stat[12])
    return { memory: Number(resident?.[1] ?? 0) * 1024, cpu: (ticks * 1000) / TICKS_PER_SECOND }
  } catch {
    return undefined
  }
}
