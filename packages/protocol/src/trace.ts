// What subscribers of the bus's diagnostics channels are given: who, what and how it ended. Never what was carried, and of an
// error never its text or data, which are a handler's own.
import type { CodecName } from './codec.js'
import type { BusError, BusErrorCode, BusErrorReason } from './error.js'
import type { RequestId } from './message.js'
import type { TraceContext } from './trace-context.js'

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

export const tracedError = ({ code, reason }: BusError): TracedError => ({ code, reason })
