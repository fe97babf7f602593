// Types of the options as users write them. `resolve.ts` has those that the host uses.
import type { ResourceLimits } from 'node:worker_threads'
import type { CodecName } from '@sallyport/protocol/internal'
import type { Capability, PermissionFile, ScopedPermission } from '../../acl/types.js'
import type { CoreDefinition } from '../../api/define.js'
import type { CallsOptions } from '../../contract/host-core.js'
import type { Launcher } from '../../launchers/launcher.js'
import type { OnConfirm } from '../reporting/confirm.js'
import type { Logger, LogLevel } from '../reporting/log.js'
import type { SupervisionOptions } from '../supervision/policy.js'
import type { OnStdio } from '../workers/output.js'
import type { WorkerFactories } from '../workers/spawn.js'
import type { ModuleLocation } from './schema.js'

/** Node's permission model around a frontend worker: see the page "Security in detail" of the documentation. */
export interface PermissionSandbox {
  /** Node's permission model in a worker thread. */
  kind: 'permission'
  /** Files and directories that the frontend may read, in addition to its module's directory and the `node_modules` above it. */
  read?: readonly ModuleLocation[]
  /**
   * Grants the network, or denies it, which is the default. Node before 25 cannot deny it: the network is open without this option, and
   * `false` is refused.
   */
  net?: boolean
  /** Fails the start if the frontend can read the working directory without a grant. @default false */
  strict?: boolean
  /** Limits of `new Worker`: memory, in MB. @default { maxOldGenerationSizeMb: 1024 }, and 2048 before Node 22.16 */
  resourceLimits?: ResourceLimits
}

/** A separate process around a frontend, under the permission model too: see the page "Security in detail" of the documentation. */
export interface ProcessSandbox extends Pick<PermissionSandbox, 'read'> {
  /** A separate process. */
  kind: 'process'
  /**
   * Grants the network, or denies it, which is the default. The wall closes it; Node 25 and later denies it without a wall too. If
   * neither can, the network is open without this option, and `false` is refused.
   */
  net?: boolean
  /**
   * The wall around the process, which holds code that has left Node's permission model. `auto`: the strongest launcher of
   * `@sallyport/core/launchers` that works on this machine, or none. `required`: the same, but the frontend does not start without one.
   * `none`: no wall. An object is a launcher: one of `@sallyport/core/launchers`, or your own.
   *
   * @default 'auto'
   */
  wall?: 'auto' | 'required' | 'none' | Launcher
  /** Memory in MB, as flags of V8. A frontend that exceeds it ends with its process; the host continues. @default Node's limits */
  resourceLimits?: Omit<ResourceLimits, 'codeRangeSizeMb'>
  /** Resident memory of the whole process in MiB; Node alone takes 40 to 60. Linux only. */
  memory?: number
  /** Share of one CPU core over 10 s: 0.5 is half of one. Linux only. */
  cpu?: number
  /** Number of processes and threads. Node alone has about 10. Linux only. */
  pids?: number
  /** MiB of files that the frontend can write to `/tmp`, in memory. Needs a wall of bubblewrap. By default it writes nothing. */
  tmp?: number
}

/**
 * A script in a SES Compartment: the page "Security in detail" of the documentation lists its globals. The options of a process need
 * `process: true`.
 */
export interface SesSandbox
  extends Pick<PermissionSandbox, 'resourceLimits'>, Pick<ProcessSandbox, 'wall' | 'memory' | 'cpu' | 'pids'> {
  /** A script in a SES Compartment. */
  kind: 'ses'
  /**
   * Runs the script in a separate process, as `kind: 'process'` runs a module. The script has no files and no network, with or without a
   * wall. Excludes `group`. `memory` includes Node and SES, which take up to 70 MiB; `resourceLimits` are flags of V8, by default Node's.
   *
   * @default false
   */
  process?: boolean
  /**
   * Name of a group of scripts that share a thread, because they trust each other: one that does not return delays and restarts the others.
   * Each script keeps its own rights, quotas, output and errors. `resourceLimits` are those of the thread, and must be the same for each
   * script of the group. By default a script has a thread of its own.
   */
  group?: string
}

