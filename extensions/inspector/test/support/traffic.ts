import type { BusStats } from '@sallyport/core'

const perSecond = { calls: 0, failures: 0, events: { in: 0, out: 0 }, bytes: { in: 0, out: 0 } }

export const NO_TRAFFIC: BusStats['host'] = {
  ...{ inFlight: 0, queued: 0, calls: 0, failures: 0, denied: 0, overloaded: 0, late: 0, perSecond },
  events: { in: 0, out: 0, dropped: 0 },
  bytes: { in: 0, out: 0 },
  latency: { count: 0, p50: 0, p90: 0, p99: 0, max: 0 },
}
