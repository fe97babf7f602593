// What a kind of sandbox is to the rest of the host (`kinds.ts` lists the kinds, and nothing else of core names one), and the sandbox of one frontend.
import type { ResourceLimits } from 'node:worker_threads'
import type { FrontendWorkerData } from '@sallyport/protocol/internal/contract'
import type { HostLog } from '../reporting/log.js'
import type { ThreadHandle } from '../thread.js'
import type { ProcessConfig, ProcessPool, SocketOwner } from '@sallyport/process/internal'
import type { SharedThreads } from '../workers/shared-threads.js'
import type { Processes } from '../workers/process-host.js'
import { type Entry, findEntry, type WorkerFactories } from '../workers/spawn.js'
import type * as v from 'valibot'

/** Options of a sandbox as their schema returns them: the part that each kind has. */
export interface SandboxOptions<Name extends string = string> {
  kind: Name
  resourceLimits?: ResourceLimits | undefined
  /** Only of kinds that can have a process. */
  spares?: number | undefined
}

/** @internal */
type OptionsSchema<Name extends string> = v.VariantOptions<'kind'>[number] &
  v.GenericSchema<unknown, SandboxOptions<Name>>

/** @internal One kind of sandbox. */
export interface SandboxKind<Name extends string, Schema extends OptionsSchema<Name> = OptionsSchema<Name>> {
  /** True if code in it has all rights of the host. */
  readonly isTrusted: boolean
  /** True if its code can import modules that the host passes by name. */
  readonly hasNamedModules?: boolean
  /** Schema of its options, whose `kind` is its name. A kind without one has no options. */
  readonly schema?: Schema
  /** Returns the options with a limit of memory in MiB. By default it is that of V8's heap. */
  limitMemory?(options: v.InferOutput<Schema>, memory: number): v.InferOutput<Schema>
  /** Returns the options with a limit of the milliseconds that code can run without a pause. A kind without it has no such limit. */
  limitTime?(options: v.InferOutput<Schema>, time: number): v.InferOutput<Schema>
  /**
   * Checks what a schema cannot: whether this machine can enforce the options.
   *
   * @param place - the place of the options, for error texts
   * @param threads - the threads of the host, if it runs already: one that the sandbox needs can start meanwhile
   * @param hasText - true for code as text
   * @throws {BusError} InvalidParams
   */
  resolve(
    options: v.InferOutput<Schema>,
    place: string,
    threads?: SharedThreads,
    hasText?: boolean,
  ): SandboxConfig<Name> | Promise<SandboxConfig<Name>>
}

/** The sandbox of one frontend. */
export interface SandboxConfig<Name extends string = string> {
  readonly kind: Name
  /** True if the code runs in a process. Its pipe cannot be connected to another link, and its relay occupies a core. */
  readonly hasProcess?: boolean
  /** The wall around its process, if it has one: the name of a launcher, or `none`. */
  readonly wall?: string
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
  announce?(once: LogOnce, label: string): void
}

/** Calls `write` unless it was called for this subject. */
export type LogOnce = (subject: string, write: (log: HostLog) => void) => void

/** Beyond this number of subjects, what was logged can be repeated. */
const MAX_SUBJECTS = 1000

export function createLogOnce(log: HostLog): LogOnce {
  const subjects = new Set<string>()
  return (subject, write) => {
    if (subjects.has(subject)) return
    if (subjects.size === MAX_SUBJECTS) subjects.clear()
    subjects.add(subject)
    write(log)
  }
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
  { spawn, ...config }: ProcessConfig,
): SandboxConfig<Name> => ({
  kind,
  ...config,
  spawn(start, { processes, log }, owners) {
    processes.pool ??= new Pool(log)
    return spawn(start, processes, processes.pool, owners)
  },
})
