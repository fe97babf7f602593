// Types of the options as users write them. `resolve.ts` has those that the host uses.
import type { KeyObject, webcrypto } from 'node:crypto'
import type { CommandName, ExposedContext, StreamName } from '@sallyport/frontend/internal'
import type { CodecName } from '@sallyport/protocol/internal/codec'
import type { Capability, PermissionFile, ScopedPermission } from '../acl/types.js'
import type { Command, CoreDefinition } from '../api/define.js'
import type { CallsOptions } from '../contract/host-core.js'
import type { ModuleLocation } from '../shared/locations.js'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { OnConfirm } from '../life/reporting/confirm.js'
import type { Logger } from '../life/reporting/log.js'
import type { LogLevel } from '../life/reporting/terminal-log.js'
import type { Sandbox } from '../life/sandboxes/kinds.js'
import type { SupervisionOptions } from '../life/policy.js'
import type { OnStdio } from '../life/workers/output.js'
import type { WorkerFactories } from '../life/workers/spawn.js'

/** The commands and permissions of a core's type, for `allow`: `greet`, `fs:allow-read-file`, `fs:default`. */
type AllowName<Core> = NameOf<Core> extends infer Name extends string ? Name | (string & {}) : never
type NameOf<Core> = Core extends unknown ? PermissionOf<CommandName<Core> | StreamName<Core>> : never
type PermissionOf<Name> = string extends Name
  ? never
  : Name extends `plugin:${infer Plugin}|${infer Command}`
    ? `${Plugin}:allow-${Dashed<Command>}` | `${Plugin}:default`
    : Name
type Dashed<Text> = Text extends `${infer Start}_${infer Rest}` ? `${Start}-${Dashed<Rest>}` : Text & string

/** Options of any link to core. */
export interface ConnectionOptions<Name extends string = string> {
  /** Limits the calls in flight, from 1 to 16384. Further calls wait in the client. @default 16384 */
  maxInFlight?: number | undefined
  /**
   * Decides about calls beyond `maxInFlight`, and calls and events while the link is full. `wait`: up to 65536 of them, or 64 MiB, wait in the
   * client, in order. `reject`: they reject with `Overloaded` immediately.
   *
   * @default 'wait'
   */
  overflow?: 'wait' | 'reject' | undefined
  /**
   * Allows commands, in addition to those that capabilities for the frontend's label allow: names of commands, identifiers of
   * permissions, or either with values for its scope. `'*'` is every command of the app, and `core:default`. Events, information
   * about the app, and resources need no permission. Trusted code, which is `bus.connect` and `sandbox: 'none'`, has `'*'` unless it has
   * this option or a capability names its label. Not available for a host without core.
   *
   * @default [] (nothing else)
   * @example ['greet', { permission: 'fs:allow-read-text-file', allow: ['$APPDATA/**'] }]
   */
  allow?: '*' | readonly (Name | ScopedPermission)[] | undefined
  /** Passes data to the frontend's `getData()`: a copy of any value that `structuredClone` takes. */
  data?: unknown
}

/** Code as text in the place of a module's location. Its sandbox is `permission`, `process` or `quickjs`. */
export interface ModuleSource {
  /** The code, at most 16 Mi characters: an ES module. `@sallyport/frontend` always resolves in it. */
  source: string
  /**
   * Names the code in error texts and stacks: a file name without a directory. If it ends with `.ts` or `.mts`, types are removed from the
   * code, if the host's Node can (22.13 and later).
   *
   * @default 'source.js'
   */
  name?: string | undefined
  /**
   * Lets the code import and read files, as if it were a file in this directory. Without it, it imports only `@sallyport/frontend`,
   * modules of Node, and URLs. A script of `sandbox: 'quickjs'` imports only `@sallyport/frontend`.
   */
  directory?: ModuleLocation | undefined
  /**
   * Adds further modules for `sandbox: 'quickjs'`: their code by name, at most 16 Mi characters. An import finds a name as it is, or a path
   * relative to the name of the code that imports it.
   *
   * @example { source: `import { add } from './math.js'`, modules: { 'math.js': `export const add = (a, b) => a + b` } }
   */
  modules?: Readonly<Record<string, string>> | undefined
}

