// Waits until a run is interrupted. Core says which call, and the script host sends the state of the script. Core alone is trusted: a script
// host that reports a state without a call that core has interrupted reports nothing.
import type { SuspendedScript } from '@sallyport/protocol/internal/contract'
import { createDeferred } from '@sallyport/protocol/internal/util'
import { MAX_IN_FLIGHT } from '@sallyport/protocol/internal/wire'
import type { InterruptionReport } from '../../contract/host-core.js'
import type { Continuation } from './continuation.js'

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
