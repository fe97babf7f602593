// What `bus.stats` gives.
import type { RecordableHistogram } from 'node:perf_hooks'
import type { NetworkStats } from '../../contract/control.js'
import { COUNT, createCounts, createLatency, type MetricsMemory } from '../../shared/metrics.js'
import type { WorkerStats } from '../supervision/policy.js'

export interface CoreStats extends WorkerStats {
  /** Calls that run in it now, of all. */
  inFlight: number
  /** Calls that were told of as slow. */
  slow: number
}

export interface GateStats extends WorkerStats {
  /** Of the isolation hook, for one message: what it let pass is written out by then, or it is rejected. */
  hook: LatencyStats
  /** Of sealing a record, which holds up to a batch of messages. */
  seal: LatencyStats
}

/** Of a frontend, as the process sees it that it runs in. */
export interface JoinedStats extends WorkerStats {
  /** In the isolation pattern. */
  gate?: GateStats
  /** Messages that the isolation hook has not let pass: none of them is among `calls`. */
  rejected: number
}

export interface FrontendStats extends JoinedStats, TrafficStats {}

export interface BusStats {
  /** Milliseconds since the bus was created. */
  uptime: number
  core: CoreStats
  /** What the host itself sends and is sent: `bus.emit`, `bus.call`. */
  host: TrafficStats
  /** By label. */
  frontends: Record<string, FrontendStats>
  /** Of frontends that a network brings, here and at the other cores of it. None while core is being started again. */
  network?: NetworkStats
}

// The traffic between core and one of its links, as it is counted: over one link after the other, and what it was at a time.

export interface LatencyStats {
  /** Calls that were timed: of more than 500 in a second, one in 251. */
  count: number
  /** Microseconds, like the rest. */
  p50: number
  p90: number
  p99: number
  max: number
}

export interface TrafficRates {
  calls: number
  failures: number
  events: { in: number; out: number }
  bytes: { in: number; out: number }
}

/** All of it since the frontend was opened, over each of its links. */
export interface TrafficStats extends TrafficRates {
  /** Calls that run in core now, those too that nobody waits for any more. */
  inFlight: number
  /** Bytes that wait for the frontend in core and on its link. */
  queued: number
  /** Calls of commands that came to core. */
  calls: number
  /** Of them, those that ended with an error. */
  failures: number
  /** Of these, those that no capability allows. */
  denied: number
  /** Answers that were dropped, because nobody waited for them any more. */
  late: number
  /** `in`: emitted there. `out`: delivered there. `dropped`: it was too slow for them. */
  events: { in: number; out: number; dropped: number }
  /** On the link: frames without their headers; of JSON, characters on the way out. */
  bytes: { in: number; out: number }
  /** The same in a second, since `stats` was last called. */
  perSecond: TrafficRates
  /** From the start of a command to its result. */
  latency: LatencyStats
}

export class SessionTraffic {
  /** Of the links before this one. */
  readonly #before = new Float64Array(Object.keys(COUNT).length)
  /** With the first link: thousands that have none would take 30 KB each. */
  #latency: RecordableHistogram | undefined
  #counts: Float64Array | undefined
  #last = getRates(this.#before)
  #lastAt = performance.now()

  /** For another link. */
  attach(): MetricsMemory {
    this.#counts?.forEach((count, i) => (this.#before[i]! += count))
    const counts = createCounts()
    this.#counts = new Float64Array(counts)
    return { counts, latency: (this.#latency ??= createLatency()) }
  }

  /**
   * @param linked whether there is a link: else nothing is on it
   * @param marks false for whoever only looks: the rates of the next are still those since the last that marked
   */
  snapshot(linked: boolean, marks: boolean): TrafficStats {
    const counts = this.#before.map((count, i) => count + (this.#counts?.[i] ?? 0))
    const now = performance.now()
    const rates = getRates(counts)
    const seconds = Math.max(now - this.#lastAt, 1) / 1000
    const perSecond = ratesBetween(this.#last, rates, seconds)
    if (marks) {
      this.#last = rates
      this.#lastAt = now
    }
    const ofNow = (count: number): number => (linked ? (this.#counts?.[count] ?? 0) : 0)
    return {
      inFlight: ofNow(COUNT.inFlight),
      queued: ofNow(COUNT.queued),
      ...rates,
      denied: counts[COUNT.denied]!,
      late: counts[COUNT.late]!,
      events: { ...rates.events, dropped: counts[COUNT.dropped]! },
      perSecond,
      latency: getLatency(this.#latency),
    }
  }
}

const getRates = (counts: Float64Array): TrafficRates => ({
  calls: Math.max(0, counts[COUNT.calls]! - counts[COUNT.eventsIn]!),
  failures: counts[COUNT.failures]!,
  events: { in: counts[COUNT.eventsIn]!, out: counts[COUNT.eventsOut]! },
  bytes: { in: counts[COUNT.bytesIn]!, out: counts[COUNT.bytesOut]! },
})

function ratesBetween(from: TrafficRates, to: TrafficRates, seconds: number): TrafficRates {
  const rate = (a: number, b: number): number => Math.max(0, Math.round((b - a) / seconds))
  const both = (a: { in: number; out: number }, b: { in: number; out: number }): { in: number; out: number } => ({
    in: rate(a.in, b.in),
    out: rate(a.out, b.out),
  })
  return {
    calls: rate(from.calls, to.calls),
    failures: rate(from.failures, to.failures),
    events: both(from.events, to.events),
    bytes: both(from.bytes, to.bytes),
  }
}

const NONE: LatencyStats = { count: 0, p50: 0, p90: 0, p99: 0, max: 0 }

export function getLatency(histogram: RecordableHistogram | undefined): LatencyStats {
  if (!histogram) return { ...NONE }
  const { count } = histogram
  const us = (nanoseconds: number): number => (count === 0 ? 0 : Math.round(nanoseconds / 10) / 100)
  const at = (share: number): number => us(histogram.percentile(share))
  return { count, p50: at(50), p90: at(90), p99: at(99), max: us(histogram.max) }
}
