// The bus as its host uses it: opens and closes frontends, and talks to core over a link of its own.
import {
  type AnyClient,
  type Client,
  type CoreLike,
  endClient,
  refuseCalls,
  type TypedConnection,
} from '@sallyport/frontend/internal'
import { setImmediate as nextTick } from 'node:timers/promises'
import { within } from '@sallyport/protocol/internal/contract'
import { BusError, withCaller } from '@sallyport/protocol/internal/errors'
import type { WaitOptions } from '@sallyport/protocol/internal/message'
import type { Capability, RightsSource } from '../acl/types.js'
import type { BusTypes } from '../api/app.js'
import type { CommandDescription } from '../api/define.js'
import { HOST_METHOD } from '../contract/host-core.js'
import type { ModuleLocation } from '../shared/locations.js'
import { anyFunction, check } from '../shared/validate.js'
import type { FrontendInfo } from '../life/frontends/types.js'
import type { DescribeOptions } from './describe-commands.js'
import { BusFunctions } from './bus-functions.js'
import { callFunction, checkCallAll, HOW_TO_INVOKE, nameFunction } from './call-frontend.js'
import type { LocalCore } from './local-core.js'
import type { Host } from './host.js'
import { Inspectors } from './inspectors.js'
import { inspectorSchema } from '../options/schema.js'
import type {
  AddedPlugin,
  Inspector,
  ConnectionOptions,
  FrontendOptions,
  ModuleSource,
  ReportedResumeOptions,
  ReportedRunOptions,
  ResumeAnswer,
  ResumeOptions,
  RunOptions,
} from '../options/types.js'
import type { BusEvents } from '../life/reporting/events.js'
import { logPendingClose } from '../life/reporting/log.js'
import { type BusStats, readStats } from '../life/reporting/stats.js'
import { run } from './run.js'
import { RightChanges } from './right-changes.js'
import type { RunReport } from './run-report.js'
import type { BusTransition } from '../life/supervisor.js'

/**
 * A running bus, as its host uses it: `createBus` returns it.
 *
 * @typeParam Types - types of `call` and of the events, which nothing checks at run time
 * @typeParam Core - types the clients of `connect`
 */
export class Bus<Types extends BusTypes = BusTypes, Core = unknown> extends BusFunctions<Types> {
  readonly #host: Host<LocalCore>
  readonly #client: Client
  readonly #inspectors: Inspectors
  readonly #rights: RightChanges

  /** @internal */
  constructor(host: Host<LocalCore>) {
    super(host)
    this.#host = host
    this.#client = host.core.client
    this.#rights = new RightChanges(host)
    this.#inspectors = new Inspectors(host)
  }

