// Between the host and core: lifecycle, frontends that come and go, and statistics. Serving a call sends none of these messages.
import type { RecordableHistogram } from 'node:perf_hooks'
import type { MessagePort, ResourceLimits } from 'node:worker_threads'
import type { CodecName } from '@sallyport/protocol/internal/codec'
import type { Answer, Heartbeat, InitScript, Question, StateReport } from '@sallyport/protocol/internal/contract'
import type { ReportedError } from '@sallyport/protocol/internal/errors'
import type { DirectSocket, LinkEndpoint } from '@sallyport/protocol/internal/link'
import type { RequestId } from '@sallyport/protocol/internal/message'
import type { AclInput, AllowList, CapabilityChanges, Pattern, RightsSource, PermissionFile } from '../acl/types.js'
import type { ExplainedFrontend } from '../acl/explain.js'
import type { CommandContent } from '../api/define.js'
import type { MetricsMemory } from '../shared/metrics.js'

/** The program's identity, as in `tauri.conf.json`. */
export interface AppInfo {
  productName?: string | undefined
  version?: string | undefined
  identifier?: string | undefined
}

/** Limits how often each of these frontends can call each of these commands. */
export interface CallQuota {
  /** Selects frontends by globs of labels, as in capabilities. @default all */
  labels?: readonly string[] | undefined
  /** Selects commands by globs of the name they are called by (`read_file`, `plugin:fs|*`). @default all but the bus's own */
  commands?: readonly string[] | undefined
  /** Limits calls per second. The calls of one second can come at once. */
  rate?: number | undefined
  /** Limits calls at a time. Cancelled calls count until their handlers end. */
  concurrency?: number | undefined
  /**
   * Limits the calls in the life of a frontend, from its start until it is closed: restarts and reloads are part of it. The life of a web page, or of a
   * frontend in another process, ends when its label has had none for 30 s.
   */
  calls?: number | undefined
}

/** Deadlines and quotas of calls. */
export interface CallsOptions {
  /**
   * Limits a call to a frontend (`bus.call`, `app.call`) that has no `timeout`, in milliseconds: after that it rejects with `Timeout`.
   * `false`: never.
   *
   * @default 30000
   */
  timeout?: number | false
  /**
   * Limits a call to core that is no stream and has no `timeout`, in milliseconds: after that it rejects with `Timeout`.
   *
   * @default none
   */
  commandTimeout?: number
  /**
   * Reports a call that still runs in core after these milliseconds, once, in the log and by `bus.on('slow')`. Streams and calls with an
   * open channel are not. `false`: never.
   *
   * @default 30000
   */
  slowAfter?: number | false
  /**
   * Limits how often frontends call commands, counted for each frontend and command. Further calls are refused with `Overloaded`. If the
   * rate is the reason, `data.retryAfter` is the number of milliseconds to wait. All quotas that match a call apply.
   *
   * @example [{ labels: ['plugin-*'], commands: ['read_*'], rate: 100, concurrency: 4 }]
   */
  quotas?: readonly CallQuota[]
}

/** `CallsOptions` as they were parsed. */
export type CallLimits = { [Name in keyof CallsOptions]: CallsOptions[Name] | undefined }

/** A module that connects frontends of other processes. */
export type NetworkModule = { module: string; options: unknown }

export interface CoreOptions {
  pattern: Pattern
  acl: AclInput
  appInfo: AppInfo
  /** The URL of the directory of resources. */
  resources?: string | undefined
  calls?: CallLimits | undefined
  /** Options of each plugin by its name. */
  plugins: Readonly<Record<string, unknown>>
  network?: NetworkModule | undefined
  /** Lowest level that is sent to the host's log. */
  logLevel: string
  /** Of the host. */
  codec: CodecName
  /** True if core keeps events for its host from the start: see the command `hold`. */
  holdsEvents?: boolean
  poolLimits?: ResourceLimits
}

/** The data with which the worker of core is spawned. It is a guess if the worker is spawned before the options are checked. */
export interface CoreThreadData {
  isIsolated: boolean
}

/** The first message to the worker of core. */
export interface CoreWorkerData extends CoreOptions {
  module: string
  changes: CapabilityChanges
  /** Plugins that the host has added at run time. */
  hostPlugins: readonly HostPlugin[]
  /** `isDevelopment` in the host. */
  development: boolean
  /** Maps stack traces to the sources of compiled modules. */
  sourceMaps: boolean
  heartbeat: Heartbeat | undefined
}

