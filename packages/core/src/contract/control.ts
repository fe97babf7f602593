// What host and core tell each other. Control messages are plain objects: for a worker's life, for frontends that come and
// go, and for what a host wants to know. No call that is served makes one.
import type { MessagePort } from 'node:worker_threads'
import type { CodecName, Heartbeat, LinkEndpoint, ReportedError } from '@sallyport/protocol'
import type { LifecycleState } from '@sallyport/protocol/actor'
import type { AclInput, CapabilityChanges, Pattern } from '../acl/types.js'
import type { MetricsMemory } from '../shared/metrics.js'

/** Who the program is, as in `tauri.conf.json`. */
export interface AppInfo {
  productName?: string
  version?: string
  /** As `com.example.app`. */
  identifier?: string
}

/** How often each of these frontends may call each of these commands. */
export interface CallQuota {
  /** Labels, as globs like those of capabilities: all of them, unless given. */
  windows?: readonly string[] | undefined
  /** Names, as they are called (`read_file`, `plugin:fs|*`), as globs likewise: all but the bus's own, unless given. */
  commands?: readonly string[] | undefined
  /** Calls in a second; a second's calls may come at once. */
  rate?: number | undefined
  /** Calls that run at a time: those too that were given up and whose handlers go on. */
  concurrency?: number | undefined
}

export interface CallLimits {
  /** The deadline in milliseconds of calls that have none of their own. */
  timeout?: number | undefined
  /** Milliseconds after which a call that still runs is told of. */
  slowAfter?: number | false | undefined
  quotas?: readonly CallQuota[] | undefined
}

/** What brings frontends of other processes, where something does. */
export interface NetworkModule {
  /** As a URL. */
  module: string
  options: unknown
}

export interface CoreOptions {
  pattern: Pattern
  /** Milliseconds, in the isolation pattern; the protocol's own unless given. */
  maxRecordAge?: number | undefined
  acl: AclInput
  appInfo: AppInfo
  calls?: CallLimits | undefined
  /** Each plugin's own options, by its name. */
  plugins: Readonly<Record<string, unknown>>
  network?: NetworkModule | undefined
  /** The least level that is worth sending to the host's log. */
  logLevel: string
}

export interface CoreWorkerData extends CoreOptions {
  /** The user's core module, as a URL. */
  module: string
  changes: CapabilityChanges
  /** Its stacks lead to what its modules were made from. */
  sourceMaps: boolean
  heartbeat: Heartbeat | undefined
}

/** A link that core is given. */
export interface Attachment {
  /** `undefined` for the host's own link. */
  label: string | undefined
  codec: CodecName
  end: LinkEndpoint
  /** A number that no other link to this core has; 0 for the host's own. */
  id: number
  /** It runs already: the others are told of it now, and not when its module begins. */
  runs?: boolean
  /** In the isolation pattern: where the gate waits for this session's key. The host passes it on without reading it. */
  keyPort?: MessagePort
  /** Where what is counted of it can be read. */
  meter?: MetricsMemory
  /** `false` only for the benchmark. */
  cipher: boolean
}

/** A call that core runs. */
export interface RunningCall {
  label: string
  command: string
}

/** Host → core. */
export type CoreCommand =
  | { type: 'attach'; attachment: Attachment }
  /** The frontend's module is about to run: the others may be told of it. */
  | { type: 'begin'; label: string }
  /** The frontend is gone, and not only its link. */
  | { type: 'end'; label: string }
  /** Core answers with `measured`. */
  | { type: 'measure' }
  /** The answer to the question of this number. */
  | { type: 'confirmed'; id: number; agreed: boolean }
  | { type: 'stop'; timeout: number }

/** Core → host. */
export type CoreReport =
  | { type: 'state'; state: LifecycleState; error?: ReportedError }
  | { type: 'log'; line: string }
  /** This frontend's link is there. */
  | { type: 'attached'; label: string; id: number }
  /** The link of this number has ended, whoever ended it. */
  | { type: 'closed'; label: string; id: number }
  /** `more`: of this frontend's calls, that are not told one by one. */
  | { type: 'denied'; label: string; command: string; more: number }
  /** It runs for so long; `more`: others of this frontend's. */
  | { type: 'slow'; label: string; command: string; ms: number; more: number }
  /** So many events did not wait for this frontend. */
  | { type: 'overload'; label: string; dropped: number }
  /** The meters are up to date; these are the calls that run, 20 of them at most. */
  | { type: 'measured'; running: RunningCall[]; network?: NetworkStats | undefined }
  /** A command asks the host; the number is no other question's of this core. */
  | { type: 'confirm'; id: number; label: string; command: string; text: string }
  /** Nobody waits for its answer any more. */
  | { type: 'withdraw'; id: number }
  /** It has come over the link of this number, or over a network. */
  | { type: 'fault'; label: string; id: number | undefined; error: ReportedError }

/** Counts since this core began, of all sessions of its network together. */
export interface NetworkCounts {
  sessions: number
  calls: number
  failures: number
  denied: number
  inFlight: number
  eventsIn: number
  eventsOut: number
  bytesIn: number
  bytesOut: number
}

/** What a network tells of itself and of the other cores of its bus, for `bus.stats()`. */
export interface NetworkStats {
  /** The name of this one. */
  instance: string
  /** By name: this one, and those that were heard of lately. */
  instances: Record<string, NetworkCounts>
  /** The sum. */
  total: NetworkCounts
}

// The commands behind methods of `Bus`, by their names.

export const HOST_METHOD = {
  /** The arguments are the function's own; which function it is stands in the headers. */
  call: 'plugin:host|call',
  addCapability: 'plugin:acl|add_capability',
  removeCapability: 'plugin:acl|remove_capability',
  explain: 'plugin:acl|explain',
} as const
