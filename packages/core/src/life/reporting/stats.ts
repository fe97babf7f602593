// Statistics of `bus.stats()`, and how those of a frontend are counted over its links.
import type { RecordableHistogram } from 'node:perf_hooks'
import type { NetworkStats } from '../../contract/host-core.js'
import {
  addCounts,
  COUNT,
  type Counts,
  createCountsMemory,
  createLatency,
  type MetricsMemory,
  toCounts,
} from '../../shared/metrics.js'
import type { WorkerStats } from '../policy.js'

/** Durations in microseconds. */
export interface LatencyStats {
  /** Number of samples: the first 500 calls of each second, and one in 251 of the others. */
  count: number
  /** Median. */
  p50: number
  /** 90th percentile. */
  p90: number
  /** 99th percentile. */
  p99: number
  /** The longest. */
  max: number
}

/** Totals since the frontend was opened, over all of its links. */
export interface TrafficStats {
  /** Calls that run in core now, including those that were cancelled. */
  inFlight: number
  /** Bytes that wait for the frontend, in core and on its link. 0 of an idle frontend; over a port, less than 2 MiB count as none. */
  queued: number
  /** Calls of commands that core received. */
  calls: number
  /** Calls that ended with an error. */
  failures: number
  /** Calls that permissions do not allow. Each is a failure too. */
  denied: number
  /** Calls that core refused with `Overloaded`, because of a quota or another limit. Each is a failure too. */
  overloaded: number
  /** Responses that were dropped since their calls were no longer pending. */
  late: number
  /** `in`: events that the frontend emitted. `out`: delivered to it. `dropped`: not delivered, since it was too slow. */
  events: { in: number; out: number; dropped: number }
  /** Size of frames on the link without their headers. JSON that is sent counts in characters. */
  bytes: { in: number; out: number }
  /** Calls, failures, and events and bytes to core (`in`) and to the frontend (`out`), each per second since the last call of `stats`. */
  perSecond: {
    calls: number
    failures: number
    events: { in: number; out: number }
    bytes: { in: number; out: number }
  }
  /** Durations from the start of a command to its result. */
  latency: LatencyStats
}

/** Figures of the core worker. */
export interface CoreStats extends WorkerStats {
  /** Calls that run in core now. */
  inFlight: number
  /** Number of calls reported as slow. */
  slow: number
}

/** Figures of one gate. */
export interface GateStats extends WorkerStats {
  /** Durations of the isolation hook for one message, until it is written or rejected. */
  hook: LatencyStats
  /** Durations of sealing a record, which contains up to a batch of messages. */
  seal: LatencyStats
}

/** Calls of one function of a frontend that the host has made, and that have ended. */
export interface ServedStats {
  /** All of them. */
  calls: number
  /** Those that rejected, by reason: `{ Timeout: 2 }`. */
  failures: Record<string, number>
  /** Durations within 10 %, from the call to its result or the end of its stream. Failed calls are not timed. */
  latency: LatencyStats
}

/** Figures of one frontend since its first start. */
export interface FrontendStats extends WorkerStats, TrafficStats {
  /** The wall around its process, if it runs in one: the name of a launcher, or `none`. */
  wall?: string
  /** In the isolation pattern. */
  gate?: GateStats
  /** Messages that the isolation hook rejected, or that found its queue full. They are not counted in `calls`. */
  rejected: number
  /**
   * Calls and events that its own client refused with `Overloaded`, because of `maxInFlight` or a full queue, and events that it dropped
   * because core was down. They are not counted in `calls`. The frontend itself reports this figure each second.
   */
  unsent: number
  /** Calls of its functions with `bus.call`, `bus.callAll`, `bus.stream` and `bus.frontend`, by function: 50, and `(others)`. */
  served: Record<string, ServedStats>
}

/** Statistics of a frontend in the process that it runs in. */
export type JoinedStats = Omit<FrontendStats, keyof TrafficStats | 'served'>

/** The result of `bus.stats()`. */
export interface BusStats {
  /** Milliseconds since the bus was created. */
  uptime: number
  /** The core worker. */
  core: CoreStats
  /** Traffic of the host itself: `bus.emit`, `bus.call`. */
  host: TrafficStats
  /** Statistics by label. */
  frontends: Record<string, FrontendStats>
  /** Number of processes that wait for a frontend: see `spares` of a sandbox. */
  spares: number
  /** Statistics of a network's frontends, here and at its other cores; `undefined` until core has answered since its start. */
  network?: NetworkStats
}

/** What a host counts. */
interface CountingHost {
  readonly uptime: number
  readonly core: {
    readonly isUp: boolean
    readonly worker: { readonly stats: WorkerStats }
    readonly traffic: SessionTraffic
    readonly network: NetworkStats | undefined
  }
  readonly frontends: { takeStats(resetRates: boolean): Record<string, FrontendStats> }
  readonly processes: { readonly pool: { readonly count: number } | undefined }
  readonly reporter: { readonly slowCalls: number }
}