  /** @internal @throws {BusError} InvalidParams for anything but a bus of this copy of the package */
  static getHost(bus: Bus): Host<LocalCore> {
    if (typeof bus === 'object' && bus !== null && #host in bus) return bus.#host
    const text = 'The bus must be the result of `await createBus(…)` of the same @sallyport/core'
    throw new BusError('InvalidParams', text)
  }

  /** @internal Is `open`, of a frontend whose rights are written elsewhere than in `allow` of the program. */
  static openPlugin(bus: Bus, source: RightsSource, ...opened: Parameters<Bus['open']>): Promise<void> {
    return bus.#open(opened, source)
  }

  async #open([label, module, options]: Parameters<Bus['open']>, source?: RightsSource): Promise<void> {
    const { core, frontends } = this.#host
    core.holdEvents()
    try {
      await withCaller(this.#host.open(label, module, options, source))
    } finally {
      void core.releaseEvents(frontends.synchronized)
    }
  }

  /**
   * Makes this thread a frontend, subject to the same checks as any other: for tests, and for calls of the host itself. The client has the types of
   * the core that `createBus` was given. As a `Client`, it calls any command.
   *
   * @example const client: Client = await bus.connect('me')
   */
  async connect(label: string, options?: ConnectionOptions): Promise<ConnectedClient<Types, Core>> {
    return (await this.#host.connect(label, options)).client as never
  }

  /**
   * Starts one more frontend in a worker. Resolves once its module has been evaluated: see `loaded` and `loadTimeout`. A listener
   * added right after that misses no event of the module.
   *
   * @throws {BusError} whatever the module throws; InvalidParams; Timeout after `loadTimeout`; Disconnected if the frontend exits before that
   */
  async open(label: string, module: ModuleLocation | ModuleSource, options?: FrontendOptions): Promise<void> {
    return this.#open([label, module, options])
  }

  /**
   * Runs code once, in a sandbox of its own that ends with it. The code is the body of an async function, with `args`, `invoke`, `stream`,
   * `emit`, `listen`, `Channel` and `console` in scope. Resolves with what it returns. No event of the bus reports its errors.
   *
   * @throws {BusError} LoadFailed for a syntax error; Timeout; Cancelled; CommandFailed with what the code throws as its `data`;
   * Denied or another reason of a call that the code does not catch; Crashed if it runs out of memory (`data.limit`);
   * InternalError if its result cannot be serialized; Disconnected if it exits; Interrupted if a command has interrupted it, with `data` and
   * `continuation`. `cause` has the name and the stack of what the code threw
   * @example const sum = await bus.run<number>('return await invoke("add", args)', { args: { a: 1, b: 2 }, allow: ['add'], timeout: 2000 })
   */
  run<T = unknown>(source: string, options?: RunOptions & { report?: false }): Promise<T>
  /**
   * Runs code once, and resolves with what it did, also if it failed.
   *
   * @throws {BusError} InvalidParams for a wrong option
   * @example const { value, logs, error } = await bus.run(code, { report: true, limits: { calls: 100 } })
   */
  run<T = unknown>(source: string, options: ReportedRunOptions): Promise<RunReport<T>>
  async run(source: string, options?: RunOptions): Promise<unknown> {
    return withCaller(run(this.#host, source, options))
  }

  /**
   * Goes on with a run that a command has interrupted with `ctx.interrupt`, in this process or another one with the same `runs: { key }`: at
   * the `await` of that command's call, which returns `value` or throws `error`. No call that had ended runs again. Rights, functions and
   * limits are those of `options`. A run that was in a process goes on in one. Resolves and rejects as `run`, also if the run is interrupted
   * again. After a Timeout or Cancelled while `runs.claim` decides, it is open whether the continuation was claimed.
   *
   * @param continuation - of the report, or of the error with the reason `Interrupted`
   * @throws {BusError} InvalidParams for a continuation that was changed, or made by another version or with another key, and for a
   * thread if the run was in a process; InvalidRequest for one that was claimed before; Overloaded if the code holds more memory than it
   * would have; as `run`
   * @example const value = await bus.resume(continuation, { value: true }, { allow: ['approve', 'pay'] })
   */
  resume<T = unknown>(
    continuation: Uint8Array,
    answer: ResumeAnswer,
    options?: ResumeOptions & { report?: false },
  ): Promise<T>
  /** Goes on with a run, and resolves with what it did, also if it failed. @throws {BusError} if the run cannot go on */
  resume<T = unknown>(
    continuation: Uint8Array,
    answer: ResumeAnswer,
    options: ReportedResumeOptions,
  ): Promise<RunReport<T>>
  async resume(continuation: Uint8Array, answer: ResumeAnswer, options?: ResumeOptions): Promise<unknown> {
    const { resume } = await import('./resume.js')
    return withCaller(resume(this.#host, continuation, answer, options))
  }

  /**
   * Stops a frontend's worker and gate, or closes a connection. Its calls in flight settle, and none that has not begun to run begins later.
   * Forgets a frontend that has failed or finished. Resolves at once if the frontend has been closed already. Its code is ended if its event
   * loop does not turn within 20 ms of its running time. A call to it that this thread makes from now on rejects with `Disconnected`
   * (`delivered: 'no'`), and `open` and `run` with its label with `InvalidParams` until it has ended.
   *
   * @param options.timeout - milliseconds that code which computes is given in addition; 0 by default
   * @throws {BusError} Disconnected for a label that no frontend has had; InvalidParams
   */
  async closeFrontend(label: string, options?: { timeout?: number }): Promise<void> {
    await this.#host.closeFrontend(label, options)
  }

  /**
   * Restarts a frontend, or `core`, with its module as it is now; a frontend's hook too. Calls in flight settle with
   * `Disconnected`, as at any restart, but a reload does not count as one. Resolves once the module has been evaluated, as `open` does. A
   * frontend that has failed or finished can be reloaded until its label is used again. One whose `open` rejected is forgotten.
   *
   * @throws {BusError} Disconnected for an unknown label, InvalidParams for one without a module; Timeout after `loadTimeout`; whatever the
   * module throws
   * @example await bus.reload('core')
   */
  async reload(what: string): Promise<void> {
    await this.#host.reload(what)
  }

  /**
   * Calls a function of several frontends at once. Resolves with the result of each when the last call has settled, as
   * `Promise.allSettled` does. A frontend that does not expose the function, or ends meanwhile, rejects in its own result.
   *
   * @param args - named arguments, or bytes as the whole body
   * @param options.labels - the frontends to call: a glob as in capabilities (`'md-*'`), or several; all by default
   * @throws {BusError} InvalidParams; Cancelled or Timeout if the signal is aborted already
   * @example const results = await bus.callAll<string>('render', { src }, { labels: 'md-*', timeout: 1000 })
   */
  async callAll<T = unknown>(
    name: string,
    args?: object,
    options?: WaitOptions & { labels?: string | readonly string[] },
  ): Promise<Record<string, PromiseSettledResult<T>>> {
    const isSelected = checkCallAll(name, args, options)
    const { labels: _, ...callOptions } = options ?? {}
    const { core, frontends } = this.#host
    const labels = new Set(frontends.labels)
    // Only core knows the frontends of other processes.
    if (core.hasNetwork) {
      try {
        for (const label of await this.#client.invoke<string[]>(HOST_METHOD.labels, {}, callOptions)) labels.add(label)
      } catch (error) {
        throw nameFunction(error as BusError, HOST_METHOD.labels, name)
      }
    }
    const selected = [...labels].filter(isSelected)
    const calls = selected.map(label => callFunction(this.#host, label, name, args, callOptions) as Promise<T>)
    const results = await Promise.allSettled(calls)
    return Object.fromEntries(selected.map((label, index) => [label, results[index]!]))
  }

  /**
   * Returns the frontends of this host: those that are open, connections and web pages too, and those that have ended by themselves, until
   * their label is used again. At most 100 that have ended are remembered.
   */
  frontends(): FrontendInfo[] {
    return this.#host.frontends.list()
  }

  /**
   * Adds a capability, in force for every later call. An invalid capability changes nothing.
   *
   * @throws {BusError} InvalidParams, which names the mistake, or an identifier that is already in use
   */
  addCapability(capability: Capability): Promise<void> {
    return withCaller(this.#rights.addCapability(capability))
  }

  /** Removes a capability with all that it allowed and denied, for every later call. @throws {BusError} InvalidParams */
  removeCapability(identifier: string): Promise<void> {
    return withCaller(this.#rights.removeCapability(identifier))
  }

  /**
   * Adds a plugin whose commands run in this process, in force for every later call: `plugin:<name>|<command>`. Rights, quotas, middleware,
   * hooks and the inspector treat them as any command's. It remains when core restarts. An error changes nothing.
   *
   * @throws {BusError} InvalidParams for a mistake, or a name that is in use
   * @example await bus.addPlugin({ name: 'files', commands: { read: command({ description: 'Reads a file', args }, read) } })
   */
  addPlugin(plugin: AddedPlugin): Promise<void> {
    return withCaller(this.#rights.addPlugin(plugin))
  }

  /** Removes a plugin that `addPlugin` has added. Calls in flight go on. @throws {BusError} InvalidParams */
  removePlugin(name: string): Promise<void> {
    return withCaller(this.#rights.removePlugin(name))
  }

  /**
   * Lists the commands of the app and of plugins that a label may call now, sorted by name: description, and JSON Schemas of the arguments
   * and the result. A frontend with this label need not be open. Schemas are converted by their libraries, as
   * [Standard JSON Schema](https://standardschema.dev/json-schema): zod from 4.2, arktype from 2.1.28, valibot by `@valibot/to-json-schema`.
   *
   * @throws {BusError} InvalidParams unless the label is a string, or for a wrong option
   * @example for (const { command, description, args } of await bus.describe('agent', { search: 'note' })) …
   */
  describe(label: string, options?: DescribeOptions & { as?: 'json-schema' }): Promise<CommandDescription[]>
  /**
   * Returns the same as declarations of TypeScript, one for each command, for a model that writes code.
   *
   * @example const prompt = `You can call: ${await bus.describe('agent', { as: 'typescript', limit: 50 })}`
   */
  describe(label: string, options: DescribeOptions & { as: 'typescript' }): Promise<string>
  /** Returns the one or the other. */
  describe(label: string, options?: DescribeOptions): Promise<CommandDescription[] | string>
  async describe(label: string, options?: DescribeOptions): Promise<CommandDescription[] | string> {
    if (typeof label !== 'string') throw new BusError('InvalidParams', 'bus.describe takes the label of a frontend')
    if (options === undefined) return this.#client.invoke<CommandDescription[]>(HOST_METHOD.describe, { label })
    // Few hosts need it.
    const { checkDescribeOptions, selectCommands, writeDeclarations } = await import('./describe-commands.js')
    const checked = checkDescribeOptions(options)
    const { allow } = checked
    const args = { label, ...(allow && { allow }) }
    const commands = await this.#client.invoke<CommandDescription[]>(HOST_METHOD.describe, args)
    const selected = selectCommands(commands, checked)
    return checked.as === 'typescript' ? writeDeclarations(selected, checked.functions) : selected
  }

  /** Listens to the bus's own events: those of `BusEvents`, such as `fault` and `denied`. Returns an unsubscribe function. */
  on<Name extends keyof BusEvents>(name: Name, handler: (event: BusEvents[Name]) => void): () => void {
    return this.#host.on(name, handler)
  }

  /**
   * Calls the listener for each event and state of the bus's own state machines, as xstate's inspection does: to see what
   * supervision does. Returns an unsubscribe function.
   */
  onTransition(listener: (event: BusTransition) => void): () => void {
    check('bus.onTransition: the listener', anyFunction, listener)
    return this.#host.supervisor.inspect(listener)
  }

  /**
   * Returns the state and the figures of each worker; cheap enough to be called every second. Rates are measured since the previous
   * call. Works while core restarts or is too busy to answer. See the page "Observability" of the documentation.
   */
  async stats(): Promise<BusStats> {
    await this.#host.core.measure()
    return readStats(this.#host, true)
  }

  /**
   * Serves a page on 127.0.0.1 that shows the state of the bus: workers, figures, faults, and who can call what. The page changes
   * nothing and shows no payload. Anyone who has the `url`, with its token, can see it. Closes with the bus. The page is the package
   * `@sallyport/inspector`, which has to be installed.
   *
   * @param options.port - on 127.0.0.1; a free one by default
   * @param options.editor - the URL that opens a file, with `{file}`, `{line}` and `{column}`. By default the environment variable
   *   `SALLYPORT_EDITOR`, or that of Visual Studio Code
   * @throws {BusError} InvalidParams for a wrong option, a port that is in use, or a missing package; Disconnected if the bus is closing
   * @example const { url } = await bus.openInspector()
   */
  async openInspector(options: { port?: number; editor?: string } = {}): Promise<Inspector> {
    return this.#inspectors.open(check('bus.openInspector', inspectorSchema, options))
  }

  /**
   * Lets calls in flight finish, then stops every thread. Resolves when no thread is left. What this thread asks for from now on, with the bus or a
   * client of `connect`, rejects with `Disconnected` (`delivered: 'no'`): calls, streams, events, `open`, `run` and `reload`.
   *
   * @param options.timeout - milliseconds that calls in flight are given to finish; 1000 by default
   */
  async close(options: { timeout?: number } = {}): Promise<void> {
    if (typeof options !== 'object' || options === null) {
      const text = 'bus.close takes { timeout }, and ends the whole bus. Use bus.closeFrontend(label) for one frontend'
      throw new BusError('InvalidParams', text)
    }
    const closing = this.#host.close(options, stopTimeout => this.#stop(stopTimeout))
    if (this.#host.isClosing) refuseCalls(this.#client, () => this.#host.createClosedError())
    await closing
    await this.#inspectors.endAll('The bus was closed.')
  }

  /** Calls `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #stop(timeout: number): Promise<void> {
    const { core, frontends, log, supervisor } = this.#host
    const stopWatching = logPendingClose(core, supervisor, log)
    const deadline = performance.now() + timeout
    if (core.isUp) {
      await within(timeout, frontends.callsSettled())
      // Code that does not answer leaves core half of the time, to close what it has.
      await within(Math.max(0, deadline - performance.now()) / 2, frontends.flushed())
    }
    await core.worker.stop(Math.max(0, deadline - performance.now()))
    // The last events of core come on ports of their own, and can arrive after its exit: the loop reads every port within two ticks.
    await nextTick()
    await nextTick()
    await frontends.closeAll()
    await this.#rights.tearDown()
    await this.#client.close()
    endClient(this.#client, this.#host.createClosedError())
    stopWatching()
  }
}

type ConnectedClient<Types extends BusTypes, Core> = [Core] extends [CoreLike]
  ? TypedConnection<Core, Types>
  : AnyClient

/** Methods of clients and of other libraries. */
for (const name of ['invoke', 'send', 'handle', 'postMessage'])
  Object.defineProperty(Bus.prototype, name, {
    value() {
      const text = `bus.${name} does not exist. ${HOW_TO_INVOKE}`
      throw new BusError('InvalidParams', `${text}. Call a function of a frontend with bus.call(label, name, args)`)
    },
  })
