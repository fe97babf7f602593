// Between the host and each of its workers: core, frontends and gates.
import type { ReportedError } from '../errors/error-data.js'

/** In the order in which a worker passes through them. */
export const LIFECYCLE_STATES = ['booting', 'handshaking', 'ready', 'draining', 'stopped', 'failed'] as const

export type LifecycleState = (typeof LIFECYCLE_STATES)[number]

/** Worker → host: the lifecycle of core, a frontend or a gate. */
export interface StateReport {
  type: 'state'
  state: LifecycleState
  error?: ReportedError
}

/** Host → worker: a question whether it still runs. */
export interface Question {
  type: 'ask'
}

/** Worker → host: it still runs. What it has reported before has arrived before. */
export interface Answer {
  type: 'answer'
}
