// What the inspector needs of a bus. Core passes it to `openInspector`: the figures of `bus.stats()`, the events of `bus.on`, and its
// state machines, as far as the page shows them. Core's own types have to fit, which `npm run types` checks.
import type { Heartbeat } from '@sallyport/protocol/internal/contract'
import type { BusError } from '@sallyport/protocol/internal/errors'
import type { CallReport } from './call-report.js'

export type BusState = 'starting' | 'running' | 'draining' | 'stopped' | 'failed'

export type WorkerState =
  | 'starting'
  | 'running'
  | 'leaving'
  | 'reloading'
  | 'backingOff'
  | 'waiting'
  | 'draining'
  | 'disconnected'
  | 'stopped'
  | 'failed'

export interface WorkerStats {
  state: WorkerState
  restarts: number
}

export interface WorkerStatus extends WorkerStats {
  /** The heartbeat of the current thread, if it is watched. */
  heartbeat?: Heartbeat | undefined
  /** What the current thread or its process uses, as far as its limits measure it. */
  usage?: WorkerUsage | undefined
}

export interface WorkerUsage {
  /** Bytes: of a process, resident; of a thread, its heap. */
  memory?: number | undefined
  /** Milliseconds so far: of a process, CPU time; of a thread, for which its event loop was busy. */
  cpu?: number | undefined
}

/** Durations in microseconds. */
export interface LatencyStats {
  /** Number of samples. */
  count: number
  p50: number
  p99: number
}

export interface TrafficStats {
  inFlight: number
  queued: number
  calls: number
  failures: number
  denied: number
  overloaded: number
  late: number
  events: { in: number; out: number; dropped: number }
  bytes: { in: number; out: number }
  /** Not shown: the page computes rates of its own. */
  perSecond: object
  latency: LatencyStats
}

export interface CoreStats extends WorkerStats {
  inFlight: number
  slow: number
}

export interface FrontendStats extends WorkerStats, TrafficStats {
  wall?: string
  gate?: WorkerStats & { hook: LatencyStats }
  rejected: number
  unsent: number
}

export interface BusStats {
  /** Milliseconds since the bus was created. */
  uptime: number
  core: CoreStats
  host: TrafficStats
  frontends: Record<string, FrontendStats>
  spares: number
}

export interface FrontendInfo {
  sandbox: 'none' | 'permission' | 'process' | 'quickjs' | 'external'
  /** Milliseconds since 1970. */
  startedAt: number
  error?: Error
}

/** The events that are shown. `more` is the number of further ones that were suppressed. */
export interface BusEvents {
  fault: { label: string; error: BusError }
  restart: { label: string; worker: string; delay: number; error: BusError }
  failed: { label: string; worker: string; error: BusError }
  slow: { label: string; command: string; more?: number }
  denied: { label: string; command: string; hint: string; more?: number }
  rejected: { label: string; command: string; why: string; more?: number }
}

/** Core's answer to a measurement. */
export interface Measurement {
  /** Some of the running calls. */
  running: readonly { label: string; command: string }[]
  /** The report of the `CallWatch` in core's thread, once core has loaded it. */
  watched?: CallReport | undefined
}

export interface ExplainedCommand {
  readonly command: string
  readonly access: 'allowed' | 'denied' | 'closed'
  readonly by: readonly { readonly capability: string; readonly permission: string }[]
  readonly scope: object | undefined
}

export interface ExplainedFrontend {
  readonly capabilities: readonly string[]
  readonly commands: readonly ExplainedCommand[]
}

/** A state of a state machine of xstate. */
export interface MachineState {
  readonly key: string
  readonly type: string
  readonly parent?: MachineState | undefined
  readonly states: Readonly<Record<string, MachineState>>
  readonly initial: { readonly target: readonly unknown[] }
  readonly transitions: ReadonlyMap<string, readonly MachineTransition[]>
  readonly always?: readonly MachineTransition[] | undefined
}

export interface MachineTransition {
  /** States. */
  readonly target?: readonly unknown[] | undefined
}

export interface Machine {
  readonly root: MachineState
}

export interface InspectedBus {
  getState(): BusState
  /** Returns the statistics as of the last `measure`. */
  getStats(): BusStats
  /** Returns the statuses of the workers by their names: `core`, `frontend "label"`, `gate "label"`. */
  getWorkerStatuses(): ReadonlyMap<string, WorkerStatus>
  readonly machines: { readonly bus: Machine; readonly worker: Machine }
  /** True if core is in the thread of the host. */
  readonly isCoreInProcess: boolean
  /** Returns what is known of a frontend that is open or has ended by itself. */
  getInfo(label: string): FrontendInfo | undefined
  /** Returns the number of calls that a frontend can have in flight, if it is open. */
  getMaxInFlight(label: string): number | undefined
  /** Updates the statistics, and lets core watch calls, whose report it passes on unread. Resolves with `undefined` if core does not answer. */
  measure(): Promise<(Pick<Measurement, 'running'> & { watched?: unknown }) | undefined>
  /** Lets core watch calls no longer, unless another inspector measures. */
  release(): void
  /** Adds a listener. Returns an unsubscribe function. */
  on<Name extends keyof BusEvents>(name: Name, listener: (event: BusEvents[Name]) => void): () => void
  explain(label: string): Promise<ExplainedFrontend>
}

/** Returns the name of a frontend's worker or gate. */
export const getWorkerName = (kind: 'frontend' | 'gate', label: string): string => `${kind} ${JSON.stringify(label)}`
