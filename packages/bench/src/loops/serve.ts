// Serves the bench process in the measuring thread: keeps the payloads, runs the loops, and replies with figures or an error.
import { parentPort } from 'node:worker_threads'
import type { Loop, Measurement, Task } from '../model/scenario.js'
import type { Payload } from '../payloads/payloads.js'
import * as calls from './calls.js'
import { measureStream } from './messages.js'
import { measureOpenCalls } from './open-loop.js'
import { isStationary, median } from '../statistics/median.js'
import { prepareCall, type Calls, type MeasureLoop, type Subject } from './subject.js'

export interface Request {
  id: number
  task: Task
  payloadId: string
  /** Sent with the first request of this payload. */
  payload?: Payload
}

export interface Reply {
  id: number
  figures?: Measurement
  error?: string
}

/** Events between the bench process and a frontend. */
export const BENCH_EVENT = {
  ready: 'bench-ready',
  request: 'bench-request',
  reply: 'bench-reply',
} as const

export type Measure = (task: Task, calls: Calls) => Measurement | Promise<Measurement>

const LOOPS: Partial<Record<Loop, MeasureLoop>> = {
  calls: calls.measureCalls,
  sparse: calls.measureSparseCalls,
  giving: calls.measureTransfers,
  burst: calls.measureBursts,
  open: measureOpenCalls,
  stream: measureStream,
}

/** Parts of a measurement with a settling time. */
const PARTS = 8

/**
 * Returns the median of the parts from the first three that agree, or of the second half. A ring that slept must begin to poll, and a short
 * disturbance is in one part only.
 */
async function measureParts(measure: (ms: number) => Promise<Measurement>, totalMs: number): Promise<Measurement> {
  const parts: Measurement[] = []
  const end = performance.now() + totalMs
  do parts.push(await measure(totalMs / PARTS))
  while (performance.now() < end)
  const values = parts.map(({ p50, rate, each = 0 }) => p50 ?? rate ?? each)
  const first = values.findIndex((_, index) => isStationary(values.slice(index, index + 3)))
  const kept = parts.slice(first < 0 ? parts.length / 2 : first)
  const names = Object.keys(parts[0]!)
  const figures = Object.fromEntries(names.map(name => [name, median(kept.map(part => part[name]!))]))
  return { ...figures, stationary: Number(first >= 0) }
}

/** Runs the loop of a task. With a settling time, the figure `stationary` is 1 or 0. */
export const createLoops =
  (subject: Subject): Measure =>
  async (task, calls) => {
    const loop = LOOPS[task.loop]
    if (!loop) throw new Error(`This arm has no loop '${task.loop}'`)
    const { ms, settleMs = 0 } = task
    const measure = (length: number): Promise<Measurement> => loop(subject, calls, { ...task, ms: length })
    return settleMs === 0 ? measure(ms) : measureParts(measure, settleMs + ms)
  }

export function serve(measure: Measure): (request: Request) => Promise<Reply> {
  const prepared = new Map<string, Calls>()
  return async ({ id, task, payloadId, payload }) => {
    try {
      if (payload) prepared.set(payloadId, payload.calls.map(prepareCall))
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
