// What the host says of a frontend: its entry in `bus.frontends()`, and why its code has ended, for the errors of its calls.
import { getWorkerName, type WorkerState } from '../life/policy.js'
import type { Obituary } from '../life/rules.js'
import type { Sandbox } from '../sandboxes/kinds.js'

/** One frontend of this host. */
export interface FrontendInfo {
  /** The label. */
  label: string
  /**
   * The state of its worker. `stopped` and `failed` for one that has ended by itself, until its label is used again. `disconnected` for the
   * label of web pages while no page has it.
   */
  state: WorkerState
  /** The kind of its sandbox. `none` for connections of the host, `external` for web pages. */
  sandbox: Extract<Sandbox, string> | 'external'
  /** The wall around its process: the name of a launcher, or `none`. Only for a frontend that runs in one. */
  wall?: string
  /** Start of its current or last thread, in milliseconds since 1970. */
  startedAt: number
  /** Number of restarts. */
  restarts: number
  /** The last error that ended its thread, unless it has been reloaded since. */
  error?: Error
}

export interface RuntimeEnd {
  /** A clause for error texts: `it ran out of memory`. */
  readonly why: string
  readonly error: Error | undefined
  /** False if it was started ahead, and ended before the code began. */
  readonly ranCode: boolean
}

export function describeEnd(label: string, error: Error | undefined, obituary?: Obituary): RuntimeEnd {
  const { ranCode = true, code } = obituary ?? {}
  if (!error) return { why: `it exited with code ${code}`, error, ranCode }
  const subject = [getWorkerName('frontend', label), 'The frontend process'].find(each =>
    error.message.startsWith(each),
  )
  const why = subject === undefined ? `it failed: ${error.message}` : `it${error.message.slice(subject.length)}`
  return { why, error, ranCode }
}