/** @param resetRates - whether the rates of the next call are measured from this one */
export function readStats(
  { core, frontends: opened, processes, reporter, uptime }: CountingHost,
  resetRates: boolean,
): BusStats {
  const host = core.traffic.snapshot(core.isUp, resetRates)
  const frontends = opened.takeStats(resetRates)
  const { network } = core
  const inNetwork = network?.instances[network.instance]?.inFlight ?? 0
  const inFlight = Object.values(frontends).reduce((sum, stats) => sum + stats.inFlight, host.inFlight + inNetwork)
  return {
    uptime,
    core: { ...core.worker.stats, inFlight, slow: reporter.slowCalls },
    host,
    frontends,
    spares: processes.pool?.count ?? 0,
    ...(network && { network }),
  }
}

const getTotals = (counts: Counts): TrafficStats['perSecond'] => ({
  calls: Math.max(0, counts[COUNT.calls] - counts[COUNT.eventsIn]),
  failures: counts[COUNT.failures],
  events: { in: counts[COUNT.eventsIn], out: counts[COUNT.eventsOut] },
  bytes: { in: counts[COUNT.bytesIn], out: counts[COUNT.bytesOut] },
})

const NO_COUNTS = toCounts()
const NO_TRAFFIC = getTotals(NO_COUNTS)

/** Metrics of one frontend over links that follow each other. */
export class SessionTraffic {
  /** Totals of previous links. */
  #previous = NO_COUNTS
  /** Core creates one with the first timed call: 30 KB would be wasted on thousands of idle frontends. Further links share the first. */
  readonly #latencies: RecordableHistogram[] = []
  #counts: Counts | undefined
  #lastTotals = NO_TRAFFIC
  #lastAt = performance.now()

  /** Returns the memory for the metrics of a new link. */
  attach(): MetricsMemory {
    const last = this.#counts
    if (last) this.#previous = addCounts(this.#previous, last)
    const counts = createCountsMemory()
    this.#counts = toCounts(counts)
    return { counts, latency: this.#latencies[0] }
  }

  /** Takes the histogram that core created for a link. A link that began before the first one arrived has another. */
  addLatency(latency: RecordableHistogram): void {
    this.#latencies.push(latency)
  }

  /** Calls that count for the limit of a run. */
  get limitedCalls(): number {
    return this.#getTotal(COUNT.limited)
  }

  /** Calls with a result: of the frontend, but not of the bus's own commands, and to it. */
  get succeeded(): number {
    return this.#getTotal(COUNT.succeeded)
  }

  /** Bytes of all frames that core has taken from it, and of one that has not arrived whole when core was asked. */
  get taken(): number {
    return this.#getTotal(COUNT.bytesIn) + this.#getTotal(COUNT.begun)
  }

  /**
   * @param isLinked - false leaves out what is only true of an active link
   * @param resetRates - whether the rates of the next snapshot are measured from this one
   */
  snapshot(isLinked: boolean, resetRates: boolean): TrafficStats {
    const counts = this.#counts ? addCounts(this.#previous, this.#counts) : this.#previous
    const now = performance.now()
    const totals = getTotals(counts)
    const seconds = Math.max(now - this.#lastAt, 1) / 1000
    const rate = (before: number, after: number): number => Math.max(0, Math.round((after - before) / seconds))
    const { calls, failures, events, bytes } = this.#lastTotals
    const perSecond: TrafficStats['perSecond'] = {
      calls: rate(calls, totals.calls),
      failures: rate(failures, totals.failures),
      events: { in: rate(events.in, totals.events.in), out: rate(events.out, totals.events.out) },
      bytes: { in: rate(bytes.in, totals.bytes.in), out: rate(bytes.out, totals.bytes.out) },
    }
    if (resetRates) {
      this.#lastTotals = totals
      this.#lastAt = now
    }
    const getCurrent = (count: number): number => (isLinked ? (this.#counts?.[count] ?? 0) : 0)
    return {
      inFlight: getCurrent(COUNT.inFlight),
      queued: getCurrent(COUNT.queued),
      ...totals,
      denied: counts[COUNT.denied],
      overloaded: counts[COUNT.overloaded],
      late: counts[COUNT.late],
      events: { ...totals.events, dropped: counts[COUNT.dropped] },
      perSecond,
      latency: getLatency(this.#latency),
    }
  }

  #getTotal(count: (typeof COUNT)[keyof typeof COUNT]): number {
    return this.#previous[count] + (this.#counts?.[count] ?? 0)
  }

  /** The durations of all links. */
  get #latency(): RecordableHistogram | undefined {
    const [first, ...others] = this.#latencies
    if (!first || others.length === 0) return first
    const sum = createLatency()
    for (const latency of this.#latencies) sum.add(latency)
    return sum
  }
}

export function getLatency(histogram: RecordableHistogram | undefined): LatencyStats {
  if (!histogram || histogram.count === 0) return { count: 0, p50: 0, p90: 0, p99: 0, max: 0 }
  const toMicroseconds = (nanoseconds: number): number => Math.round(nanoseconds / 10) / 100
  const at = (percentile: number): number => toMicroseconds(histogram.percentile(percentile))
  return { count: histogram.count, p50: at(50), p90: at(90), p99: at(99), max: toMicroseconds(histogram.max) }
}
