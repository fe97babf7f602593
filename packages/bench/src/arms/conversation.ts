// Requests to a measuring thread and their answers, over whatever reaches it. Every request has an end: its answer, a
// failure of the thread, or a deadline, so that a benchmark can't hang.
import type { Payload } from '../payloads/payload.js'
import type { Measurement, Task } from '../task.js'
import type { Reply, Request } from '../workers/serve.js'

/** How long a task may take beyond the time it was given: checks, large documents, a busy machine. */
const GRACE_MS = 30_000

export interface Conversation {
  measure(task: Task, payload: Payload): Promise<Measurement>
  /** To be called with whatever comes back. */
  receive(reply: Reply): void
  /** The thread is gone: whatever waits, and whatever comes, fails with this. */
  fail(error: Error): void
}

interface Waiting {
  resolve(figures: Measurement): void
  reject(error: Error): void
  timer: NodeJS.Timeout
}

export function converse(send: (request: Request) => unknown, graceMs: number = GRACE_MS): Conversation {
  const waiting = new Map<number, Waiting>()
  let requests = 0
  const sent = new Set<Payload>()
  let failure: Error | undefined

  const take = (id: number): Waiting | undefined => {
    const found = waiting.get(id)
    waiting.delete(id)
    clearTimeout(found?.timer)
    return found
  }

  return {
    measure: (task, payload) =>
      new Promise((resolve, reject) => {
        if (failure) return reject(failure)
        const id = ++requests
        const late = (): void => take(id)?.reject(new Error(`no answer after ${task.ms + graceMs} ms`))
        waiting.set(id, { resolve, reject, timer: setTimeout(late, task.ms + graceMs) })
        const request = { id, task, payloadId: payload.id }
        Promise.resolve(send(sent.has(payload) ? request : { ...request, payload })).catch((error: unknown) =>
          take(id)?.reject(error instanceof Error ? error : new Error(String(error))),
        )
        sent.add(payload)
      }),
    receive: ({ id, figures, error }) => {
      const found = take(id)
      if (figures) found?.resolve(figures)
      else found?.reject(new Error(error ?? 'an answer without figures'))
    },
    fail: error => {
      failure ??= error
      for (const id of [...waiting.keys()]) take(id)?.reject(error)
    },
  }
}
