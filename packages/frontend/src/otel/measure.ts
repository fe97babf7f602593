// How long calls take, as OpenTelemetry's conventions measure it.
import type { Context, Meter } from '@opentelemetry/api'
import type { CallTrace } from '@sallyport/protocol'
import { callAttributes } from './attributes.js'

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
