// The sandbox of one frontend as its options are resolved, and what starts it.
import type { ResourceLimits } from 'node:worker_threads'
import type { FrontendWorkerData } from '@sallyport/protocol/internal/contract'
import type { HostLog } from '../reporting/log.js'
import type { ThreadHandle } from '../life/spec.js'
import type { ProcessConfig, ProcessPool, SocketOwner } from '@sallyport/process/internal'
import type { SharedThreads } from '../workers/shared-threads.js'
import type { Processes } from './processes.js'
import { type Entry, findEntry, type WorkerFactories } from '../workers/spawn.js'
import type { Announcements } from './announcements.js'

/** Options of a sandbox as their schema returns them: the part that each kind has. */
export interface SandboxOptions<Name extends string = string> {
  kind: Name
  resourceLimits?: ResourceLimits | undefined
  /** Only of kinds that can have a process. */
  spares?: number | undefined
}

/** The sandbox of one frontend. */
export interface SandboxConfig<Name extends string = string> {
  readonly kind: Name
  /** True if the code runs in a process. Its pipe cannot be connected to another link, and its relay occupies a core. */
  readonly hasProcess?: boolean
  /** The wall around its process, if it has one: the name of a launcher, or `none`. */
  readonly wall?: string
  /** True if the frontend fails while it boots if the sandbox has a hole. */
  readonly isStrict?: boolean
  /** Milliseconds that it is given to exit beyond its time to drain. */
  readonly stopTimeout?: number
  /** Bytes of each ring of its link, a power of two. @default RING_BYTES */
  readonly ringBytes?: number
  /** The engine of snapshots of its code, and the code around it. Left out if code in it cannot be interrupted. */
  readonly engine?: string
  /**
   * Starts the code of a frontend.
   *
   * @param owners - the threads that own the ends of a process's sockets; none if the relay forwards its frames
   * @throws {BusError} InvalidParams; errors of `new Worker`
   */
  spawn(start: FrontendWorkerData, host: SandboxHost, owners: readonly SocketOwner[]): ThreadHandle
  /** Logs what users should know of this sandbox when a frontend is opened in it. */
  announce?(label: string, announcements: Announcements): void
}

/** The parts of a host that start a sandbox. */
export interface SandboxHost {
  readonly options: {
    readonly workers: WorkerFactories
    /** The core module, if it has a location. */
    readonly core?: unknown
  }
  readonly log: HostLog
  readonly sharedThreads: SharedThreads
  readonly processes: Processes
}

/** Returns the entry of a frontend's worker. @throws {BusError} as `findEntry` */
export const getFrontendEntry = ({ options }: SandboxHost): Entry =>
  options.workers.frontend ?? findEntry('@sallyport/frontend/worker')

/** Returns the sandbox of a process as the other kinds have it. */
export const toSandbox = <Name extends string>(
  kind: Name,
  Pool: typeof ProcessPool,
  { spawn, announce, ...config }: ProcessConfig,
): SandboxConfig<Name> => ({
  kind,
  ...config,
  spawn(start, { processes, log }, owners) {
    processes.pool ??= new Pool(log)
    return spawn(start, processes, processes.pool, owners)
  },
  announce: (_label, announcements) => announce((subject, write) => announcements.once(subject, write)),
})
