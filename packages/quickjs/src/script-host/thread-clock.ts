// The CPU time of the thread that asks: newer versions of Node read it themselves, and Linux for the others.
import { closeSync, openSync, readSync } from 'node:fs'
import { THREAD_TIME_FILE } from '@sallyport/protocol/internal/contract'

const MAX_BYTES = 64

/** Returns a function that reads the CPU time of this thread in µs, or of the whole process, which is more, where nothing tells that of a thread. */
export function createThreadClock(file: string = THREAD_TIME_FILE): () => number {
  const { threadCpuUsage } = process as { threadCpuUsage?: () => NodeJS.CpuUsage }
  const readFile = threadCpuUsage ? undefined : openClock(file)
  if (readFile) return readFile
  return () => {
    const { user, system } = threadCpuUsage ? threadCpuUsage.call(process) : process.cpuUsage()
    return user + system
  }
}

function openClock(file: string): (() => number) | undefined {
  const buffer = Buffer.alloc(MAX_BYTES)
  try {
    const descriptor = openSync(file, 'r')
    const read = (): number => {
      const length = readSync(descriptor, buffer, 0, MAX_BYTES, 0)
      return Number.parseInt(buffer.toString('latin1', 0, length), 10) / 1000
    }
    if (read() > 0) return read
    closeSync(descriptor)
    return undefined
  } catch {
    return undefined
  }
}