/** Options of a frontend that runs in a worker. */
export interface FrontendOptions<Name extends string = string> extends ConnectionOptions<Name> {
  /**
   * Contains the frontend's code. `'permission'` keeps out mistakes, and code that wants rights that it does not have: it does not stop code
   * that wants to end the host. `'process'` and `'quickjs'` do.
   *
   * @default 'permission'
   */
  sandbox?: Sandbox | undefined
  /**
   * Receives the frontend's standard output and error as text, in chunks. Without it, up to 100 lines a second go to standard error as
   * `[label] text`, or to the logger that `log` passes, as `info` and `warn`.
   *
   * @example onStdio: (text, { stream }) => process[stream].write(text)
   */
  onStdio?: OnStdio | undefined
  /** Decides when its worker and its gate restart. Each missing option is the bus's. */
  supervision?: SupervisionOptions | undefined
  /**
   * Waits until the module has been evaluated; a module that fails to load rejects `createBus` or `bus.open`. Set to `false` if the
   * module's top-level `await` needs the host.
   *
   * @default true
   */
  loaded?: boolean | undefined
  /**
   * Limits the wait for the module, in milliseconds. After that `createBus`, `bus.open` or `bus.reload` rejects with `Timeout`, and the frontend ends.
   *
   * @default 10000
   */
  loadTimeout?: number | undefined
}

/** A frontend's module with its options. */
export interface FrontendModule<Name extends string = string> extends FrontendOptions<Name> {
  /** The module: a URL, an absolute path, or code as text. */
  module: ModuleLocation | ModuleSource
}

/** Options of `bus.run`. */
export interface RunOptions
  extends Pick<FrontendOptions, 'allow' | 'data' | 'onStdio'>, Pick<ModuleSource, 'directory' | 'modules'> {
  /** Contains the code: any sandbox but `none`. Code that needs Node has `process`. @default 'quickjs' */
  sandbox?: Extract<Sandbox, object> | Extract<Sandbox, object>['kind'] | undefined
  /** Says what the code is written in. Types are removed from TypeScript, if the host's Node can (22.13 and later). @default 'javascript' */
  language?: 'javascript' | 'typescript' | undefined
  /** Passes `args` to the code: any object that the codec sends. @default {} */
  args?: object | undefined
  /** Limits the start of the sandbox and the code, in milliseconds; `false` for no limit. @default `calls.timeout` of the bus */
  timeout?: number | false | undefined
  /** Ends the sandbox when it aborts: the run rejects with `Cancelled`. */
  signal?: AbortSignal | undefined
  /**
   * Names the code's frontend, for capabilities, quotas and the log. One run at a time can have it. By default `run-` with a number that
   * no other frontend has. A capability for `*` or `run-*` applies to every run with such a label.
   */
  label?: string | undefined
  /**
   * The label whose `calls.quotas` count the calls, in the place of its own: runs with the same one share them, also at the same time. A budget of
   * `calls` begins again once there has been none for 30 s.
   *
   * @default `label`
   */
  quotaLabel?: string | undefined
  /**
   * Adds functions of the host that only this run can call, as globals by namespace: `await notes.search({ query })`. They run in this process,
   * without permissions. None can be called once the run has ended.
   *
   * @example functions: { notes: { search: { description: 'Finds notes', args: z.object({ query: z.string() }), handler: find } } }
   */
  functions?: RunFunctions | undefined
  /** Limits what the code uses, in addition to `timeout`. */
  limits?: RunLimits | undefined
}

/** Options of `bus.run` for a report instead of the result. */
export interface ReportedRunOptions extends RunOptions {
  /** Resolves with a `RunReport` of what the code did, and does not reject for an error of the code. Wrong options still reject. */
  report: true
}

