// An arm is one way of carrying messages, measured beside others: a bare MessagePort, or the bus in one of its settings.
// A new one needs an `open` that starts threads of its own, and a `Subject` (workers/subject.ts) in the thread that
// measures; the loops are the same for all.
import type { Payload } from './payloads/payload.js'
import type { Measurement, Task } from './task.js'

export interface Arm extends Carried {
  /** As it is named in filters and reports: lower case, with dashes. */
  id: string
  title: string
  /** Starts fresh threads. They end when `close` is called, or when it rejects. */
  open(): Promise<OpenArm>
}

/** What an arm carries and checks on the way, so that like is compared with like. Nothing is said where nothing is done. */
export interface Carried {
  /** How values cross: `structured clone`, `JSON text`, `msgpack`, … */
  carries?: string
  /** What is checked on the way: `arguments`, `authority`, `hook`, `records`, … */
  checks?: readonly string[]
}

export interface OpenArm {
  /** Runs one task with one payload, checks the answers outside of the measured time, and gives the figures. */
  measure(task: Task, payload: Payload): Promise<Measurement>
  close(): Promise<void>
}
