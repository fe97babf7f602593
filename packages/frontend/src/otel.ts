// Creates OpenTelemetry spans and metrics from the diagnostics channels of this thread: of a frontend, of core, or of the host. It
// knows the channels by name.
import { tracingChannel, type TracingChannelSubscribers } from 'node:diagnostics_channel'
import type { Attributes, Context, Meter, MeterProvider, Span, Tracer, TracerProvider } from '@opentelemetry/api'
import {
  context as contexts,
  createTraceState,
  isSpanContextValid,
  metrics,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace as traces,
} from '@opentelemetry/api'
import { checkOptions, type OptionChecks } from '@sallyport/protocol/internal/errors'
import { RUN_METHOD } from '@sallyport/protocol/internal/message'
import type { CallTrace } from '@sallyport/protocol/internal/rpc'

/** Options of `instrument`. */
export interface InstrumentOptions {
  /** @default trace.getTracerProvider() */
  tracerProvider?: TracerProvider
  /** @default metrics.getMeterProvider(), as it is when `instrument` is called */
  meterProvider?: MeterProvider
}

/** A running instrumentation. */
export interface Instrumentation {
  /** Stops tracing. Spans of calls in flight end now. */
  stop(): void
  /** Calls `stop`. */
  [Symbol.dispose](): void
}

type Side = 'client' | 'server'

const OPTIONS: OptionChecks<InstrumentOptions> = {
  tracerProvider: [value => typeof Object(value).getTracer === 'function', 'a TracerProvider of OpenTelemetry'],
  meterProvider: [value => typeof Object(value).getMeter === 'function', 'a MeterProvider of OpenTelemetry'],
}
/** Channels of callers, and of threads that run calls. */
const CALLER_CHANNELS = ['sallyport.invoke', 'sallyport.call']
const CALLEE_CHANNELS = ['sallyport.command', 'sallyport.exposed']
const NAME = 'sallyport'

/**
 * Creates a client span for each call that this thread makes, and a server span for each call that it runs. Names follow
 * OpenTelemetry's semantic conventions 1.45 for RPC. The trace context travels in the headers of the call. Commands run in the
 * context of their span if the SDK has a context manager. Durations are recorded as `rpc.client.call.duration` and
 * `rpc.server.call.duration`, in seconds.
 *
 * Call it once in each thread to trace: each further call creates duplicates. Requires `@opentelemetry/api`.
 *
 * @example instrument({ tracerProvider, meterProvider })
 */
export function instrument(options: InstrumentOptions = {}): Instrumentation {
  const { tracerProvider = traces.getTracerProvider(), meterProvider = metrics.getMeterProvider() } = checkOptions(
    'instrument',
    options,
    OPTIONS,
  )
  const tracer = tracerProvider.getTracer(NAME)
  const meter = meterProvider.getMeter(NAME)
  const client = createSpans('client', tracer, meter)
  const server = createSpans('server', tracer, meter)
  const unsubscribes = [
    ...CALLER_CHANNELS.map(name => subscribe(name, client)),
    ...CALLEE_CHANNELS.map(name => subscribe(name, server)),
  ]
  const stop = (): void => {
    for (const unsubscribe of unsubscribes.splice(0)) unsubscribe()
    client.endAll()
    server.endAll()
  }
  return { stop, [Symbol.dispose]: stop }
}

/** Subscribes to the calls of a tracing channel. A synchronous call has no `asyncStart`: it finishes with `end`. */
function subscribe(name: string, { begin, finish }: ReturnType<typeof createSpans>): () => void {
  const channels = tracingChannel<unknown, CallTrace>(name)
  const end = (trace: CallTrace): void => void (trace.async || finish(trace))
  const subscribers = { start: begin, end, asyncStart: finish } as TracingChannelSubscribers<CallTrace>
  channels.subscribe(subscribers)
  return () => channels.unsubscribe(subscribers)
}

// Names and values follow OpenTelemetry's semantic conventions 1.45 for RPC and JSON-RPC. Those of RPC are stable:
// https://opentelemetry.io/docs/specs/semconv/rpc/. Attributes of Sallyport begin with `sallyport.`.