/** A plugin whose commands run in the host, which exposes each by its method: `plugin:files|read_file`. */
export interface HostPlugin {
  name: string
  commands: Readonly<Record<string, CommandContent>>
  permissions: readonly PermissionFile[]
}

/** A call that was interrupted. */
export interface InterruptionReport {
  /** The data of its answer, which no frontend can guess. */
  token: string
  /** Data for the host, as `serializeValue` wrote it. */
  data: Uint8Array
}

/** What a run has in addition to a frontend. */
export interface RunTerms {
  /** The name by which the host exposes its functions for this run alone. */
  functions?: string | undefined
  /** Calls that it can make. */
  maxCalls?: number | undefined
  /** Calls of `maxCalls` that it made before it was interrupted. */
  madeCalls?: number | undefined
  /** Whether `ctx.interrupt` can interrupt it. Without a key of the host it cannot, and says so. Left out if its sandbox has no snapshots. */
  interrupts?: 'yes' | 'no-key' | undefined
}

/** A link that the host offers to core, which takes or rejects it. */
export interface LinkOffer {
  /** Of this host's frontends. Each has one number, from its start until it is gone, and any number of links. `undefined` for the host itself. */
  frontend: number | undefined
  /** For people, and for rights. `undefined` for the host itself. */
  label: string | undefined
  codec: CodecName
  endpoint: LinkEndpoint
  /** Unique among the links to this core. 0 for the host's own link. */
  id: number
  /** Whether the others are notified of the frontend's code now, because it runs, or were before. Left out if `begin` follows. */
  begun?: 'now' | 'before' | undefined
  /** `allow` of the frontend. */
  allow?: AllowList | undefined
  /** The frontend has the rights of the host: see `FrontendRights`. */
  isTrusted?: boolean
  /** The frontend is a run, whose `allow` is an option of `bus.run`. */
  runsOnce?: boolean | undefined
  /** What the frontend has as a run. */
  run?: RunTerms | undefined
  /** Where its rights are written, if not in `allow` of the program. */
  rightsSource?: RightsSource | undefined
  /** Label that the frontend's limits count for: a further tab of a page shares those of the page. @default `label` */
  limitLabel?: string | undefined
  /** See `ConnectionConfig`. */
  maxConfirms?: number | undefined
  /** In the isolation pattern, the port on which the gate waits for the session's key. The host does not read it. */
  keyPort?: MessagePort
  metrics?: MetricsMemory
}

/** Why a frontend has ended. */
export interface FrontendEnd {
  /** A clause for error texts: `it ran out of memory`. */
  why: string
  error: ReportedError | undefined
  /** False if its code never began: its calls were not delivered. */
  ranCode: boolean
}

export type RunningCall = { label: string; command: string }

export interface Measurement {
  /** At most 20 of the running calls. */
  running: readonly RunningCall[]
  /** The report of the inspector's `CallWatch`, if core watches calls. */
  watched?: unknown
  network?: NetworkStats | undefined
}

/** What comes after code of a frontend that has ended. */
export interface EndedFrontend {
  /** `restart`: other code, soon; `wait`: perhaps other code; `none`: the frontend is gone. */
  next: 'restart' | 'wait' | 'none'
  /** Why it has ended, unless the host ended it. */
  end?: FrontendEnd | undefined
  /** The host has closed it: its calls end, and those that core has not begun are dropped. */
  drops: boolean
}

/** Messages from the host to core. */
export type CoreCommand =
  | { type: 'attach'; offer: LinkOffer }
  /** An end of a socket to a process, for a link that follows. */
  | { type: 'socket'; socket: DirectSocket }
  /** The frontend's module is about to run, and the others can be notified. */
  | { type: 'begin'; frontend: number }
  /** Nothing more comes over this link. Sent once for each link that core has taken: `end` is why its frontend has ended, unless the host ended it. */
  | { type: 'detach'; link: number; end?: FrontendEnd | undefined }
  /** The frontend's code has ended, and not only its link. */
  | ({ type: 'ended'; frontend: number } & EndedFrontend)
  | Question
  /** `watchCalls`: whether core watches calls from now on, for an inspector. Left out: as before. */
  | { type: 'measure'; watchCalls?: boolean | undefined }
  /** Asks what a frontend can call. The id is unique for this host. */
  | { type: 'explain'; id: number; label: string }
  | { type: 'confirmed'; id: number; answer: boolean | ReportedError }
  /** Core keeps events for listeners that the host adds, until `holds` is false. */
  | { type: 'hold'; holds: boolean }
  | { type: 'stop'; timeout: number }

