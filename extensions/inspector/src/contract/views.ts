// What the inspector reads of a bus, which core passes to `openInspector`, and the data of the page: the snapshots of its feed, and the
// commands that a frontend may call. Core cannot be imported here, as it imports this package; its types have to fit, which
// `npm run types` checks.
import type { Heartbeat } from '@sallyport/protocol/internal/contract'
import type { BusError } from '@sallyport/protocol/internal/errors'
import type { CallRecord, CallReport, CommandStats } from './call-report.js'

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

export interface LatencyStats {
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

export interface BusEvents {
  fault: { label: string; error: BusError }
  restart: { label: string; worker: string; delay: number; error: BusError }
  failed: { label: string; worker: string; error: BusError }
  slow: { label: string; command: string; more?: number }
  denied: { label: string; command: string; hint: string; more?: number }
  rejected: { label: string; command: string; why: string; more?: number }
}

export interface Measurement {
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

interface MachineState {
  readonly type?: string
  readonly on?: Readonly<Record<string, string | readonly MachineTransition[]>>
  readonly always?: readonly MachineTransition[]
}

interface MachineTransition {
  readonly to?: string
}

/** Its states. */
export type Machine = Readonly<Record<string, MachineState>>

export interface InspectedBus {
  getState(): BusState
  getStats(): BusStats
  /** Returns the statuses of the workers by their names: `core`, `frontend "label"`, `gate "label"`. */
  getWorkerStatuses(): ReadonlyMap<string, WorkerStatus>
  readonly machines: { readonly bus: Machine; readonly worker: Machine }
  /** True if core is in the thread of the host. */
  readonly isCoreInProcess: boolean
  getInfo(label: string): FrontendInfo | undefined
  /** Returns the number of calls that a frontend can have in flight, if it is open. */
  getMaxInFlight(label: string): number | undefined
  /** Updates the statistics, and lets core watch calls, whose report it passes on unread. Resolves with `undefined` if core does not answer. */
  measure(): Promise<(Pick<Measurement, 'running'> & { watched?: unknown }) | undefined>
  /** Lets core watch calls no longer, unless another inspector measures. */
  release(): void
  on<Name extends keyof BusEvents>(name: Name, listener: (event: BusEvents[Name]) => void): () => void
  explain(label: string): Promise<ExplainedFrontend>
}

export const getWorkerName = (label: string): string => `frontend ${JSON.stringify(label)}`

export type TrafficView = Omit<TrafficStats, 'perSecond'>

export interface FrontendView extends TrafficView, Omit<WorkerStatus, 'heartbeat'> {
  label: string
  sandbox?: FrontendInfo['sandbox']
  /** Start of its current or last thread, in milliseconds since 1970. */
  startedAt?: number
  /** Only for processes. */
  wall?: string
  error?: string
  where?: string
  /** The first lines of the error's stack, if it has failed. */
  stack?: string
  /** Milliseconds until it restarts. */
  restartsIn?: number
  /** Milliseconds for which it has not responded, if its thread is blocked. */
  blockedMs?: number
  isClosed?: true
  rejected: number
  unsent: number
  isWorker: boolean
  gate?: Omit<WorkerStatus, 'heartbeat'> & { hook: LatencyStats }
}

export type Total =
  | Extract<keyof FrontendStats, 'calls' | 'failures' | 'denied' | 'overloaded' | 'unsent' | 'rejected' | 'restarts'>
  | 'events'
  | 'dropped'
  | 'bytes'
/** `refused`: with `Overloaded`, by core or by the frontend's own client. `failed`: failures that are neither denials nor refusals. */
export type MinuteTotal = 'denied' | 'refused' | 'failed' | 'rejected' | 'slow' | 'dropped'
type TotalWithSlow = Total | 'slow'
export type Totals = Readonly<Record<Total, number>>

export interface CommandView extends Omit<CommandStats, 'callers'> {
  /** At most five, or the selected frontend. */
  callers: CommandStats['callers']
}

export interface Program {
  name: string
  pid: number
  directory: string
  /** The version of Node.js. */
  node: string
}

export interface Snapshot {
  program: Program
  /** Milliseconds since the bus was created. */
  uptime: number
  /** Time of the snapshot, in milliseconds since 1970. */
  at: number
  bus: BusState
  /** `answers` is `false` if a handler blocks core, or core is not running. */
  core: CoreStats & { answers: boolean; blocked?: Blocked | undefined }
  culprits: readonly Culprit[]
  moreCulprits: number
  selected?: string
  /** Totals of the host, core and all frontends, or of the selected one. They never fall: those that have ended count too. */
  totals: Readonly<Record<TotalWithSlow, number>>
  lastMinute: Readonly<Record<MinuteTotal, number>>
  queued: number
  inFlight: number
  /** Calls by command since the inspector was opened, or core started. Left out if core does not answer. */
  commands?: readonly CommandView[] | undefined
  /** The latest calls. Left out if nothing has changed. */
  calls?: readonly CallView[]
  /** Left out if the host has called nothing. */
  host?: TrafficView
  frontends: readonly FrontendView[]
  open: number
  ended: number
  spares: number
  found: number
  states: Readonly<Record<string, number>>
  /** Time from which on events were recorded, in milliseconds since 1970. */
  since: number
  /** Left out if nothing has changed. */
  recent?: RecentEventLists
}

export interface RecordedEvent {
  /**
   * `blocked`: a thread did not answer for some time. `overload`: events were dropped. `refused`: calls or events were refused with
   * `Overloaded`.
   */
  kind: keyof BusEvents | 'blocked' | 'overload' | 'refused'
  /** A frontend's label, `core` or `host`. */
  label: string
  what: string
  why: string
  /** File and line, relative to the working directory, if the error's stack has them. */
  where: string
  /** Times of the first and the latest one, in milliseconds since 1970. */
  since: number
  at: number
  count: number
}

export interface RecentEventLists {
  refusals: readonly RecordedEvent[]
  troubles: readonly RecordedEvent[]
}

export interface Culprit {
  /** A frontend, `core` or `host`: the first of `labels`. */
  label: string
  /** All that have the same trouble, if there are several; at most twelve. */
  labels?: readonly string[]
  total?: number
  /** A clause whose subject is the label: `is crash-looping: …`. */
  text: string
  /** False for what a program can expect, such as an error of a command. */
  isBad: boolean
  /** What people can do. */
  cure?: Cure | undefined
  stack?: string
  editor?: string
}

/** At most 80 characters. */
export interface Cure {
  text: string
  code: string
}

export interface Blocked extends Partial<Pick<CallRecord, 'label' | 'command'>> {
  /** Milliseconds since its last sign of life. */
  ms: number
}

export type CallView = Omit<CallRecord, 'id'> & { id: string }

export interface CommandAccess {
  command: string
  access: ExplainedCommand['access']
  by: string
  scope: string
}

export interface ShownAccess {
  error?: string
  capabilities: readonly string[]
  commands: readonly CommandAccess[]
  more: number
}
