// Events that a bus emits for its host, and logs: faults, restarts, denials and more.
import { EventEmitter } from 'node:events'
import {
  BusError,
  type BusErrorReason,
  describeName,
  didYouMean,
  isBusError,
  toNames,
} from '@sallyport/protocol/internal/errors'
import { callSafely, withoutContext } from '@sallyport/protocol/internal/util'
import { anyFunction, check } from '../../shared/validate.js'
import type { Effects, LifeContext, WorkerExit } from '../judge.js'
import type { HostLog } from './log.js'

/** The kind of a worker: core, a frontend, or the gate of a frontend in the isolation pattern. */
export type WorkerKind = 'core' | 'frontend' | 'gate'

/**
 * Events of a bus; each is logged too. Denials, rejections and slow calls are throttled to 100 of each for a frontend and second: a
 * final event has the number of suppressed ones in `more`.
 */
export interface BusEvents {
  /** A worker failed, or a frontend violated the protocol. `label` is the frontend's, or `core`. */
  fault: { label: string; error: BusError }
  /** A worker restarts in `delay` milliseconds, for the `restarts`th time. A `gate` is that of the frontend `label`. */
  restart: { label: string; worker: WorkerKind; restarts: number; delay: number; error: BusError }
  /** A worker failed and will not restart: core, and the bus with it; a frontend; a gate, and its frontend with it. The close of a bus is no failure. */
  failed: { label: string; worker: WorkerKind; error: BusError }
  /**
   * A frontend has ended and will not restart, and the host closed neither it nor the bus. `failed` is emitted first if the `reason` is an error.
   * `code` is the exit code of its thread or process; `undefined` if that was terminated.
   */
  exited: { label: string; code: number | undefined; reason: string }
  /**
   * A call has been running in core for `ms` milliseconds, more than `calls.slowAfter`. A call by the host to a frontend has the label
   * `host` and the command `bus.call <label> <name>`.
   */
  slow: { label: string; command: string; ms: number; more?: number }
  /** A frontend is too slow for its events. `dropped` is the number of its oldest events that were dropped since the last report. */
  overload: { label: string; dropped: number }
  /**
   * Permissions don't allow the call, or a capability denies it. `hint` says what to change.
   */
  denied: { label: string; command: string; hint: string; more?: number }
  /** The isolation hook rejected the message, or too many messages waited for it (`why` is `overloaded`). */
  rejected: { label: string; command: string; why: string; more?: number }
  /**
   * What some labels may call has changed: by a capability or a plugin, whose identifier or name is `name`, or by a core that has restarted.
   * Logged at the level `debug`.
   */
  rightsChanged: { cause: 'capability' | 'plugin' | 'core'; name: string }
}

/** What the inspector hears, too. */
export interface ReportedEvents extends BusEvents {
  /** A run rejects with an error of this reason. Core has heard only that its code is gone, if the code was called at all. */
  runFailed: { label: string; reason: BusErrorReason; wasCalled: boolean }
}

const BUS_EVENTS: ReadonlySet<string> = toNames<BusEvents>({
  fault: true,
  restart: true,
  failed: true,
  exited: true,
  denied: true,
  rejected: true,
  slow: true,
  overload: true,
  rightsChanged: true,
})

/** Node reports errors of its own about threads and processes. */
const ensureBusError = (error: Error): BusError =>
  isBusError(error) ? error : new BusError('Crashed', error.message, { cause: error })

/** Returns an error without a cause that says the same: such a one only has the properties of what was thrown. */
const withoutRepetition = (error: Error): Error =>
  error.cause instanceof Error && error.cause.message === error.message
    ? (Object.create(error, { cause: { value: error.cause.cause } }) as Error)
    : error

export const isBusEvent = (name: string): boolean => BUS_EVENTS.has(name)

export class BusReporter {
  readonly #log: HostLog
  readonly #isClosing: () => boolean
  readonly #events = new EventEmitter()
  /** Errors that were reported: several workers can fail with the same one. */
  readonly #faults = new WeakSet<Error>()
  readonly #failures = new WeakSet<Error>()
  /** Number of calls reported as slow. */
  slowCalls = 0

  /** @param isClosing - true once the bus closes: then no frontend and no gate restarts, and none of them has failed for that */
  constructor(log: HostLog, isClosing: () => boolean = () => false) {
    this.#log = log
    this.#isClosing = isClosing
  }

  on<Name extends keyof ReportedEvents>(name: Name, listener: (event: ReportedEvents[Name]) => void): () => void {
    this.#events.on(name, listener)
    return () => void this.#events.off(name, listener)
  }

