// What a bus tells its host, and writes into the log: who was started again or is lost, who was denied and rejected.
import type { EventEmitter } from 'node:events'
import { BusError, callSafely, describeName, formatSuppressed } from '@sallyport/protocol'
import type { RunningCall } from '../../contract/control.js'
import { didYouMean } from '../../shared/suggest.js'
import type { Restart, WorkerExit } from '../supervision/worker-actor.js'
import type { Logger } from './log.js'

export type Actor = 'core' | 'frontend' | 'isolation'

/**
 * What a bus tells its host; it is in the log as well. Of one frontend, at most 100 denials, 100 rejections and 100 slow calls
 * are told one by one in a second; once it is over, one more tells the latest, with `more`: how many others there were.
 */
export interface BusEvents {
  /** A worker has ended with an error, or a frontend has sent what no honest one would; its label, or `core`. */
  fault: { label: string; error: Error }
  /** A worker will be started again, in `delay` milliseconds, for the `restarts`th time. `isolation`: the gate of that label. */
  restart: { label: string; actor: Actor; restarts: number; delay: number; error: Error }
  /** A worker has ended with an error and is not started again: core, and the bus with it; a frontend; a gate and its frontend. */
  failed: { label: string; actor: Actor; error: Error }
  /**
   * A call runs in core for `ms` milliseconds already: docs/calls.md. What the host calls of a frontend is
   * `bus.call <label> <name>`, of the label `host`.
   */
  slow: { label: string; command: string; ms: number; more?: number }
  /** A frontend is too slow for its events: so many of them, the oldest, were dropped since this was last told. */
  overload: { label: string; dropped: number }
  /** No capability allows it. */
  denied: { label: string; command: string; more?: number }
  /** The isolation hook has not let it pass. */
  rejected: { label: string; command: string; why: string; more?: number }
}

export interface WaitingFor {
  /** Workers that have not ended, by name. */
  workers: readonly string[]
  /** Calls that core runs; `undefined` where it does not answer. */
  calls: readonly RunningCall[] | undefined
}

const BUS_EVENTS: ReadonlySet<string> = new Set<keyof BusEvents>([
  'fault',
  'restart',
  'failed',
  'denied',
  'rejected',
  'slow',
  'overload',
])

export class BusReporter {
  readonly #log: Logger
  readonly #events: EventEmitter
  /** An error may be why two have ended: it is told of once. */
  readonly #faults = new WeakSet<Error>()
  readonly #failures = new WeakSet<Error>()
  /** So many were told of. */
  slowCalls = 0

  constructor(log: Logger, events: EventEmitter) {
    this.#log = log
    this.#events = events
  }

  reportFault(label: string, error: Error): void {
    if (this.#faults.has(error)) return
    this.#faults.add(error)
    this.#log.error({ label, err: error }, 'fault')
    this.#tell('fault', { label, error })
  }

  /** This one has ended, and is started again: `undefined`, where that was asked for, is nothing to tell. */
  reportRestart(actor: Actor, label: string, restart: Restart | undefined): void {
    if (!restart) return
    const { error, restarts, delay } = restart
    this.reportFault(label, error)
    if (delay === undefined) return this.#log.warn({ actor, label }, 'waits for a change of its files, or bus.reload')
    const again = { restarts, delay }
    this.#log.warn({ actor, label, ...again }, 'is started again')
    this.#tell('restart', { label, actor, ...again, error })
  }

  /** This one has ended, and is not started again. */
  reportExit(actor: Actor, label: string, { error, exitError }: WorkerExit): void {
    if (exitError) this.reportFault(label, exitError)
    if (!error || this.#failures.has(error) || this.#failures.has(error.cause as Error)) return
    this.#failures.add(error)
    this.#log.error({ actor, label, err: error }, 'failed')
    this.#tell('failed', { label, actor, error })
  }

  reportSlowCall(label: string, command: string, ms: number, more: number): void {
    this.slowCalls += 1 + more
    this.#log.warn({ label, command, ms }, formatSuppressed('slow call', more))
    this.#tell('slow', { label, command, ms, ...(more > 0 && { more }) })
  }

  reportOverload(label: string, dropped: number): void {
    this.#log.warn({ label, dropped }, 'too slow for its events: the oldest are dropped')
    this.#tell('overload', { label, dropped })
  }

  /** What `close` waits for, a while after it was called. */
  reportPendingClose(parts: WaitingFor): void {
    this.#log.warn(parts, 'close waits')
  }

  reportStopTimeout(actor: Actor, label: string): void {
    this.#log.warn({ actor, label }, 'has not ended in its time, and is ended from outside')
  }

  reportDenial(label: string, command: string, more: number): void {
    this.#log.warn({ label, command }, formatSuppressed('denied', more))
    this.#tell('denied', { label, command, ...(more > 0 && { more }) })
  }

  reportRejection(label: string, command: string, why: string, more: number): void {
    this.#log.warn({ label, command, why }, formatSuppressed('rejected', more))
    this.#tell('rejected', { label, command, why, ...(more > 0 && { more }) })
  }

  #tell<Name extends keyof BusEvents>(name: Name, event: BusEvents[Name]): void {
    for (const handler of this.#events.listeners(name)) callSafely(() => void handler(event))
  }
}

// How the host begins to hear of what a bus tells: what it gives for that is checked at once, and not as something is told.

/** @param where `bus.on`: for error texts. @throws BusError `InvalidParams` */
export function subscribe<Name extends keyof BusEvents>(
  where: string,
  events: EventEmitter,
  name: Name,
  handler: (event: BusEvents[Name]) => void,
  names: ReadonlySet<string> = BUS_EVENTS,
): () => void {
  if (!names.has(name)) {
    const given = String(name)
    throw new BusError('InvalidParams', `${where}: no event ${describeName(given)}${didYouMean(given, names)}`)
  }
  checkFunction(`${where}: the handler`, handler)
  events.on(name, handler)
  return () => void events.off(name, handler)
}

/** @throws BusError `InvalidParams` */
export function checkFunction(what: string, given: unknown): void {
  if (typeof given !== 'function') {
    throw new BusError('InvalidParams', `${what} must be a function: got ${given === null ? 'null' : typeof given}`)
  }
}
