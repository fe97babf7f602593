// Data of the page: the snapshots of its feed, and the commands that a frontend may call.
import type { CallRecord, CommandStats } from './call-report.js'
import type {
  BusEvents,
  BusState,
  CoreStats,
  ExplainedCommand,
  FrontendInfo,
  FrontendStats,
  LatencyStats,
  TrafficStats,
  WorkerStatus,
} from './inspected-bus.js'

/** Traffic as in `bus.stats()`. The page computes the rates. */
export type TrafficView = Omit<TrafficStats, 'perSecond'>

export interface FrontendView extends TrafficView, Omit<WorkerStatus, 'heartbeat'> {
  label: string
  sandbox?: FrontendInfo['sandbox']
  /** Start of its current or last thread, in milliseconds since 1970. */
  startedAt?: number
  /** Only for processes. */
  wall?: string
  /** The error that last ended its thread, with its file and line. */
  error?: string
  where?: string
  /** The first lines of the error's stack, if it has failed. */
  stack?: string
  /** Milliseconds until it restarts. */
  restartsIn?: number
  /** Milliseconds for which it has not responded, if its thread is blocked. */
  blockedMs?: number
  /** The host closed it after it had failed. */
  isClosed?: true
  rejected: number
  unsent: number
  /** `false` for a connection of the host. */
  isWorker: boolean
  gate?: Omit<WorkerStatus, 'heartbeat'> & { hook: LatencyStats }
}

/** Counters of `FrontendStats`. */
export type Total =
  | Extract<keyof FrontendStats, 'calls' | 'failures' | 'denied' | 'overloaded' | 'unsent' | 'rejected' | 'restarts'>
  | 'events'
  | 'dropped'
  | 'bytes'
/** `refused`: with `Overloaded`, by core or by the frontend's own client. `failed`: failures that are neither denials nor refusals. */
export type MinuteTotal = 'denied' | 'refused' | 'failed' | 'rejected' | 'slow' | 'dropped'
type TotalWithSlow = Total | 'slow'
export type Totals = Readonly<Record<Total, number>>

/** Calls of one command. */
export interface CommandView extends Omit<CommandStats, 'callers'> {
  /** At most five, or the selected frontend. */
  callers: CommandStats['callers']
}

/** The program whose bus it is. */
export interface Program {
  name: string
  pid: number
  /** The last part of its working directory. */
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
  /** Frontends that need attention. */
  culprits: readonly Culprit[]
  /** Number of further frontends that need attention. */
  moreCulprits: number
  /** The frontend whose figures, calls and events are shown alone. */
  selected?: string
  /** Totals of the host, core and all frontends, or of the selected one. They never fall: those that have ended count too. */
  totals: Readonly<Record<TotalWithSlow, number>>
  /** Counts of the last minute. Those of `culprits` are parts of them. */
  lastMinute: Readonly<Record<MinuteTotal, number>>
  /** Bytes that are queued for frontends. */
  queued: number
  /** Calls that run in core. */
  inFlight: number
  /** Calls by command since the inspector was opened, or core started. Left out if core does not answer. */
  commands?: readonly CommandView[] | undefined
  /** The latest calls. Left out if nothing has changed. */
  calls?: readonly CallView[]
  /** Left out if the host has called nothing. */
  host?: TrafficView
  frontends: readonly FrontendView[]
  /** Number of frontends that are open. */
  open: number
  /** Number of frontends that have ended by themselves. */
  ended: number
  /** Number of processes that wait for a frontend. */
  spares: number
  /** Number of frontends with matching labels. */
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
  /** A command, or the kind of a worker. */
  what: string
  /** The error's message, or how to change the capabilities. */
  why: string
  /** File and line, relative to the working directory, if the error's stack has them. */
  where: string
  /** Times of the first and the latest one, in milliseconds since 1970. */
  since: number
  at: number
  count: number
}

/** The latest events first. */
export interface RecentEventLists {
  /** Denials and rejections. */
  refusals: readonly RecordedEvent[]
  /** Faults, restarts, blocked threads, slow calls and dropped events. */
  troubles: readonly RecordedEvent[]
}

export interface Culprit {
  /** A frontend, `core` or `host`: the first of `labels`. */
  label: string
  /** All that have the same trouble, if there are several; at most 100. */
  labels?: readonly string[]
  /** Number of them. */
  total?: number
  /** A clause whose subject is the label: `is crash-looping: …`. */
  text: string
  /** False for what a program can expect, such as an error of a command. */
  isBad: boolean
  /** What people can do. */
  cure?: Cure | undefined
  /** The first lines of the error's stack. */
  stack?: string
  /** Opens the place of the error in an editor. */
  editor?: string
}

/** At most 80 characters. */
export interface Cure {
  text: string
  /** What to write. */
  code?: string
}

/** A thread that does not answer now. */
export interface Blocked extends Partial<Pick<CallRecord, 'label' | 'command'>> {
  /** Milliseconds since its last sign of life. */
  ms: number
}

/** One call. */
export type CallView = Omit<CallRecord, 'id'> & { id: string }

export interface CommandAccess {
  command: string
  access: ExplainedCommand['access']
  /** Capabilities and permissions. */
  by: string
  /** The scope as JSON. */
  scope: string
}

export interface ShownAccess {
  /** Why core did not answer. */
  error?: string
  capabilities: readonly string[]
  commands: readonly CommandAccess[]
  /** Number of commands that are left out. */
  more: number
}