/**
 * Rights of a frontend in addition to calling commands. `none`: all rights of the host; its code is trusted. `permission`: it reads its own
 * directory and `node_modules`, and uses Node's API without writes, child processes, workers and addons. `process`: the same, in a
 * separate process. `ses`: a single script without Node's API, in a process with `{ kind: 'ses', process: true }`.
 */
export type Sandbox = 'none' | 'permission' | 'process' | 'ses' | PermissionSandbox | ProcessSandbox | SesSandbox

/** Options of any link to core. */
export interface ConnectionOptions {
  /** Codec of all messages in both directions: it decides which values arrive, and how. @default `codec` of the bus */
  codec?: CodecName
  /**
   * `auto` and `ring`: shared memory, polled while polling makes calls faster. `port`: MessagePorts, which transfer large bytes without a copy. Code
   * that holds one can end the thread at its other end, so a frontend in a sandbox cannot have one.
   *
   * @default 'auto'
   */
  link?: 'auto' | 'ring' | 'port'
  /**
   * Polls a ring. `false` takes less CPU time, and makes a call slower. With fewer CPU cores than threads of a call,
   * a client polls only for its reply. On a single core nothing polls.
   *
   * @default true
   */
  poll?: boolean
  /** Maximum number of calls in flight, from 1 to 16384. Further calls wait in the client. @default 16384 */
  maxInFlight?: number
  /**
   * Handling of calls beyond `maxInFlight`, and of calls and events while the link is full. `wait`: up to 65536 of them, or 64 MiB, wait in the
   * client, in order. `reject`: they reject with `Overloaded` immediately.
   *
   * @default 'wait'
   */
  overflow?: 'wait' | 'reject'
  /**
   * Bytes of each stream or channel that core sends before the frontend has read them. Each message counts 1024 bytes more, and the last
   * one can exceed the number. A core in another process uses the default.
   *
   * @default 4194304
   */
  readAhead?: number
  /**
   * Commands that this frontend may call, in addition to those that capabilities for its label allow: names of commands, identifiers of
   * permissions, or either with values for its scope. `'*'` is every command of the app, and `core:default`. Events, information
   * about the app, and resources need no permission. Trusted code, which is `bus.connect` and `sandbox: 'none'`, has `'*'` unless it has
   * this option or a capability names its label. Not available for a host without core.
   *
   * @default [] (nothing else)
   * @example ['greet', { permission: 'fs:allow-read-text-file', allow: ['$APPDATA/**'] }]
   */
  allow?: '*' | readonly (string | ScopedPermission)[]
  /** Data for the frontend's `getData()`: a copy of any value that `structuredClone` takes. */
  data?: unknown
}

/** Code as text in the place of a module's location. Its sandbox is `permission`, `process` or `ses`. */
export interface ModuleSource {
  /** The code, at most 16 Mi characters: a module, or a script for `sandbox: 'ses'`. `@sallyport/frontend` always resolves in it. */
  source: string
  /** Name of the code in error texts and stacks: a file name without a directory. @default 'source.js' */
  name?: string
  /**
   * Directory of the code, as if it were a file there: what it imports, and may read. Without it, it imports only `@sallyport/frontend`,
   * modules of Node, and URLs. A script of `sandbox: 'ses'` imports only `@sallyport/frontend`.
   */
  directory?: ModuleLocation
}

/** Options of a frontend that runs in a worker. */
export interface FrontendOptions extends ConnectionOptions {
  /** @default 'permission' */
  sandbox?: Sandbox
  /**
   * Receives the frontend's standard output and error as text, in chunks. Without it, up to 100 lines a second go to standard error as
   * `[label] text`, or to the logger that `log` passes, as `info` and `warn`.
   *
   * @example onStdio: (text, { stream }) => process[stream].write(text)
   */
  onStdio?: OnStdio
  /** When its worker and its gate restart. Each missing option is the bus's. */
  supervision?: SupervisionOptions
  /**
   * Waits until the module has been evaluated; a module that fails to load rejects `createBus` or `bus.open`. Set to `false` if the
   * module's top-level `await` needs the host.
   *
   * @default true
   */
  loaded?: boolean
  /** Milliseconds to wait for the module. After that a warning is logged, and the load continues. @default 10000 */
  loadTimeout?: number
}

