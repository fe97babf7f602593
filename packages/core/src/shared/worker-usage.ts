// What a thread or process uses, as far as its limits measure it. Reading it measures nothing.
import { Worker } from 'node:worker_threads'
import { getMeasuredHeap } from './heap-limit.js'

export interface WorkerUsage {
  /** Bytes: of a process, resident; of a thread, its heap. `undefined` before the first reading. */
  memory?: number | undefined
  /** Milliseconds so far: of a process, CPU time; of a thread, for which its event loop was busy. */
  cpu?: number | undefined
}

export interface UsageSource {
  /** Returns what it uses, if its limits are measured elsewhere than in this thread. */
  readUsage?(): WorkerUsage | undefined
}

/** Returns `undefined` for a thread that others share. */
export function readUsage(thread: UsageSource): WorkerUsage | undefined {
  if (!(thread instanceof Worker)) return thread.readUsage?.()
  return { memory: getMeasuredHeap(thread), cpu: thread.performance.eventLoopUtilization().active }
}