/** Options of `bus.resume`. Rights and limits are those of these options, not those of the run before. */
export interface ResumeOptions extends Omit<RunOptions, 'args' | 'data' | 'directory' | 'sandbox'> {
  /**
   * Contains the code: kind `quickjs`, in a thread or a process. A run that was in a process cannot go on in a thread.
   *
   * @default 'quickjs', or `{ kind: 'quickjs', process: true }` for a run that was in a process
   */
  sandbox?: RunOptions['sandbox'] | undefined
  /** Checks that the continuation is one of this code, which does not run again. @default unchecked */
  source?: string | undefined
  /**
   * Names the code's frontend, as the run did. A run without a label gets a new one, as in `bus.run`.
   *
   * @default that of the run
   */
  label?: string | undefined
}

/** Options of `bus.resume` for a report instead of the result. */
export interface ReportedResumeOptions extends ResumeOptions {
  /** Resolves with a `RunReport`, as in `bus.run`. */
  report: true
}

/** What the interrupted call returns, or throws, in the code. */
export type ResumeAnswer = { readonly value: unknown } | { readonly error: unknown }

/** Runs in the host with the arguments of a call, or with the output of their schema. */
export type RunHandler = (args: never, ctx: ExposedContext) => unknown

/** A function of the host for one run. */
export interface RunFunction {
  /** What it does, in a sentence or two for a model: see `bus.describe`. */
  readonly description?: string
  /** Any Standard Schema of its one argument. The handler receives the schema's output. */
  readonly args?: StandardSchemaV1
  /** Runs in the host. The code gets the message of what it throws. `signal` aborts when the run ends. */
  readonly handler: RunHandler
}

/** Functions of the host for one run, by namespace and name. A function alone is its `handler`. */
export type RunFunctions = Readonly<Record<string, Readonly<Record<string, RunFunction | RunHandler>>>>

/** Limits of `bus.run` in addition to `timeout`. */
export interface RunLimits {
  /**
   * Limits calls of commands and of `functions`. Those of the bus's own commands, such as `listen`, do not count. Further ones reject with
   * `Overloaded`, in the code.
   *
   * @default none
   */
  calls?: number | undefined
  /** Limits the size of the result as JSON, or as MessagePack with that codec. A greater one rejects with `Overloaded`. @default none */
  resultBytes?: number | undefined
  /**
   * Limits what `onStdio` and the report get of what the code prints, in bytes of UTF-8. The rest is dropped, which a last line says.
   *
   * @default 1 MiB for a report, otherwise none
   */
  consoleBytes?: number | undefined
  /** Limits memory, in MiB: all of a script in QuickJS, and elsewhere the JavaScript heap. @default that of the sandbox */
  memory?: number | undefined
  /**
   * Limits the milliseconds that the code runs before it awaits something, up to 5000, in `sandbox: 'quickjs'`. Code beyond it rejects with `Crashed`.
   *
   * @default that of the sandbox
   */
  time?: number | undefined
}

/** Options of the bus for every `bus.run`. */
export interface RunsOptions {
  /**
   * Encrypts continuations, with which `bus.resume` goes on in any process that has this secret: 32 bytes, or a key of node:crypto.
   * Without it `ctx.interrupt` is refused. Keep it as you keep other secrets: anyone who has it can read and make continuations.
   *
   * @example key: Buffer.from(process.env.RUNS_KEY, 'hex')
   */
  key?: Uint8Array | KeyObject | webcrypto.CryptoKey | undefined
  /**
   * Decides, once for all processes, that a continuation is resumed once: returns true if the one with this id was not claimed before, and is
   * claimed now. Insert the id in a table with a unique key, for example.
   *
   * @default a memory of this process, which grows by about 100 bytes with each resumed run and forgets all when the process ends
   */
  claim?: ((id: string) => boolean | Promise<boolean>) | undefined
}

/** Options of the isolation pattern, in which a separate worker, the gate, checks what a frontend sends. */
export interface IsolationOptions {
  /** Loads the hook of a Tauri isolation app from its directory: `index.html` and its scripts. Without it, the gate passes every message. */
  dir?: ModuleLocation | undefined
  /**
   * Shows the hook `{ cmd: 'invoke', message }` and `{ cmd: 'emit', event, payload }` instead of Tauri's messages.
   *
   * @default false
   */
  legacyMessages?: boolean | undefined
  /** Limits the time that the hook takes to load, or for one message, in milliseconds. Its gate restarts after that. @default 1000 */
  hookTimeout?: number | undefined
  /**
   * Saves memory: the gates of all frontends share this number of threads, from 1 to 64. `'each'` is a thread for each. Gates that share a thread wait for
   * each other's hooks, and restart together if a hook does not return. Each keeps its own hook state and keys.
   *
   * @default 'each'
   */
  gates?: 'each' | number | undefined
}