/** A frontend's module with its options. */
export interface FrontendModule extends FrontendOptions {
  /** The module: a URL, an absolute path, or code as text. */
  module: ModuleLocation | ModuleSource
}

/** Options of `bus.run`. */
export interface RunOptions
  extends Pick<FrontendOptions, 'allow' | 'codec' | 'data' | 'onStdio'>, Pick<ModuleSource, 'directory'> {
  /** `args` in the code: any object that the codec sends. @default {} */
  args?: object
  /** Any sandbox but `none`. @default 'ses' */
  sandbox?: Exclude<Sandbox, 'none'>
  /** Milliseconds for the start of the sandbox and the code, or false for no limit. @default `calls.timeout` of the bus */
  timeout?: number | false
  /** MiB of the JavaScript heap, as `maxOldGenerationSizeMb` of the sandbox's `resourceLimits`. By default that of the sandbox. */
  memory?: number
  /** Aborting it ends the sandbox, and rejects with `Cancelled`. */
  signal?: AbortSignal
  /**
   * Label of the code's frontend, for capabilities, quotas and the log. One run at a time can have it. By default `run-` with a number that
   * no other frontend has. A capability for `*` or `run-*` applies to every run with such a label.
   */
  label?: string
}

/** Options of the isolation pattern, in which a separate worker, the gate, checks what a frontend sends. */
export interface IsolationOptions {
  /** Directory of a Tauri isolation app: `index.html` and its scripts. Without it, the gate passes every message. */
  dir?: ModuleLocation
  /**
   * Shows the hook `{ cmd: 'invoke', message }` and `{ cmd: 'emit', event, payload }` instead of Tauri's messages.
   *
   * @default false
   */
  legacyMessages?: boolean
  /** Milliseconds that the hook may take to load, or for one message. Its gate restarts after that. @default 1000 */
  hookTimeout?: number
  /**
   * Number of threads that the gates of all frontends share, from 1 to 64, or a thread for each gate. Gates that share a thread wait for
   * each other's hooks, and restart together if a hook does not return. Each keeps its own hook state and keys.
   *
   * @default 'each'
   */
  gates?: 'each' | number
}

/** Options of `runHook`. */
export interface HookOptions extends Pick<IsolationOptions, 'legacyMessages' | 'hookTimeout'> {
  /** Answers the hook's `confirm`. Requests are declined by default. */
  onConfirm?: OnConfirm
}

