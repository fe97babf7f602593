// The diagnostics channels of core's thread: commands, events (each an `EventTrace`), and calls of frontends' functions. Callers
// check for subscribers first, so that a call costs no more than that check while nobody listens.
import { channel, type Channel, tracingChannel } from 'node:diagnostics_channel'
import { STREAM_HEADER } from '@sallyport/protocol/internal/message'
import { traceRun } from '@sallyport/protocol/internal/rpc'
import type { CallMessage } from '@sallyport/protocol/internal/message'
import type { CallChannel, CallTrace, EventTrace, Outcome } from '@sallyport/protocol/internal/rpc'
import { MAX_NAME_LENGTH } from '../shared/suggest.js'

export const commands: CallChannel = tracingChannel('sallyport.command')
export const frontendCalls: CallChannel = tracingChannel('sallyport.call')

export const eventsSent: Channel = channel('sallyport:core.event:sent')
export const eventsReceived: Channel = channel('sallyport:core.event:received')

/** Cuts a name that a caller chose. */
const truncate = <T>(name: T): T => (typeof name === 'string' ? (name.slice(0, MAX_NAME_LENGTH) as T) : name)

/** The session that a trace is about. */
export type TraceSource = Pick<CallTrace, 'label' | 'codec'>

/** Traces one call. `run` sees the stores that subscribers bound to the channel. */
export function traceCommand(source: TraceSource, message: CallMessage, run: () => Outcome | Promise<Outcome>): void {
  const { id, method, headers } = message
  // All members are listed, because `...source` made a call 1.6 µs slower.
  const trace: CallTrace = {
    label: source.label,
    command: truncate(method),
    id: truncate(id),
    codec: source.codec,
    stream: headers?.[STREAM_HEADER] !== undefined,
    traceparent: headers?.['traceparent'],
    tracestate: headers?.['tracestate'],
  }
  traceRun(commands, trace, run)
}

/** Publishes an event. An invalid name is not published here, because the command that it came with fails. */
export function publishEvent(to: Channel, source: TraceSource, event: unknown): void {
  if (typeof event !== 'string') return
  const trace: EventTrace = { label: source.label, event: truncate(event), codec: source.codec }
  to.publish(trace)
}
