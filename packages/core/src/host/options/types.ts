// What `createBus` takes, and what becomes of it.
import type { ResourceLimits } from 'node:worker_threads'
import type { CodecName, LinkKind } from '@sallyport/protocol'
import type { AclInput, Capability, Pattern, PermissionFile } from '../../acl/types.js'
import type { CoreDefinition } from '../../api/define.js'
import type { AppInfo, CallLimits, CallQuota } from '../../contract/control.js'
import type { ProcessLimits } from '../../relay/messages.js'
import type { OnConfirm } from '../reporting/confirm.js'
import type { Logger } from '../reporting/log.js'
import type { SupervisionConfig, SupervisionOptions } from '../supervision/policy.js'
import type { OnStdio } from '../workers/output.js'
import type { WorkerMakers } from '../workers/spawn.js'
import type { ModuleLocation } from './location.js'

/** Node's permission model around a frontend worker; docs/security.md says what it keeps out and what it does not. */
export interface PermissionSandbox {
  kind: 'permission'
  /** Files and folders that the frontend may read beside its module's folder and the `node_modules` above it. */
  read?: readonly ModuleLocation[]
  /** The frontend does not start where Node lets it read more than that. */
  strict?: boolean
  /** Of `new Worker`: memory, in MB. `{ maxOldGenerationSizeMb: 2048 }` by default. */
  resourceLimits?: ResourceLimits
}

/** A process of its own around a frontend, under the same model; docs/security.md has both. */
export interface ProcessSandbox {
  kind: 'process'
  /** As of `PermissionSandbox`. */
  read?: readonly ModuleLocation[]
  /** Memory, in MB, as flags of V8: what goes over it ends that process alone. */
  resourceLimits?: Omit<ResourceLimits, 'codeRangeSizeMb'>
  /** MiB that the whole process may have resident; Node alone has 40 to 60. Linux only. */
  memory?: number
  /** Share of one core that it may use, over 10 s: 0.5 is half of one. Linux only. */
  cpu?: number
}

/** A script in a SES Compartment; docs/security.md says what it finds there. */
export interface SesSandbox {
  kind: 'ses'
  /** Of `new Worker`, as above. */
  resourceLimits?: ResourceLimits
}

/**
 * What a frontend worker may do beside calling commands. `none`: all that the host may; its code is trusted. `permission`:
 * read what it is made of, and compute. `process`: the same, and out of the host's memory. `ses`: compute; it is one script,
 * and has nothing of Node.
 */
export type Sandbox = 'none' | 'permission' | 'process' | 'ses' | PermissionSandbox | ProcessSandbox | SesSandbox

/** Of any link to core. */
export interface ConnectionOptions {
  /** For all that this frontend sends and is sent; `json` by default. Bytes take the msgpack lane by themselves. */
  codec?: CodecName
  /**
   * `ring`: through shared memory, polled while that makes calls faster. `port`: through a MessagePort. `auto`, the default,
   * takes a ring where each thread of a call can have a core: two, or three in the isolation pattern. A frontend in a
   * process has a thread more, and a pipe as the last part of the way.
   */
  link?: 'auto' | LinkKind
  /**
   * `false`: a ring is never polled, so that a busy event loop has no turn more than it needs. Where each thread of a call
   * can't have a core it is not polled either.
   */
  poll?: boolean
  /** Calls in flight at a time, from 1 to 16384, the default: what is more waits in the client. */
  window?: number
  /**
   * What becomes of calls and events beyond the window, or for which the link has no room. `wait`, the default: up to 65536 of
   * them, or 64 MiB, wait in the client, in order. `reject`: they reject with `Overloaded` at once.
   */
  overflow?: 'wait' | 'reject'
  /** What the frontend has from `getData()`: a copy, of anything that `structuredClone` takes. */
  data?: unknown
}

/** Of a frontend that runs in a worker. */
export interface FrontendOptions extends ConnectionOptions {
  /** `permission` by default. */
  sandbox?: Sandbox
  /**
   * Takes what the frontend writes to its standard output and error, as text as it comes. Without it, that becomes lines of
   * the log, `info` and `warn`, up to 100 in a second; with `none` it goes to the host's own output.
   *
   * @example onStdio: (text, { stream }) => process[stream].write(text)
   */
  onStdio?: OnStdio
  /** What becomes of its worker and its gate when they end; what is left out is the bus's. */
  supervision?: SupervisionOptions
}

/** The same, with their defaults. */
export type ConnectionSettings = Required<Omit<ConnectionOptions, 'data'>> & Pick<ConnectionOptions, 'data'>

export interface PermissionSettings {
  kind: 'permission'
  read: URL[]
  strict: boolean
  resourceLimits?: ResourceLimits | undefined
}

export interface ProcessSettings extends ProcessLimits {
  kind: 'process'
  read: URL[]
  resourceLimits?: ResourceLimits | undefined
}

export interface SesSettings {
  kind: 'ses'
  resourceLimits?: ResourceLimits | undefined
}

export interface FrontendSettings extends ConnectionSettings {
  sandbox: 'none' | PermissionSettings | ProcessSettings | SesSettings
  onStdio?: OnStdio | undefined
  supervision: SupervisionConfig
}

export interface FrontendModule extends FrontendOptions {
  module: ModuleLocation
}

export interface IsolationOptions {
  /** A Tauri isolation app: `index.html` and its scripts. Without it, a hook that passes everything. */
  dir?: ModuleLocation
  /** Gives the hook `{ cmd: 'invoke', message }` and `{ cmd: 'emit', event, payload }` in place of Tauri's message. */
  envelope?: boolean
  /** Milliseconds that the hook may take for one message, or to load, before its gate is ended, and started again; 1000 by default. */
  hookTimeout?: number
  /**
   * Milliseconds that a record may take from the gate to core: 30 000 by default. What the hook approved can't be kept for
   * later; more is for a debugger that holds core or a frontend still.
   */
  maxRecordAge?: number
}

