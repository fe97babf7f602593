// What a process uses, as Linux tells it in /proc. Read at once: a few microseconds each. Elsewhere there is no such thing,
// and the option that asks for it is refused.
import { readFileSync } from 'node:fs'

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
