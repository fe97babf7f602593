// Serves the bench process in the measuring thread: keeps the payloads, and runs the loops.
import type { Payload } from '../scenarios/payloads.js'
import type { Loop, Measurement, Task } from '../scenarios/scenario.js'
import { isStationary, median } from '../shared/statistics.js'
import * as calls from './calls.js'
import { type Calls, type MeasureLoop, prepareCall, type Subject } from './calls.js'
import { getChunk } from './peers.js'

export interface Request {
  task: Task
  payloadId: string
  /** Sent with the first request of this payload. */
  payload?: Payload
}

/** Messages of one channel. */
const STREAM = 4096

const measureStream: MeasureLoop = async (subject, _calls, { ms }) => {
  let received = 0
  let messages = 0
  const start = performance.now()
  do {
    let next = 0
    // A message that is lost or out of order is not counted.
    await subject.stream('download', STREAM, message => {
      if (getChunk(message) === next++) received++
    })
    messages += STREAM
  } while (performance.now() < start + ms)
  if (received !== messages) throw new Error(`${received} of ${messages} messages arrived in order`)
  return { rate: (messages / (performance.now() - start)) * 1e3 }
}

const LOOPS: Partial<Record<Loop, MeasureLoop>> = {
  calls: calls.measureCalls,
  sparse: calls.measureSparseCalls,
  burst: calls.measureBursts,
  open: calls.measureOpenCalls,
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
  return Object.fromEntries(names.map(name => [name, median(kept.map(part => part[name]!))]))
}

export async function measureTask(subject: Subject, calls: Calls, task: Task): Promise<Measurement> {
  const loop = LOOPS[task.loop]
  if (!loop) throw new Error(`This arm has no loop '${task.loop}'`)
  const { ms, settleMs = 0 } = task
  const measure = (length: number): Promise<Measurement> => loop(subject, calls, { ...task, ms: length })
  return settleMs === 0 ? measure(ms) : measureParts(measure, settleMs + ms)
}

export function createMeasure(subject: Subject): (request: Request) => Promise<Measurement> {
  const prepared = new Map<string, Calls>()
  return async ({ task, payloadId, payload }) => {
    if (payload) prepared.set(payloadId, payload.calls.map(prepareCall))
    return measureTask(subject, prepared.get(payloadId) ?? [], task)
  }
}
