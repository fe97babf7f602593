// Why frontends have ended. Core sees only that a link closed; the host knows the reason a moment later.
import { type BusError, describeName, receiveError } from '@sallyport/protocol/internal/errors'
import { createDeferred, type Deferred } from '@sallyport/protocol/internal/util'
import type { FrontendEnd } from '../contract/host-core.js'
import { setDeadline } from '../shared/set-deadline.js'
import { createNoFrontendError, createRestartError } from '../shared/suggest.js'
import type { FrontendCalls } from './frontend-calls.js'

/** Longest wait for the host, which replaces or ends a frontend within a second after its link closed. */
const EXPLAIN_TIMEOUT_MS = 2000
/** Labels that are remembered: a host can open any number. */
const MAX_LABELS = 1000

export class FrontendEnds {
  readonly #ends = new Map<string, { why: string | undefined; restarts: boolean }>()
  /** Frontends whose ends are not explained yet. */
  readonly #waiting = new Map<string, Deferred<FrontendEnd | undefined>>()
  #isClosed = false

  /** A frontend has this label from now on. */
  begin(label: string): void {
    this.#waiting.get(label)?.resolve(undefined)
    this.#ends.delete(label)
  }

  /**
   * @param end - `undefined` if the host ended the frontend
   * @param restarts - true if the frontend starts again soon
   */
  explain(label: string, end: FrontendEnd | undefined, restarts = false): void {
    if (end || restarts) {
      if (this.#ends.size === MAX_LABELS) this.#ends.delete(this.#ends.keys().next().value!)
      this.#ends.set(label, { why: end?.why, restarts })
    } else this.#ends.delete(label)
    this.#waiting.get(label)?.resolve(end)
  }

  /** Rejects the calls to a frontend whose session has ended as soon as the reason is known. */
  async rejectOnceExplained(label: string, calls: FrontendCalls): Promise<void> {
    if (this.#isClosed) return rejectCalls(label, calls)
    const explained = createDeferred<FrontendEnd | undefined>()
    this.#waiting.set(label, explained)
    const clear = setDeadline(EXPLAIN_TIMEOUT_MS, () => explained.resolve(undefined))
    rejectCalls(label, calls, await explained.promise)
    clear()
    if (this.#waiting.get(label) === explained) this.#waiting.delete(label)
  }

  /** Resolves once it is known why the frontend with this label has ended, or another one has the label. */
  async explained(label: string): Promise<void> {
    await this.#waiting.get(label)?.promise
  }

  /** Creates the error of a call to a label that no frontend has. */
  createError(label: string, labels: Iterable<string>): BusError {
    const { why, restarts = false } = this.#ends.get(label) ?? {}
    return restarts ? createRestartError(label, why) : createNoFrontendError(label, labels, why)
  }

  /** No end is waited for any more. */
  close(): void {
    this.#isClosed = true
    for (const { resolve } of this.#waiting.values()) resolve(undefined)
  }
}

/** @param end - `undefined` if the host ended the frontend, or has not said why it ended */
export function rejectCalls(label: string, calls: FrontendCalls, end?: FrontendEnd): void {
  const why = end === undefined ? '' : `: ${end.why}`
  calls.end(`The frontend ${describeName(label)} disconnected${why}`, end?.error && receiveError(end.error, end.why))
}
