// The measuring thread's side of a conversation with the bench process: keeps the payloads that were sent, runs what it is
// asked to, and answers with figures or with what went wrong.
import { callsOf } from '../payloads/document.js'
import type { Payload } from '../payloads/payload.js'
import type { Measurement, Task } from '../task.js'
import { makeReady, type ReadyCall } from './check.js'

export interface Request {
  id: number
  task: Task
  payloadId: string
  /** Sent with the first request that needs it. */
  payload?: Payload
}

export interface Reply {
  id: number
  figures?: Measurement
  error?: string
}

/** Runs one task. */
export type Measure = (task: Task, calls: readonly ReadyCall[]) => Measurement | Promise<Measurement>

export function serve(measure: Measure): (request: Request) => Promise<Reply> {
  const ready = new Map<string, readonly ReadyCall[]>()
  return async ({ id, task, payloadId, payload }) => {
    try {
      if (payload) ready.set(payloadId, callsOf(payload).map(makeReady))
      return { id, figures: await measure(task, ready.get(payloadId) ?? []) }
    } catch (error) {
      return { id, error: error instanceof Error ? error.message : String(error) }
    }
  }
}
