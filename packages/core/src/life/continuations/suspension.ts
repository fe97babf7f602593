// A run that a command has interrupted: core says which call, the script host sends the state of the script, and `bus.run` rejects with both. Core
// alone is trusted: a script host that reports a state without a call that core has interrupted reports nothing.
import { deserializeValue, type SuspendedScript } from '@sallyport/protocol/internal/contract'
import { BusError, describeName } from '@sallyport/protocol/internal/errors'
import { createDeferred } from '@sallyport/protocol/internal/util'
import { MAX_IN_FLIGHT } from '@sallyport/protocol/internal/wire'
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

export type Suspended = Pick<Continuation, 'interrupted' | 'snapshot'>

export class Suspension {
  readonly #reports = new Map<string, InterruptionReport>()
  readonly #suspended = createDeferred<Suspended>()
  #script: SuspendedScript | undefined

  /** @param earlier - calls that were interrupted before, and are not answered now */
  constructor(earlier: readonly InterruptionReport[] = []) {
    for (const report of earlier) this.#reports.set(report.token, report)
  }

  /** Resolves once the run is interrupted, or never. */
  get whenSuspended(): Promise<Suspended> {
    return this.#suspended.promise
  }

  interrupted({ token, data }: InterruptionReport): void {
    // No script has more calls in flight at once. Only a hostile one interrupts them one after the other without an end.
    if (this.#reports.size >= MAX_IN_FLIGHT) return
    this.#reports.set(token, { token, data })
    this.#settle()
  }

  stopped(script: SuspendedScript): void {
    this.#script ??= script
    this.#settle()
  }

  /** The two reports come on different ports, in any order. */
  #settle(): void {
    if (!this.#script) return
    const { snapshot, tokens } = this.#script
    const interrupted = [...new Set(tokens)].flatMap(token => this.#reports.get(token) ?? [])
    if (interrupted.length === tokens.length) this.#suspended.resolve({ snapshot, interrupted })
  }
}

export interface RunInterruption {
  readonly continuation: Uint8Array
  readonly data: unknown
}

/** Code can throw an error with any reason and data, but none that is here. */
const interruptions = new WeakMap<object, RunInterruption>()

export function createInterruptedError(
  where: string,
  continuation: Uint8Array,
  { interrupted: [first] }: Suspended,
): BusError {
  const data = deserializeValue(first!.data)
  const text = `${describeName(where)} was interrupted by a command. Pass the continuation of this error to bus.resume`
  const error = new BusError('Interrupted', text, { data })
  // Node would print all of its bytes.
  Object.defineProperty(error, 'continuation', { value: continuation })
  interruptions.set(error, { continuation, data })
  return error
}

export const getInterruption = (error: unknown): RunInterruption | undefined => interruptions.get(error as object)
