// The data of the page: the snapshots of the feed, and the commands that a frontend may call.
import type { BusStats } from '@sallyport/core'
import type { FrontendInfo, FrontendStats, InspectedBus, WorkerStatus } from '@sallyport/core/internal'
import type { CallRecord, CallReport, CommandStats } from './call-report.js'

/** What core answers. */
export interface Measurement {
  /** The report of the `CallWatch` in core's thread, once core has loaded it. */
  watched?: CallReport | undefined
}

export type ExplainedCommand = Awaited<ReturnType<InspectedBus['explain']>>['commands'][number]

export interface FrontendView extends Omit<FrontendStats, 'served'>, Pick<WorkerStatus, 'usage'> {
  label: string
  sandbox?: FrontendInfo['sandbox']
  /** Start of its current or last thread, in milliseconds since 1970. */
  startedAt?: number
  error?: string
  where?: string
  /** Milliseconds until it restarts. */
  restartsIn?: number
  /** Milliseconds for which it has not responded, if its thread is blocked. */
  blockedMs?: number
  /** The frontend whose code blocks it, in a thread that they share; `null` if that is not known. */
  waitsFor?: string | null
}

export type Total =
  | Extract<keyof FrontendStats, 'calls' | 'failures' | 'denied' | 'overloaded' | 'unsent' | 'rejected' | 'restarts'>
  | 'events'
  | 'dropped'
  | 'bytes'
/** `refused`: with `Overloaded`, by core or by the frontend's own client. `failed`: failures that are neither denials nor refusals. */
export type MinuteTotal = 'denied' | 'refused' | 'failed' | 'rejected' | 'slow' | 'dropped'
export type Totals = Readonly<Record<Total, number>>

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
  bus: ReturnType<InspectedBus['getState']>
  /** `answers` is `false` if a handler blocks core, or core is not running. */
  core: BusStats['core'] & { answers: boolean; blocked?: Blocked | undefined }
  culprits: readonly Culprit[]
  moreCulprits: number
  selected?: string
  /** Totals of the host, core and all frontends, or of the selected one. They never fall: those that have ended count too. */
  totals: Readonly<Record<Total | 'slow', number>>
  lastMinute: Readonly<Record<MinuteTotal, number>>
  queued: number
  inFlight: number
  /** Calls by command since the inspector was opened, or core started. Left out if core does not answer. */
  commands?: readonly CommandStats[] | undefined
  /** The latest calls. Left out if nothing has changed. */
  calls?: readonly CallView[]
  /** Left out if the host has called nothing. */
  host?: BusStats['host']
  frontends: readonly FrontendView[]
  open: number
  ended: number
  spares: number
  found: number
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
  kind: 'denied' | 'rejected' | 'slow' | 'fault' | 'restart' | 'failed' | 'blocked' | 'overload' | 'refused'
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
  /** All that have the same trouble, if there are several; at most five. */
  labels?: readonly string[]
  total?: number
  /** A clause whose subject is the label: `is crash-looping: …`. */
  text: string
  /** False for what a program can expect, such as an error of a command. */
  isBad: boolean
  /** What allows its denied calls, at most 80 characters. */
  cure?: { text: string; code: string } | undefined
  /** The URL that opens the place of its error. */
  editor?: string
}

/** The thread of a frontend that does not respond. */
export interface BlockedThread {
  ms: number
  /** The frontend whose code it runs instead of this one's; `null` if that is not known. */
  waitsFor?: string | null
}

/** A frontend that makes nearly all calls. */
export interface Flood {
  label: string
  /** Calls per second. */
  rate: number
  /** Of all calls, from 0 to 1. */
  share: number
  /** Of one CPU core, from 0 to 1. Absent if it is not measured. */
  cpu?: number
}

export interface Blocked extends Partial<Pick<CallRecord, 'label' | 'command'>> {
  /** Milliseconds since its last sign of life. */
  ms: number
}

export type CallView = Omit<CallRecord, 'id'> & {
  id: string
  /** How many calls of this caller, command and outcome it stands for, if it stands for many. */
  count?: number
}

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
