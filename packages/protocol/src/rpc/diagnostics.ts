// What subscribers of the bus's diagnostics channels are given: who, what and how it ended. Never what was carried, and of an
// error never its text or data, which are a handler's own.
import type { TracingChannel } from 'node:diagnostics_channel'
import type { CodecName } from '../codec/codec.js'
import type { BusError, BusErrorCode, BusErrorReason } from '../errors/bus-error.js'
import type { RequestId, TraceContext } from '../message/message.js'

/**
 * Of a call: the same object from `start` to the last message. Caller and callee have one each, with the same `id`.
 *
 * Its trace context is what came with the call. The caller's side may set it on `start`: it is sent with the call.
 */
export interface CallTrace extends TraceContext {
  /** Of the frontend that calls, or whose function is called; `host` for the host's own calls. */
  readonly label: string
  readonly command: string
  /** Unique among the calls of one link that are in flight. `undefined` where the caller wants no answer, as with events. */
  readonly id: RequestId | undefined
  /** Of the frontend. */
  readonly codec: CodecName
  /** It was called with `stream`, and ends with its last value. */
  readonly stream: boolean
  /** There once it has failed. */
  error?: TracedError
  /** There by `end` where the call goes on: `asyncStart` and `asyncEnd` follow. */
  async?: true | undefined
  /**
   * The callee's side may set it on `start`: what is called runs within, for a tracer whose context is no store that could be
   * bound to the channel. It calls `run`, once, before it returns.
   */
  within?: (run: () => void) => void
}

export interface TracedError {
  readonly code: BusErrorCode
  readonly reason: BusErrorReason
}

/** Of an event. */
export interface EventTrace {
  /** Of the frontend that it comes from or goes to; `host` for the host. */
  readonly label: string
  readonly event: string
  readonly codec: CodecName
}

const tracedError = ({ code, reason }: BusError): TracedError => ({ code, reason })

// Tells of one call on the five channels that Node's own `tracePromise` has, by its caller and by what runs it. Whoever calls
// looks for subscribers first: a call that nobody listens to pays for that look alone.

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