/** Attributes of a span and of its duration. The name of an unknown command is left out: the caller chose it. */
const getCallAttributes = ({ command, callee, error, isUnknown }: CallTrace): Attributes => ({
  'rpc.system.name': 'jsonrpc',
  'rpc.method': isUnknown ? '_OTHER' : command,
  // A label for each run would be a time series for each.
  ...(callee !== undefined && command !== RUN_METHOD && { 'sallyport.callee': callee }),
  ...(error && { 'rpc.status_code': String(error.code), 'error.type': String(error.code) }),
})

const getSpanAttributes = ({ id, label, codec, stream }: CallTrace): Attributes => ({
  'jsonrpc.protocol.version': '2.0',
  'jsonrpc.request.id': String(id),
  'sallyport.label': label,
  'sallyport.codec': codec,
  'sallyport.stream': stream,
})

/** Buckets in seconds, as the conventions recommend. */
const BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/**
 * Creates the spans of one side's calls. A caller's span is the parent of the callee's span in any thread. Its context is written into the call and read from it in W3C's
 * format, whatever propagator the SDK uses for other traffic.
 */
function createSpans(side: Side, tracer: Tracer, meter: Meter) {
  const open = new Map<CallTrace, { span: Span; context: Context; startedAt: number }>()
  const kind = side === 'client' ? SpanKind.CLIENT : SpanKind.SERVER
  const propagate = side === 'client' ? sendContext : runInContext
  const duration = meter.createHistogram(`rpc.${side}.call.duration`, {
    description: `Measures the duration of an ${side === 'client' ? 'outgoing' : 'incoming'} Remote Procedure Call (RPC).`,
    unit: 's',
    advice: { explicitBucketBoundaries: BOUNDARIES },
  })

  return {
    begin(trace: CallTrace): void {
      // Events, and those who listen to them, are commands in core, but no calls of a user in the client.
      if (trace.id === undefined || trace.command.startsWith('plugin:event|')) return
      const parent = side === 'client' ? contexts.active() : getReceivedContext(trace)
      const attributes = { ...getCallAttributes(trace), ...getSpanAttributes(trace) }
      const span = tracer.startSpan(trace.command, { kind, attributes }, parent)
      const context = traces.setSpan(parent, span)
      open.set(trace, { span, context, startedAt: performance.now() })
      propagate(trace, span, context)
    },
    finish(trace: CallTrace): void {
      const call = open.get(trace)
      if (!call) return
      open.delete(trace)
      if (trace.error) setError(call.span, trace)
      call.span.end()
      // The context lets the SDK keep the span as an exemplar.
      duration.record((performance.now() - call.startedAt) / 1000, getCallAttributes(trace), call.context)
    },
    endAll(): void {
      for (const { span } of open.values()) span.end()
      open.clear()
    },
  }
}

function setError(span: Span, trace: CallTrace): void {
  span.setAttributes(getCallAttributes(trace))
  span.setStatus({ code: SpanStatusCode.ERROR, message: trace.error!.reason })
  if (!trace.isUnknown) return
  // The name of a span whose method is `_OTHER`.
  span.updateName('jsonrpc')
  span.setAttribute('rpc.method_original', trace.command)
}

function sendContext(trace: CallTrace, span: Span): void {
  const context = span.spanContext()
  if (!isSpanContextValid(context)) return
  const flags = (context.traceFlags & 0xff).toString(16).padStart(2, '0')
  trace.traceparent = `00-${context.traceId}-${context.spanId}-${flags}`
  trace.tracestate = context.traceState?.serialize() || undefined
}

/** A call without a context begins a new trace: the active context is that of the code that has opened the link. */
function getReceivedContext({ traceparent, tracestate }: CallTrace): Context {
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

/** Does not use `bindStore`, because the store belongs to the context manager. */
function runInContext(trace: CallTrace, _span: Span, context: Context): void {
  const { within } = trace
  trace.within = run => contexts.with(context, within ? () => within(run) : run)
}
