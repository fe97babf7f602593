// What `bus.stats` gives.
import type { TrafficStats } from './traffic.js'

/** Where a worker is in its life: docs/machines.md. */
export type WorkerState = 'starting' | 'running' | 'backingOff' | 'draining' | 'stopped' | 'failed'

export interface WorkerStats {
  state: WorkerState
  /** How often it was started again. */
  restarts: number
}

export interface CoreStats extends WorkerStats {
  /** Calls that run in it now, of all. */
  inFlight: number
  /** Calls that were told of as slow. */
  slow: number
}

export interface FrontendStats extends WorkerStats, TrafficStats {
  /** In the isolation pattern. */
  gate?: WorkerStats
  /** Messages that the isolation hook has not let pass: none of them is among `calls`. */
  rejected: number
}

export interface BusStats {
  /** Milliseconds since the bus was created. */
  uptime: number
  core: CoreStats
  /** What the host itself sends and is sent: `bus.emit`, `bus.call`. */
  host: TrafficStats
  /** By label. */
  frontends: Record<string, FrontendStats>
}
