// `@sallyport/frontend/otel`: makes OpenTelemetry's spans and metrics of what diagnostics channels tell in this thread, whether it
// is a frontend's, core's or the host's. It knows the channels by name, and imports nothing of the bus.
import type { CallTrace } from '@sallyport/protocol'
import { metrics, trace as traces, type MeterProvider, type TracerProvider } from '@opentelemetry/api'
import { tracingChannel } from 'node:diagnostics_channel'
import { createMeasure } from './otel/measure.js'
import { createSpans } from './otel/spans.js'

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
