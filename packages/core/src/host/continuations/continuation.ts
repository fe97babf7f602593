// What a run goes on from after an interruption.
import type { InterruptionReport } from '../../contract/host-core.js'

/** What a continuation is bound to: anyone can read it, and nobody can change it. */
export interface ContinuationHeader {
  /** Unique, and what `claim` gets: 32 hexadecimal digits. */
  readonly id: string
  /** The engine of the snapshot, and the code around it. */
  readonly engine: string
  /** SHA-256 of the code, in hexadecimal digits. */
  readonly code: string
  readonly label: string
  /** False for a label that the bus has made for this run. */
  readonly isNamed: boolean
  /** True if the code ran in a process. */
  readonly hasProcess: boolean
  /** Calls that the code has made and that count for its limit, and all that core has received. */
  readonly calls: number
  readonly received: number
}

export interface Continuation {
  readonly header: ContinuationHeader
  /** Calls that were interrupted. The first one is answered next. */
  readonly interrupted: readonly InterruptionReport[]
  readonly snapshot: Uint8Array
}