export type PatternOptions = { use: 'brownfield' } | { use: 'isolation'; options?: IsolationOptions }

/** Of the same shape as in `tauri.conf.json`. */
export interface SecurityOptions {
  pattern?: PatternOptions
  /**
   * Capabilities; files of them or folders, as URLs or absolute paths; and, beside `config`, the identifiers of some that
   * stand in its `capabilities` folder. Given, they are all there are.
   */
  capabilities?: readonly (Capability | ModuleLocation)[]
}

export interface CoreModule {
  module: ModuleLocation | CoreDefinition
  /** What becomes of it when it ends; what is left out is the bus's. */
  supervision?: SupervisionOptions
}

/** `productName`, `version`, `identifier` and what is in `app.security` win over what `config` says of them. */
export interface BusOptions extends AppInfo {
  /**
   * The core module, whose default export is made by `defineCore`: it runs in a worker. Or that definition itself: it runs in
   * the calling thread, whose objects its handlers may use, and which they block (docs/embedding.md).
   */
  core: ModuleLocation | CoreDefinition | CoreModule
  /** What makes Sallyport's own workers in a program that is bundled with Sallyport in it: docs/bundlers.md. */
  workers?: WorkerMakers
  /** Modules to run in frontend workers, by label. */
  frontends?: Readonly<Record<string, ModuleLocation | FrontendModule>>
  /** How long calls may take: docs/calls.md. */
  calls?: CallsOptions
  /** When workers that have ended are started again: docs/supervision.md. */
  supervision?: SupervisionOptions
  /**
   * A Tauri project: its `tauri.conf.json`, `tauri.conf.json5` or `Tauri.toml`, or the folder that holds one. The file of
   * this platform (`tauri.linux.conf.json`) is merged into it; `capabilities`, `permissions`, the isolation app and
   * `gen/schemas/acl-manifests.json` are found beside it. What is no business of a bus is passed over.
   */
  config?: ModuleLocation
  app?: { security?: SecurityOptions }
  /**
   * Permission files of the app, as Tauri has them: what is in one, or files and folders of them, as URLs or absolute paths.
   * Given, they take the place of `permissions` beside `config`.
   */
  permissions?: readonly (PermissionFile | ModuleLocation)[]
  /**
   * `warn`: permissions of plugins that this core does not have are passed over, with a warning. `error`, the default: they
   * stop the start.
   */
  unknownPermissions?: 'error' | 'warn'
  /** Each plugin's own options, by its name: what its `setup` is given as `api.config`. One here wins over that of `config`. */
  plugins?: Readonly<Record<string, unknown>>
  /**
   * A module that brings frontends of other processes, and the events of other cores: core loads it in its own thread
   * (docs/networks.md).
   */
  network?: NetworkOptions
  /** A pino logger, or `false` for none. By default warnings and worse go to standard error. */
  log?: Logger | false
  /**
   * For development: what has changed on disk is loaded again, what fails waits for a change, stacks follow source maps, and what
   * workers print is labelled (docs/embedding.md). `false` by default.
   */
  dev?: boolean
  /**
   * Asks a person: answers `confirm(text)` in an isolation hook and `ctx.confirm(text)` in a command, which wait for it. Without
   * it, every answer is `false`.
   */
  onConfirm?: OnConfirm
}

export interface ResolvedIsolation {
  dir: URL | undefined
  envelope: boolean
  hookTimeout: number
  maxRecordAge: number | undefined
  /** Where `dir` was named, for error texts. */
  from: string
}

/** The same, with its defaults, every location a URL, and the files of the configuration read. */
export interface ResolvedOptions {
  core: URL | CoreDefinition
  workers: WorkerMakers
  frontends: ({ label: string; module: URL } & FrontendSettings)[]
  supervision: {
    core: SupervisionConfig
    /** Of frontends that come later. */
    frontends: SupervisionOptions | undefined
  }
  calls: CallLimits
  pattern: Pattern
  isolation: ResolvedIsolation
  acl: AclInput
  appInfo: AppInfo
  plugins: Readonly<Record<string, unknown>>
  network: NetworkSettings | undefined
  log: Logger | false | undefined
  dev: boolean
  onConfirm: BusOptions['onConfirm']
}

export interface CallsOptions {
  /**
   * The deadline in milliseconds of each call that has none of its own, whoever makes it: beyond it the call rejects with
   * `Timeout`. None by default. A stream may take longer: its `timeout` is its own.
   */
  timeout?: number
  /**
   * Milliseconds after which a call that still runs in core is in the log and told of (`bus.on('slow')`), once: 30 000 by
   * default. `false`: never.
   */
  slowAfter?: number | false
  /**
   * How often frontends may call commands, counted for each frontend and command. What is more is refused with `Overloaded`; where
   * it is for the rate, `data.retryAfter` says in how many milliseconds there is room. All quotas that fit a call hold.
   *
   * @example [{ windows: ['plugin-*'], commands: ['read_*'], rate: 100, concurrency: 4 }]
   */
  quotas?: readonly CallQuota[]
}

export interface NetworkOptions {
  /** Its export `join` is a `JoinNetwork` of `@sallyport/core/network`. */
  module: ModuleLocation
  /** A copy of it, of anything that `structuredClone` takes. */
  options?: unknown
}

export interface NetworkSettings {
  module: URL
  options?: unknown
}
