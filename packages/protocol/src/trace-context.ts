// W3C trace context in the headers of a call: https://www.w3.org/TR/trace-context/. Whoever sends it is not trusted: what is
// malformed, or longer than it may be, is taken away before anybody reads it, the hook among them.
import type { CallHeaders } from './message.js'

/** As it stands in the headers. */
export interface TraceContext {
  /** `00-<trace id>-<parent id>-<flags>`, 55 characters. */
  traceparent?: string | undefined
  /** What tracing systems add, at most 512 characters. Only beside a `traceparent`. */
  tracestate?: string | undefined
}

/** Version ff, and ids of zeros alone, are none. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/
/** Printable ASCII. Systems that read it judge its members themselves. */
const TRACESTATE = /^[ -~]{1,512}$/

/** Takes out of the headers what is no trace context under its names. */
export function checkTraceContext(headers: CallHeaders): void {
  const { traceparent, tracestate } = headers
  const isTraced = traceparent !== undefined && TRACEPARENT.test(traceparent)
  if (traceparent !== undefined && !isTraced) delete headers['traceparent']
  if (tracestate !== undefined && !(isTraced && TRACESTATE.test(tracestate))) delete headers['tracestate']
}

/** Puts it into the headers of a message, in place of what they had of it. They may be somebody else's: they are copied. */
export function addTraceContext(message: { headers?: CallHeaders }, { traceparent, tracestate }: TraceContext): void {
  if (traceparent === undefined) return
  const { tracestate: _before, ...others } = message.headers ?? {}
  message.headers = { ...others, traceparent, ...(tracestate !== undefined && { tracestate }) }
}
