// Deadlines of requests to other threads and processes.
import { setTimeout as delay } from 'node:timers/promises'

/** @param failed - rejects when there will be no answer. @throws Error if `answer` takes longer than `ms`, or what `failed` rejects with */
export async function withDeadline<T>(answer: Promise<T>, ms: number, failed: Promise<never>): Promise<T> {
  const timer = new AbortController()
  const late = delay(ms, undefined, { signal: timer.signal }).then((): never => {
    throw new Error(`No answer within ${ms} ms`)
  })
  try {
    return await Promise.race([answer, late, failed])
  } finally {
    timer.abort()
  }
}