/** Options of `createBus`. Those that `config` has too take precedence over it. */
export interface BusOptions {
  /** The program's name, as in `tauri.conf.json`. */
  productName?: string
  /** The program's version, as in `tauri.conf.json`. */
  version?: string
  /** The program's identifier, as in `tauri.conf.json`, for example `com.example.app`. */
  identifier?: string
  /**
   * The core module, whose default export is made by `defineCore`: it runs in a worker. A definition instead of a module runs in the
   * calling thread: its handlers can use that thread's objects, and block it. See the page "Development" of the documentation.
   */
  core:
    | ModuleLocation
    | CoreDefinition
    | {
        module: ModuleLocation | CoreDefinition
        /** When core restarts. Each missing option is the bus's. */
        supervision?: SupervisionOptions
        /** Milliseconds after which a core that has not started is logged as a warning; the start continues. @default 10000 */
        loadTimeout?: number
      }
  /** Milliseconds for core and all `frontends` to start. After that `createBus` ends them and rejects with `Timeout`. No limit by default. */
  startTimeout?: number
  /** Starts Sallyport's own workers in a program that bundles Sallyport: see the page "Deploying" of the documentation. */
  workers?: WorkerFactories
  /** Default codec of every connection, including the host's own. @default 'json' */
  codec?: CodecName
  /** Modules to run in frontend workers, by label. */
  frontends?: Readonly<Record<string, ModuleLocation | FrontendModule>>
  /** Deadlines and quotas of calls. */
  calls?: CallsOptions
  /** When workers restart: see the page "Reliability" of the documentation. */
  supervision?: SupervisionOptions
  /**
   * A Tauri project: its `tauri.conf.json`, `tauri.conf.json5` or `Tauri.toml`, or the directory of one. The file of this platform
   * (`tauri.linux.conf.json`) is merged into it. `capabilities`, `permissions`, the isolation app and `gen/schemas/acl-manifests.json`
   * are read from the same directory. Settings that have no meaning for a bus are ignored.
   */
  config?: ModuleLocation
  /**
   * Tauri's resource directory: `$RESOURCE` in scopes, and `BaseDirectory.Resource`. It should hold no code of the program, because a
   * scope can allow writing to it. Without it both are unknown.
   */
  resources?: ModuleLocation
  /**
   * Capabilities; files or directories of them, as URLs or absolute paths; and, with `config`, identifiers of capabilities in its
   * `capabilities` directory. No other capabilities are used if this is given.
   *
   * @example capabilities: [{ identifier: 'main', windows: ['main'], permissions: ['allow-greet'] }]
   */
  capabilities?: readonly (Capability | ModuleLocation)[]
  /**
   * Puts a gate between core and each frontend, with the hook of an isolation app. `{}` is a gate that passes every message.
   * Without this option, and without a pattern in `config`, there are no gates: the pattern is Tauri's `brownfield`.
   *
   * @example isolation: { dir: new URL('./dist-isolation/', import.meta.url) }
   */
  isolation?: IsolationOptions
  /** Tauri's form of `capabilities` and `isolation`, as in `tauri.conf.json`. Giving both forms of one is an error. */
  app?: {
    security?: {
      pattern?: { use: 'brownfield' } | { use: 'isolation'; options?: IsolationOptions }
      capabilities?: readonly (Capability | ModuleLocation)[]
    }
  }
  /**
   * Permission files of the app, as in Tauri: their content, or files and directories of them, as URLs or absolute paths. They replace
   * the `permissions` directory of `config`.
   */
  permissions?: readonly (PermissionFile | ModuleLocation)[]
  /**
   * Handling of permissions of plugins that this core does not have. `warn`: ignore them with a warning. `error`: don't start.
   *
   * @default 'error'
   */
  unknownPermissions?: 'error' | 'warn'
  /** Options of each plugin, by its name: `api.config` of its `setup`. They take precedence over those of `config`. */
  pluginOptions?: Readonly<Record<string, unknown>>
  /** A module that connects frontends of other processes and other cores. It is loaded in core's thread. */
  network?: NetworkOptions
  /**
   * A pino logger, which also gets the output of frontends; the lowest level of the default log; or `false` for no log and no output.
   * By default warnings and errors go to standard error, as text to a terminal, else as JSON.
   *
   * @default 'warn', and 'info' with `dev`
   */
  log?: Logger | LogLevel | false
  /**
   * Development mode: modules that change on disk are reloaded, failed workers wait for a change, stacks follow source maps, and the
   * output of workers is labelled.
   *
   * @default false
   */
  dev?: boolean
  /**
   * Opens the inspector, and prints its URL to standard error. Anyone who has the URL can see the page.
   *
   * @default false; `true` if the environment variable `SALLYPORT_INSPECT` is `1`
   * @throws {BusError} InvalidParams for another value of the variable than `1`, `0` and nothing
   */
  inspect?: boolean
  /**
   * Asks a person. It answers `confirm(text)` in an isolation hook and `ctx.confirm(text)` in a command, which wait for it. Without it
   * every answer is `false`.
   */
  onConfirm?: OnConfirm
}

/** A module that connects frontends of other processes: see the page "Write a network" of the documentation. */
export interface NetworkOptions {
  /** A module whose export `join` is a `JoinNetwork` of `@sallyport/core/internal/network`. */
  module: ModuleLocation
  /** Options of the module: a copy of any value that `structuredClone` takes. */
  options?: unknown
}
