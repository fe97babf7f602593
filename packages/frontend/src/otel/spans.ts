// The spans of the calls of one side. A caller's span is the parent of the callee's, wherever that runs: its context is written
// into the call on one side and read on the other, as W3C has it, whatever propagator the SDK has for other traffic.
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  context as contexts,
  createTraceState,
  isSpanContextValid,
  trace as traces,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api'
import type { CallTrace } from '@sallyport/protocol'
import { UNKNOWN_NAME, callAttributes, isUnknown, spanAttributes } from './attributes.js'
import type { Measure } from './measure.js'

export interface Spans {
  begin(trace: CallTrace): void
  /** Does nothing where it has ended already, or its begin was not heard. */
  finish(trace: CallTrace): void
  endAll(): void
}

interface OpenSpan {
  readonly span: Span
  readonly context: Context
  readonly began: number
}

export function createSpans(tracer: Tracer, side: 'client' | 'server', measure: Measure): Spans {
  const open = new Map<CallTrace, OpenSpan>()
  const kind = side === 'client' ? SpanKind.CLIENT : SpanKind.SERVER
  const join = side === 'client' ? sendContext : runInContext

  return {
    begin(trace) {
      const parent = side === 'client' ? contexts.active() : receivedContext(trace)
      const attributes = { ...callAttributes(trace), ...spanAttributes(trace) }
      const span = tracer.startSpan(trace.command, { kind, attributes }, parent)
      const context = traces.setSpan(parent, span)
      open.set(trace, { span, context, began: performance.now() })
      join(trace, span, context)
    },
    finish(trace) {
      const call = open.get(trace)
      if (!call) return
      open.delete(trace)
      if (trace.error) tellError(call.span, trace)
      call.span.end()
      measure(trace, performance.now() - call.began, call.context)
    },
    endAll() {
      for (const { span } of open.values()) span.end()
      open.clear()
    },
  }
}

function tellError(span: Span, trace: CallTrace): void {
  span.setAttributes(callAttributes(trace))
  span.setStatus({ code: SpanStatusCode.ERROR, message: trace.error!.reason })
  if (!isUnknown(trace.error)) return
  span.updateName(UNKNOWN_NAME)
  span.setAttribute('rpc.method_original', trace.command)
}

function sendContext(trace: CallTrace, span: Span): void {
  const own = span.spanContext()
  if (!isSpanContextValid(own)) return
  const flags = (own.traceFlags & 0xff).toString(16).padStart(2, '0')
  trace.traceparent = `00-${own.traceId}-${own.spanId}-${flags}`
  trace.tracestate = own.traceState?.serialize() || undefined
}

/** A call that brings none begins a trace: what this thread was about when it opened the link is nothing to it. */
function receivedContext({ traceparent, tracestate }: CallTrace): Context {
  if (traceparent === undefined) return ROOT_CONTEXT
  const [, traceId, spanId, flags] = traceparent.split('-') as [string, string, string, string]
  return traces.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
    ...(tracestate !== undefined && { traceState: createTraceState(tracestate) }),
  })
}

/** Not by `bindStore`: the store is the context manager's own. */
function runInContext(trace: CallTrace, _span: Span, context: Context): void {
  const { within } = trace
  trace.within = run => contexts.with(context, within ? () => within(run) : run)
}
