// Says when a process has used more than it may: memory at once, a core over a while.
import type { ProcessLimits } from './relay-data.js'
import type { Usage } from './usage.js'

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
