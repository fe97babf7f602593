// Why calls to a frontend that has ended are rejected, and when.
import { type BusError, describeName, receiveError } from '@sallyport/protocol/internal/errors'
import { createDeferred } from '@sallyport/protocol/internal/util'
import type { FrontendEnd } from '../contract/host-core.js'
import { createNoFrontendError, createRestartError } from '../shared/frontend-errors.js'
import type { FrontendCalls } from './frontend-calls.js'

/** Labels that are remembered: a host can open any number. */
const MAX_LABELS = 1000

interface HostLink {
  readonly label: string
  /** Those of its session, once that has ended. */
  calls: FrontendCalls | undefined
  detached: { readonly end: FrontendEnd | undefined } | undefined
  readonly settled: { readonly promise: Promise<void>; resolve(): void }
}

/**
 * Why frontends have ended. Core sees that the session of a link has ended; the host says that nothing more comes over it, and why. Both are
 * certain, and calls to the frontend that it has not answered are rejected once both are known, in whatever order.
 */
export class FrontendEnds {
  readonly #ends = new Map<string, { why: string | undefined; restarts: boolean }>()
  /** Links of the host, until both facts about their ends are known. */
  readonly #links = new Map<number, HostLink>()

  begin(label: string, link: number | undefined): void {
    this.#ends.delete(label)
    if (link === undefined) return
    this.#links.set(link, { label, calls: undefined, detached: undefined, settled: createDeferred() })
  }

  /**
   * The frontend has ended.
   *
   * @param end - `undefined` if the host ended it
   * @param restarts - true if it starts again soon
   */
  explain(label: string, end: FrontendEnd | undefined, restarts = false): void {
    if (!end && !restarts) return void this.#ends.delete(label)
    if (this.#ends.size === MAX_LABELS) this.#ends.delete(this.#ends.keys().next().value!)
    this.#ends.set(label, { why: end?.why, restarts })
  }

  /** The session of a link has ended, with these calls to the frontend. */
  ended(label: string, id: number | undefined, calls: FrontendCalls): void {
    const link = id === undefined ? undefined : this.#links.get(id)
    if (!link) return rejectCalls(label, calls)
    link.calls = calls
    this.#settle(id!, link)
  }

  detach(id: number, end: FrontendEnd | undefined): void {
    const link = this.#links.get(id)
    if (!link) return
    link.detached = { end }
    this.#settle(id, link)
  }

  #settle(id: number, { label, calls, detached, settled }: HostLink): void {
    if (!calls || !detached) return
    this.#links.delete(id)
    rejectCalls(label, calls, detached.end)
    settled.resolve()
  }

  /** Resolves once it is known why the frontend with this label has ended. */
  async known(label: string): Promise<void> {
    const ended = [...this.#links.values()].filter(link => link.label === label && link.calls)
    await Promise.all(ended.map(({ settled }) => settled.promise))
  }

  createError(label: string, labels: Iterable<string>): BusError {
    const { why, restarts = false } = this.#ends.get(label) ?? {}
    return restarts ? createRestartError(label, why) : createNoFrontendError(label, labels, why)
  }

  close(): void {
    for (const id of [...this.#links.keys()]) this.detach(id, undefined)
  }
}

function rejectCalls(label: string, calls: FrontendCalls, end?: FrontendEnd): void {
  const why = end === undefined ? '' : `: ${end.why}`
  const message = `The frontend ${describeName(label)} disconnected${why}`
  const delivered = end?.ranCode === false ? 'no' : 'unknown'
  calls.end(message, end?.error && receiveError(end.error, end.why), delivered)
}
