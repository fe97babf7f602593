// The measuring thread's side of its conversation with the bench process, outside of what is measured: keeps the payloads, runs
// the loops, and answers with figures or an error.
import { parentPort } from 'node:worker_threads'
import type { Loop, Measurement, Task } from '../model/scenario.js'
import { getCalls, type Payload } from '../payloads/payloads.js'
import * as calls from './calls.js'
import * as messages from './messages.js'
import { measureOpenCalls, measureOverload } from './open-loop.js'
import { expectFailure, prepareCall, takeSamples, type Calls, type MeasureLoop, type Subject } from './subject.js'

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

/** The events of the bus by which the bench process and a frontend talk. `crash` is announced by `crashing`. */
export const BENCH_EVENT = {
  ready: 'bench-ready',
  request: 'bench-request',
  reply: 'bench-reply',
  listening: 'bench-listening',
  crash: 'bench-crash',
  crashing: 'bench-crashing',
} as const

export interface Ready {
  /** When the frontend had its first answer, by the shared clock. A frontend without a clock sends no such object. */
  at: number
}

export type Measure = (task: Task, calls: Calls) => Measurement | Promise<Measurement>

const LOOPS: Partial<Record<Loop, MeasureLoop>> = {
  calls: calls.measureCalls,
  sparse: calls.measureSparseCalls,
  giving: calls.measureTransfers,
  cancel: calls.measureCancel,
  'recover-core': calls.measureRecovery,
  open: measureOpenCalls,
  overload: measureOverload,
  'events-in': messages.measureEventsIn,
  'events-out': messages.measureEventsOut,
  stream: messages.measureStream,
  listeners: messages.measureListeners,
  'fan-out': messages.measureFanOut,
  'slow-consumer': messages.measureSlowConsumer,
}

/** Returns all loops that an arm with two sides can run. With a time to settle, a loop runs twice and the second run counts. */
export const createLoops =
  (subject: Subject): Measure =>
  async (task, calls) => {
    if (task.loop === 'samples') return takeSamples()
    const measure = LOOPS[task.loop]
    if (!measure) throw new Error(`This arm has no loop '${task.loop}'`)
    const { ms, settleMs = 0 } = task
    const target = calls[0]?.fails ? expectFailure(subject) : subject
    if (settleMs > 0) await measure(target, calls, { ...task, ms: settleMs })
    return measure(target, calls, { ...task, ms })
  }

export function serve(measure: Measure): (request: Request) => Promise<Reply> {
  const prepared = new Map<string, Calls>()
  return async ({ id, task, payloadId, payload }) => {
    try {
      if (payload) prepared.set(payloadId, getCalls(payload).map(prepareCall))
      return { id, figures: await measure(task, prepared.get(payloadId) ?? []) }
    } catch (error) {
      return { id, error: error instanceof Error ? error.message : String(error) }
    }
  }
}

/** Serves the bench process over the port of this worker. */
export function serveParent(measure: Measure): void {
  const answer = serve(measure)
  parentPort?.on('message', (request: Request) => void answer(request).then(reply => parentPort?.postMessage(reply)))
}