/** Options of `runHook`. */
export interface HookOptions extends Pick<IsolationOptions, 'legacyMessages' | 'hookTimeout'> {
  /** Answers the hook's `confirm`. Requests are declined by default. */
  onConfirm?: OnConfirm | undefined
}

/** A core module, or a definition, alone or with options. */
type CoreOption =
  | ModuleLocation
  | CoreDefinition
  | {
      module: ModuleLocation | CoreDefinition
      /** Decides when core restarts. Each missing option is the bus's. */
      supervision?: SupervisionOptions
    }

/**
 * Options of `createBus`. An option overrides the same setting in `config`.
 *
 * @typeParam Core - the type of `core`, whose commands an editor offers in `allow`
 * @typeParam Types - the type of a core that is a module
 */
export interface BusOptions<Core extends CoreOption = CoreOption, Types = never, Codec extends CodecName = CodecName> {
  /**
   * Serves the commands: the core module, whose default export is made by `defineCore`, runs in a worker. A definition instead of a module
   * runs in the calling thread: its handlers can use that thread's objects, and block it. See the page "Development" of the documentation.
   */
  core: Core
  /** Limits the start of core and all `frontends`, in milliseconds. After that `createBus` ends them and rejects with `Timeout`. @default none */
  startTimeout?: number | undefined
  /** Starts Sallyport's own workers in a program that bundles Sallyport: see the page "Deploying" of the documentation. */
  workers?: WorkerFactories | undefined
  /** Serializes all messages: the codec decides which values arrive, and how. Web pages have JSON in any case. @default 'json' */
  codec?: Codec | undefined
  /** Starts modules in frontend workers, by label. */
  frontends?: Readonly<Record<string, ModuleLocation | FrontendModule<AllowName<Core | Types>>>> | undefined
  /** Limits calls: their deadlines and quotas. */
  calls?: CallsOptions | undefined
  /** Lets `bus.resume` go on with runs: the key of continuations, and who claims them. */
  runs?: RunsOptions | undefined
  /** Decides when workers restart: see the page "Reliability" of the documentation. */
  supervision?: SupervisionOptions | undefined
  /**
   * Reads a Tauri project: its `tauri.conf.json`, `tauri.conf.json5` or `Tauri.toml`, or the directory of one. The file of this platform
   * (`tauri.linux.conf.json`) is merged into it. `capabilities`, `permissions`, the isolation app and `gen/schemas/acl-manifests.json`
   * are read from the same directory. Settings that have no meaning for a bus are ignored. A program without a project writes the settings
   * here that are not about permissions.
   *
   * @example config: { identifier: 'com.example.app', plugins: { files: { root: '/srv/files' } } }
   */
  config?:
    | ModuleLocation
    | {
        /** The program's name. */
        productName?: string
        /** The program's version. */
        version?: string
        /** The program's identifier, which names its directories. */
        identifier?: string
        /** Options of each plugin by its name: `api.config` of its `setup`. */
        plugins?: Readonly<Record<string, unknown>>
      }
    | undefined
  /**
   * Locates Tauri's resource directory: `$RESOURCE` in scopes, and `BaseDirectory.Resource`. It should hold no code of the program, because a
   * scope can allow writing to it. Without it both are unknown.
   */
  resources?: ModuleLocation | undefined
  /**
   * Grants rights by label: capabilities; files or directories of them, as URLs or absolute paths; and, in a project, identifiers of
   * capabilities in its `capabilities` directory. No other capabilities are used if this is given.
   *
   * @example capabilities: [{ identifier: 'main', windows: ['main'], permissions: ['allow-greet'] }]
   */
  capabilities?: readonly (Capability | ModuleLocation)[] | undefined
  /**
   * Puts a gate between core and each frontend, with the hook of an isolation app. `{}` is a gate that passes every message.
   * Without this option, and without a pattern in `config`, there are no gates: the pattern is Tauri's `brownfield`.
   *
   * @example isolation: { dir: new URL('./dist-isolation/', import.meta.url) }
   */
  isolation?: IsolationOptions | undefined
  /**
   * Defines permissions of the app, as in Tauri: the content of permission files, or files and directories of them, as URLs or absolute paths.
   * They replace the `permissions` directory of a project.
   */
  permissions?: readonly (PermissionFile | ModuleLocation)[] | undefined
  /** Connects frontends of other processes and other cores, by a module that is loaded in core's thread. */
  network?: NetworkOptions | undefined
  /**
   * Takes the log: a pino logger, which also gets the output of frontends; the lowest level of the default log; or `false` for no log and no output.
   * By default warnings and errors go to standard error, as text to a terminal, else as JSON.
   *
   * @default 'warn', and 'info' with `dev`
   */
  log?: Logger | LogLevel | false | undefined
  /**
   * Helps in development: modules that change on disk are reloaded, failed workers wait for a change, stacks follow source maps, and the
   * output of workers is labelled.
   *
   * @default false
   */
  dev?: boolean | undefined
  /**
   * Opens the inspector, and prints its URL to standard error. Anyone who has the URL can see the page, which is that of the package
   * `@sallyport/inspector`.
   *
   * @default false; `true` if the environment variable `SALLYPORT_INSPECT` is `1`, which a host without that package reports and ignores
   * @throws {BusError} InvalidParams for another value of the variable than `1`, `0` and nothing
   */
  inspect?: boolean | undefined
  /**
   * Asks a person. It answers `confirm(text)` in an isolation hook and `ctx.confirm(text)` in a command, which wait for it. Without it
   * every answer is `false`.
   */
  onConfirm?: OnConfirm | undefined
}