/** Messages from core to the host. `more` is the number of further reports for this frontend that were suppressed. */
export type CoreReport =
  | StateReport
  | Answer
  | { type: 'log'; line: string }
  /** Sent once, before core is ready, if plugins have scripts. */
  | { type: 'scripts'; scripts: readonly InitScript[] }
  /** The frontend's link was taken. */
  | { type: 'attached'; frontend: number; id: number }
  /** The frontend's link was refused, for a mistake in its options. */
  | { type: 'rejected'; frontend: number; id: number; error: ReportedError }
  /** A link has closed, from either side. */
  | { type: 'closed'; frontend: number; id: number }
  | { type: 'denied'; label: string; command: string; hint: string; more: number }
  | { type: 'slow'; label: string; command: string; ms: number; more: number }
  /** Events were dropped because the frontend read too slowly. */
  | { type: 'overload'; label: string; dropped: number }
  /** The histogram of a link that had none, with the first of its calls that was timed. */
  | { type: 'latency'; frontend: number | undefined; latency: RecordableHistogram }
  /** All metrics are up to date. */
  | ({ type: 'measured' } & Measurement)
  /** The answer to `explain`. */
  | { type: 'explained'; id: number; explained?: ExplainedFrontend; error?: ReportedError }
  /** A command asks the host to confirm. The id is unique for this core; `call` is that of the caller. */
  | {
      type: 'confirm'
      id: number
      frontend: number | undefined
      label: string
      command: string
      call: RequestId | undefined
      text: string
    }
  /** A call of a run was interrupted. */
  | ({ type: 'interrupted'; frontend: number } & InterruptionReport)
  /** The command no longer waits for the answer to its `confirm`. */
  | { type: 'withdraw'; id: number }
  /** The peer violated the protocol. A session from the network is no frontend of this host. */
  | { type: 'fault'; label: string; frontend?: number | undefined; id?: number | undefined; error: ReportedError }

/** Counts of all network sessions together, since this core started. */
export interface NetworkCounts {
  /** Open sessions. */
  sessions: number
  /** Calls received. */
  calls: number
  /** Calls that failed. */
  failures: number
  /** Calls that no capability allowed. */
  denied: number
  /** Calls that are running. */
  inFlight: number
  /** Events received. */
  eventsIn: number
  /** Events sent. */
  eventsOut: number
  /** Bytes received. */
  bytesIn: number
  /** Bytes sent. */
  bytesOut: number
}

/** Statistics of a network and of the other cores of its bus, for `bus.stats()`. */
export interface NetworkStats {
  /** Name of this instance. */
  instance: string
  /** Counts by instance: this one, and those with a recent sign of life. */
  instances: Record<string, NetworkCounts>
  /** Sum of all instances. */
  total: NetworkCounts
}

/** Header of a call of the host: the number of the frontend that had the label when the call was made, if one had. */
export const FRONTEND_HEADER = 'frontend'

/** Header of a call of the host that has no `timeout`: milliseconds for the answer, or for the stream to open. */
export const DEFAULT_TIMEOUT_HEADER = 'default-timeout'

/** The command with which a run calls the host's functions for it: `{ name, args }`. Other frontends do not have it. */
export const RUN_FUNCTION_METHOD = 'plugin:host|run_function'

/** Names of the commands behind methods of `Bus`. */
export const HOST_METHOD = {
  /** The arguments are those of the function. Its name and the frontend's label are in the headers. */
  call: 'plugin:host|call',
  /** As `call`, of a function whose result is a stream. */
  stream: 'plugin:host|stream',
  /** Returns the labels of the frontends that have a session. */
  labels: 'plugin:host|labels',
  /** Returns what a label may call. */
  describe: 'plugin:host|describe',
  addPlugin: 'plugin:host|add_plugin',
  removePlugin: 'plugin:host|remove_plugin',
  /** Returns what capabilities allow a label, and not all labels. */
  ownRights: 'plugin:acl|own_rights',
  addCapability: 'plugin:acl|add_capability',
  removeCapability: 'plugin:acl|remove_capability',
} as const
