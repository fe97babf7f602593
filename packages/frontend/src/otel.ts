// `@sallyport/frontend/otel`: makes OpenTelemetry's spans and metrics of what diagnostics channels tell in this thread, whether it
// is a frontend's, core's or the host's. It knows the channels by name, and imports nothing of the bus.
import { tracingChannel } from 'node:diagnostics_channel'
import {
  type Attributes,
  type Context,
  context as contexts,
  createTraceState,
  isSpanContextValid,
  type Meter,
  type MeterProvider,
  metrics,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  type TracerProvider,
  trace as traces,
} from '@opentelemetry/api'
import type { CallTrace } from '@sallyport/protocol'

// Names and values by OpenTelemetry's semantic conventions 1.45 for RPC and JSON-RPC, where those of RPC are stable:
// https://opentelemetry.io/docs/specs/semconv/rpc/. What is ours begins with `sallyport.`.

/** Of a span and of its measured duration. A name that nobody knows is not told: whoever calls it chose it. */
export const callAttributes = ({ command, error }: CallTrace): Attributes => ({
  'rpc.system.name': 'jsonrpc',
  'rpc.method': isUnknown(error) ? '_OTHER' : command,
  ...(error && { 'rpc.status_code': String(error.code), 'error.type': String(error.code) }),
})

/** Of a span alone. */
export const spanAttributes = ({ id, label, codec, stream }: CallTrace): Attributes => ({
  'jsonrpc.protocol.version': '2.0',
  'jsonrpc.request.id': String(id),
  'sallyport.label': label,
  'sallyport.codec': codec,
  'sallyport.stream': stream,
})

/** That the command is not known comes out only once it is called. */
export const isUnknown = (error: CallTrace['error']): boolean => error?.reason === 'MethodNotFound'

/** What a span is called where `rpc.method` says nothing. */
export const UNKNOWN_NAME = 'jsonrpc'

// How long calls take, as OpenTelemetry's conventions measure it.

/** Milliseconds, and the context of the call's span: the SDK may keep it as an exemplar. */
export type Measure = (trace: CallTrace, ms: number, context: Context) => void

/** In seconds, as the conventions recommend. */
const BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

const WHAT = { client: 'an outgoing', server: 'an incoming' }

export function createMeasure(meter: Meter, side: 'client' | 'server'): Measure {
  const duration = meter.createHistogram(`rpc.${side}.call.duration`, {
    description: `Measures the duration of ${WHAT[side]} Remote Procedure Call (RPC).`,
    unit: 's',
    advice: { explicitBucketBoundaries: BOUNDARIES },
  })
  return (trace, ms, context) => duration.record(ms / 1000, callAttributes(trace), context)
}

// The spans of the calls of one side. A caller's span is the parent of the callee's, wherever that runs: its context is written
// into the call on one side and read on the other, as W3C has it, whatever propagator the SDK has for other traffic.

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

export interface InstrumentOptions {
  /** The global one by default: `trace.getTracerProvider()`. */
  tracerProvider?: TracerProvider
  /** The global one by default, as it is now: `metrics.getMeterProvider()`. */
  meterProvider?: MeterProvider
}

export interface Instrumentation {
  /** Nothing more is traced. Spans of calls that still run end now. */
  stop(): void
  [Symbol.dispose](): void
}

/** Who tells of a call: its caller, or what runs it. */
const CALLERS = ['sallyport.invoke', 'sallyport.call']
const CALLEES = ['sallyport.command', 'sallyport.exposed']
const NAME = 'sallyport'

/**
 * Makes a client span of each call that this thread makes, and a server span of each that it runs, by OpenTelemetry's
 * conventions for RPC (semantic conventions 1.45). The trace context travels in the headers of the call; what is called
 * runs in the context of its span, where the SDK has a context manager. Durations are measured as `rpc.client.call.duration`
 * and `rpc.server.call.duration`, in seconds.
 *
 * Once in each thread that is to be traced: a second time, everything is told twice. Needs `@opentelemetry/api`.
 *
 * @example instrument({ tracerProvider, meterProvider })
 */
export function instrument(options: InstrumentOptions = {}): Instrumentation {
  const { tracerProvider = traces.getTracerProvider(), meterProvider = metrics.getMeterProvider() } = options
  const tracer = tracerProvider.getTracer(NAME)
  const meter = meterProvider.getMeter(NAME)
  const client = createSpans(tracer, 'client', createMeasure(meter, 'client'))
  const server = createSpans(tracer, 'server', createMeasure(meter, 'server'))
  const stops = [
    ...CALLERS.map(name => hear(name, trace => client.begin(trace), client.finish)),
    ...CALLEES.map(name => hear(name, trace => trace.id !== undefined && server.begin(trace), server.finish)),
  ]
  const stop = (): void => {
    for (const end of stops.splice(0)) end()
    client.endAll()
    server.endAll()
  }
  return { stop, [Symbol.dispose]: stop }
}

/** What is answered at once has no `asyncStart`. Events come to core as commands that nobody waits for: they have no id. */
function hear(name: string, begin: (trace: CallTrace) => void, finish: (trace: CallTrace) => void): () => void {
  const channels = tracingChannel<unknown, CallTrace>(name)
  const told = {
    start: begin,
    end: (trace: CallTrace): void => void (trace.async || finish(trace)),
    asyncStart: finish,
  }
  for (const happening of Object.keys(told) as (keyof typeof told)[]) {
    channels[happening].subscribe(told[happening] as (message: unknown) => void)
  }
  return () => {
    for (const happening of Object.keys(told) as (keyof typeof told)[]) {
      channels[happening].unsubscribe(told[happening] as (message: unknown) => void)
    }
  }
}