/** Options of `createBus` that apply to what runs in this process. */
export interface RemoteHostOptions extends Pick<
  BusOptions,
  'codec' | 'frontends' | 'supervision' | 'log' | 'dev' | 'onConfirm'
> {
  /** The `isolation` of `createBus`. Core accepts messages only if both or neither of the two have isolation. */
  isolation?: IsolationOptions | undefined
  /** The default deadline of calls from connections and frontends of this process. */
  calls?: Pick<CallsOptions, 'commandTimeout'> | undefined
  /** Starts Sallyport's own workers in a bundled program. */
  workers?: Omit<WorkerFactories, 'core'> | undefined
}

/** A module that connects frontends of other processes: see the page "The protocol over NATS" of the documentation. */
export interface NetworkOptions {
  /** A module whose export `join` is a `JoinNetwork` of `@sallyport/core/internal/network`. */
  module: ModuleLocation
  /** Options of the module: a copy of any value that `structuredClone` takes. */
  options?: unknown
}

/** A command of a plugin that was added at run time: a function, or the result of `command` with a handler. */
export type AddedCommand = Command<never, unknown> | ((args: never, ctx: ExposedContext) => unknown)

/** A plugin that is added at run time. Its commands run in the host, so it has no setup and no script. */
export interface AddedPlugin {
  /** The name in `plugin:<name>|<command>`. */
  readonly name: string
  /** Its commands by name. Handlers get the arguments and `{ signal }`, as the functions that a frontend exposes. */
  readonly commands: Readonly<Record<string, AddedCommand>>
  /** Permissions in addition to the generated ones, as those of `plugin`. */
  readonly permissions?: readonly PermissionFile[]
  /** Runs once, after the plugin was removed or core has ended with the bus. */
  teardown?(): void | Promise<void>
}

/** A running inspector page. */
export interface Inspector extends AsyncDisposable {
  /** The page, with the token that each request needs: it opens for anyone who has the URL. */
  readonly url: string
  /** Ends the inspector and disconnects its pages. The bus does so too when it closes. */
  close(): Promise<void>
}
