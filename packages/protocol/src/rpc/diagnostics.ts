// Tracing of calls and events on diagnostics channels. Subscribers see labels, names and outcomes, but never payloads, and never the
// text or data of an error, which belong to a handler.
import type { TracingChannel } from 'node:diagnostics_channel'
import type { CodecName } from '../codec/codec.js'
import type { BusError } from '../errors/bus-error.js'
import type { RequestId, TraceContext } from '../wire/messages.js'

/**
 * A traced call, the same object from `start` to the last message. Caller and callee each have their own, with the same `id`.
 *
 * The trace context is the one that came with the call. A subscriber on the caller's side can set it on `start`, to send it along.
 */
export interface CallTrace extends TraceContext {
  /** Label of the frontend that calls, or whose function is called; `host` for the host's own calls. */
  readonly label: string
  readonly command: string
  /** The frontend whose function `command` the host or core calls. */
  readonly callee?: string
  /** Unique among the calls in flight on one link. `undefined` if the caller expects no response, as for events. */
  readonly id: RequestId | undefined
  /** Codec of the frontend. */
  readonly codec: CodecName
  /** True for a call of `stream`, which ends with its last value. */
  readonly stream: boolean
  /** Set when the call has failed: at least these members of the error. */
  error?: Pick<BusError, 'code' | 'reason'>
  /** Set with an error that says that there is no such command or function, and not with one that it got from another call. */
  isUnknown?: true
  /** Set before `end` if the call goes on, so that `asyncStart` and `asyncEnd` follow. */
  async?: true | undefined
  /**
   * Set on `start` by a subscriber on the callee's side whose context is not a store of the channel. The function must call `run`
   * exactly once before it returns, and the handler runs within it.
   */
  within?: (run: () => void) => void
}

/** A message on the diagnostics channels of events, such as `sallyport:core.event:sent`. */
export interface EventTrace {
  /** Label of the frontend that the event comes from or goes to; `host` for the host. */
  readonly label: string
  readonly event: string
  readonly codec: CodecName
}

/**
 * The five channels of Node's `tracePromise`. Check for subscribers before `traceCaller` and `traceRun`: a call without subscribers
 * should cost no more than that check.
 */
export type CallChannel = TracingChannel<CallTrace, CallTrace>

type Resolve = (result: unknown) => void
type Reject = (error: BusError) => void

/** The error of a call, or `undefined` if it succeeded. */
export type Outcome = BusError | undefined

/** Traces a call by its caller: `start` and `end` around sending it with `call`, then its outcome. */
export function traceCaller<T>(
  calls: CallChannel,
  trace: CallTrace,
  resolve: Resolve,
  reject: Reject,
  call: (resolve: Resolve, reject: Reject) => T,
): T {
  const settle = (settled: () => void): void => {
    calls.asyncStart.publish(trace)
    settled()
    calls.asyncEnd.publish(trace)
  }
  return calls.start.runStores(trace, () => {
    trace.async = true
    try {
      return call(
        result => settle(() => resolve(result)),
        error => {
          publishError(calls, trace, error)
          settle(() => reject(error))
        },
      )
    } catch (error) {
      trace.async = undefined
      publishError(calls, trace, error as BusError)
      throw error
    } finally {
      calls.end.publish(trace)
    }
  })
}

/** Traces a call by its callee: `start` and `end` around the synchronous part, then the outcome. `run` sees the bound stores. */
export function traceRun(calls: CallChannel, trace: CallTrace, run: () => Outcome | Promise<Outcome>): void {
  const settled = (outcome: Outcome): void => {
    publishError(calls, trace, outcome)
    calls.asyncStart.publish(trace)
    calls.asyncEnd.publish(trace)
  }
  const begin = (): void => {
    const outcome = run()
    if (outcome instanceof Promise) {
      trace.async = true
      void outcome.then(settled)
    } else publishError(calls, trace, outcome)
    calls.end.publish(trace)
  }
  calls.start.runStores(trace, () => (trace.within ? trace.within(begin) : begin()))
}

function publishError(calls: CallChannel, trace: CallTrace, error: Outcome): void {
  if (!error) return
  trace.error = { code: error.code, reason: error.reason }
  if (error.reason === 'MethodNotFound' && isAbout(error.message, trace.command)) trace.isUnknown = true
  calls.error.publish(trace)
}

/** What the texts of `MethodNotFound` say is missing: `Command NAME not found`, `plugin NAME not found`, `… no function "NAME"`. */
const MISSING = /(?:^Command |^plugin |no function ")(.+?)(?:…?"| of plugin | not found)/

/** A handler can fail with the error of a call that it has made, whose text names another command. */
function isAbout(text: string, command: string): boolean {
  const name = MISSING.exec(text)?.[1]
  return (
    name !== undefined &&
    command
      .replace('plugin:', '')
      .split('|')
      .some(part => part.startsWith(name))
  )
}

/** Returns what a trace says of a call: the host calls functions of frontends by commands of core, with label and name as headers. */
export function nameCall(command: string, headers: unknown): Pick<CallTrace, 'command' | 'callee'> {
  if (!command.startsWith('plugin:host|')) return { command }
  const { label, name } = Object(headers) as { label?: string; name?: string }
  return label === undefined || name === undefined ? { command } : { command: name, callee: label }
}
