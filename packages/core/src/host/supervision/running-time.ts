// The time for which a thread runs, as another thread can see it.
import type { Worker } from 'node:worker_threads'

export interface RunningThread {
  /** How long its event loop was busy. Absent if other workers share the loop. */
  readonly performance?: Worker['performance'] | undefined
  /** Milliseconds of CPU time of its process. By default, of this one. */
  readProcessCpuMs?(): number
}

/** Share of the time in which a thread waits within its code that counts: for something that never comes, but also for a core of a busy machine. */
const WAITING_SHARE = 0.1

const readCpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/**
 * Returns a function that reads the milliseconds for which a thread has run since the function was first called: time in which its event loop does not wait to be
 * woken, and for which this process has used a core. Returns `undefined` where that is unknown.
 */
export function createRunningTime(thread: RunningThread): () => number | undefined {
  let last: { active: number; cpu: number } | undefined
  let running = 0
  return () => {
    const { performance } = thread
    // It is not charged for what passes until it can tell again.
    if (!performance) return (last = undefined)
    const { active } = performance.eventLoopUtilization()
    const cpu = thread.readProcessCpuMs?.() ?? readCpuMs()
    const passed = active - (last?.active ?? active)
    running += Math.max(Math.min(passed, cpu - (last?.cpu ?? cpu)), passed * WAITING_SHARE)
    last = { active, cpu }
    return running
  }
}