  /** @param restart - fields of the line if the worker restarts */
  reportFault(label: string, error: Error, restart: object = {}): void {
    if (this.#faults.has(error)) return
    this.#faults.add(error)
    this.#log.error({ ...restart, label, err: withoutRepetition(error) }, 'fault')
    this.#emit('fault', { label, error: ensureBusError(error) })
  }

  /** What is reported of each worker as it lives: its restarts, but no reload, and that it did not stop in time. */
  getEffects(worker: WorkerKind, label: string): Partial<Effects> {
    return {
      backOff: context => this.#reportRestart(worker, label, context, context.history.delay),
      wait: context => this.#reportRestart(worker, label, context),
      kill: ({ goal }, event) => {
        if (goal === 'stop' && event?.type !== 'FAIL') this.reportStopTimeout(worker, label)
      },
    }
  }

  /** @param delay - left out if the worker waits for `reload` */
  #reportRestart(worker: WorkerKind, label: string, context: LifeContext, delay?: number): void {
    const [error, restarts] = [context.error!, context.history.count]
    if (delay === undefined) {
      this.reportFault(label, error)
      return this.#log.info({ worker, label }, 'waiting for a change of its files, or bus.reload')
    }
    const fields = { worker, restarts, delay }
    // Several workers can restart for the same error.
    if (this.#faults.has(error)) this.#log.warn({ ...fields, label }, 'restarting')
    else this.reportFault(label, error, fields)
    this.#emit('restart', { label, worker, restarts, delay, error: ensureBusError(error) })
  }

  /** Reports a worker that will not restart. */
  reportExit(worker: WorkerKind, label: string, { error, exitError }: WorkerExit): void {
    if (exitError) this.reportFault(label, exitError)
    if (worker !== 'core' && this.#isClosing()) return
    if (!error || this.#failures.has(error) || this.#failures.has(error.cause as Error)) return
    this.#failures.add(error)
    // The stack of its cause is in the line of the fault.
    const isReported = this.#faults.has(error) || this.#faults.has(error.cause as Error)
    this.#log.error({ worker, label, ...(!isReported && { err: error }) }, `failed: ${error.message}`)
    this.#emit('failed', { label, worker, error: ensureBusError(error) })
  }

  /** Reports a frontend that has ended by itself and will not restart. */
  reportEnd(label: string, error: Error | undefined, code: number | undefined): void {
    if (this.#isClosing()) return
    const event = { label, code, reason: error?.message ?? `exited with code ${code}` }
    if (!error) this.#log.info({ label, code }, 'finished')
    this.#emit('exited', event)
  }

  /** Reports an event that stands for `more` suppressed ones. */
  reportThrottled<Name extends 'slow' | 'denied' | 'rejected'>(name: Name, event: BusEvents[Name], more: number): void {
    if (name === 'slow') this.slowCalls += 1 + more
    const message: string = name === 'slow' ? 'slow call' : name
    this.#log.warn({ ...event, ...(more > 0 && { more }) } as object, message)
    this.emitThrottled(name, event, more)
  }

  emitThrottled<Name extends 'slow' | 'denied' | 'rejected'>(name: Name, event: BusEvents[Name], more: number): void {
    this.#emit(name, { ...event, ...(more > 0 && { more }) } as ReportedEvents[Name])
  }

  reportOverload(label: string, dropped: number): void {
    this.#log.warn({ label, dropped }, 'events dropped')
    this.#emit('overload', { label, dropped })
  }

  reportRights(cause: BusEvents['rightsChanged']['cause'], name: string): void {
    this.#log.debug({ cause, name }, 'rights changed')
    this.#emit('rightsChanged', { cause, name })
  }

  reportRunFailure(label: string, error: unknown, wasCalled: boolean): void {
    this.#emit('runFailed', { label, reason: isBusError(error) ? error.reason : 'InternalError', wasCalled })
  }

  reportStopTimeout(worker: WorkerKind, label: string): void {
    this.#log.warn({ worker, label }, 'did not stop in time: terminating it')
  }

  #emit<Name extends keyof ReportedEvents>(name: Name, event: ReportedEvents[Name]): void {
    const listeners = this.#events.listeners(name)
    withoutContext(() => listeners.forEach(listener => callSafely(() => void listener(event))))
  }
}

/** Checks the arguments of `where`, which is `bus.on` or its like. @throws {BusError} InvalidParams */
export function checkListener(
  where: string,
  name: string,
  listener: unknown,
  names: ReadonlySet<string> = BUS_EVENTS,
): void {
  if (!names.has(name)) {
    const text = `no event ${describeName(String(name))} of the bus itself${didYouMean(String(name), names)}`
    const listen = names === BUS_EVENTS ? 'bus.listen' : 'the `listen` of a client'
    throw new BusError('InvalidParams', `${where}: ${text}. For events of the application use ${listen}`)
  }
  check(`${where}: the handler`, anyFunction, listener)
}
