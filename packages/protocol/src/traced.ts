// Tells of one call on the five channels that Node's own `tracePromise` has, by its caller and by what runs it. Whoever calls
// looks for subscribers first: a call that nobody listens to pays for that look alone.
import type { TracingChannel } from 'node:diagnostics_channel'
import type { BusError } from './error.js'
import { tracedError, type CallTrace } from './trace.js'

export type CallChannel = TracingChannel<unknown, CallTrace>

type Resolve = (result: unknown) => void
type Reject = (error: BusError) => void

/** How a call ended: with this error, or without one. */
export type Outcome = BusError | undefined

/**
 * `start` and `end` around the call's sending, then how it was settled.
 *
 * @param make makes the call, or throws
 */
export function traceCaller<T>(
  calls: CallChannel,
  trace: CallTrace,
  resolve: Resolve,
  reject: Reject,
  make: (resolve: Resolve, reject: Reject) => T,
): T {
  const settle = (settled: () => void): void => {
    calls.asyncStart.publish(trace)
    settled()
    calls.asyncEnd.publish(trace)
  }
  const fail = (error: BusError): void => {
    trace.error = tracedError(error)
    calls.error.publish(trace)
  }
  return calls.start.runStores(trace, () => {
    trace.async = true
    try {
      return make(
        result => settle(() => resolve(result)),
        error => {
          fail(error)
          settle(() => reject(error))
        },
      )
    } catch (error) {
      trace.async = undefined
      fail(error as BusError)
      throw error
    } finally {
      calls.end.publish(trace)
    }
  })
}

/** `start` and `end` around what happens at once, and then how it ended, where it went on. What runs sees bound stores. */
export function traceRun(calls: CallChannel, trace: CallTrace, run: () => Outcome | Promise<Outcome>): void {
  const tell = (outcome: Outcome): void => {
    if (!outcome) return
    trace.error = tracedError(outcome)
    calls.error.publish(trace)
  }
  const ended = (outcome: Outcome): void => {
    tell(outcome)
    calls.asyncStart.publish(trace)
    calls.asyncEnd.publish(trace)
  }
  const begin = (): void => {
    const outcome = run()
    if (outcome instanceof Promise) {
      trace.async = true
      void outcome.then(ended)
    } else tell(outcome)
    calls.end.publish(trace)
  }
  calls.start.runStores(trace, () => (trace.within ? trace.within(begin) : begin()))
}
