// The CPU time of the thread that asks: newer versions of Node read it themselves, and Linux for the others.
import { openSync, readSync } from 'node:fs'

/** Of Linux: the time that the thread which opens it has run, in ns, and two other numbers. */
const FILE = '/proc/thread-self/schedstat'
const MAX_BYTES = 64

function openClock(): number | undefined {
  try {
    return openSync(FILE, 'r')
  } catch {
    return undefined
  }
}

function createClock(): () => number {
  const { threadCpuUsage } = process as { threadCpuUsage?: () => NodeJS.CpuUsage }
  const descriptor = threadCpuUsage ? undefined : openClock()
  if (descriptor === undefined) {
    return () => {
      const { user, system } = threadCpuUsage ? threadCpuUsage.call(process) : process.cpuUsage()
      return user + system
    }
  }
  const buffer = Buffer.alloc(MAX_BYTES)
  return () => Number.parseInt(buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, MAX_BYTES, 0)), 10) / 1000
}

/** Returns the CPU time of this thread in µs, or of the whole process, which is more, where neither Node nor the system tells. */
export const readThreadCpuTime: () => number = createClock()
