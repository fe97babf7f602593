// The frontends that have not ended, by their names in core. Core's reports go to them, and one of them can be to blame if core fails.
import { BusError, describeName } from '@sallyport/protocol/internal/errors'
import type { BusReporter } from '../reporting/events.js'
import { type FrontendHandle, SUSPECT_MS } from './frontend-handle.js'

/** Time in ms for which suspects are kept: the exit of core's thread can follow its failure late. */
const KEEP_MS = 5000

export class OpenFrontends {
  readonly byName: Map<string, FrontendHandle> = new Map<string, FrontendHandle>()
  readonly #reporter: BusReporter
  /** Names of frontends that can be to blame if core fails, each with the time until which that holds. */
  readonly #suspects = new Map<string, number>()

  constructor(reporter: BusReporter) {
    this.#reporter = reporter
  }

  /** @param name - the frontend's name in core */
  get(name: string): FrontendHandle | undefined {
    return this.byName.get(name)
  }

  /** Core accepts links again after a restart. */
  coreStarted(): void {
    for (const frontend of this.byName.values()) frontend.connect()
  }

  coreStopped(): void {
    for (const frontend of this.byName.values()) frontend.coreStopped()
  }

  /** @param until - the time until which the frontend can be to blame if core fails */
  suspect(name: string, until: number): void {
    this.#getSuspects().set(name, until)
  }

  /**
   * Core failed with an error that is neither the application's nor due to memory. Fails the frontend to blame, if it is clear which
   * one, and returns true in that case.
   *
   * @param at - when it failed
   */
  charge(cause: Error, at: number): boolean {
    const [label, ...others] = [...this.#suspects].flatMap(([name, until]) => (until < at ? [] : [name]))
    if (label === undefined || others.length > 0) return false
    const reason = 'core failed right after it had violated the protocol or exited'
    const message = `frontend ${describeName(label)} will not be restarted: ${reason}. Core's error: ${cause.message}`
    const error = new BusError('Crashed', message, { cause })
    this.#reporter.reportFault(label, error)
    this.#suspects.clear()
    this.get(label)?.fail(error)
    return true
  }

  /** Core has read a message that violates the protocol. The frontend can have ended long before. */
  protocolError(name: string, link: number, error: Error): void {
    this.#getSuspects().set(name, Math.max(performance.now() + SUSPECT_MS, this.#suspects.get(name) ?? 0))
    this.get(name)?.sendToLink(link, 'violated', error)
  }

  /** Forgets suspects of which no failure is reported any more. */
  #getSuspects(): Map<string, number> {
    const oldest = performance.now() - KEEP_MS
    for (const [name, until] of this.#suspects) if (until < oldest) this.#suspects.delete(name)
    return this.#suspects
  }
}
