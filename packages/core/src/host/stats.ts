// What `bus.stats` gives.
import type { NetworkStats } from '../control.js'
import type { WorkerStats } from './supervision.js'
import type { LatencyStats, TrafficStats } from './traffic.js'

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
