// The core: the commands that a definition brings, and the sessions that call them.
import {
  BusError,
  closeEndpoint,
  describeThrown,
  isBusError,
  isDevelopment,
  openLink,
  reportError,
  toEventTarget,
} from '@sallyport/protocol/internal'
import type { InitScript } from '@sallyport/protocol/internal'
import type { Logger } from 'pino'
import { type Authority, createAuthority, HOST_PERMITS } from '../acl/authority.js'
import type { ExplainedFrontend } from '../acl/explain.js'
import { getPluginFiles, getScopeChecks } from '../acl/identifier.js'
import type { App } from '../api/app.js'
import type { CoreDefinition, Plugin, PluginApi } from '../api/define.js'
import { ResourceTable } from '../api/resources.js'
import { markBuffers, getMovableBuffers } from '../api/transfer.js'
import { HOST_METHOD } from '../contract/host-core.js'
import type {
  CoreCommand,
  CoreOptions,
  CoreReport,
  CoreWorkerData,
  LinkOffer,
  Measurement,
} from '../contract/host-core.js'
import type { Hub } from '../contract/core-network.js'
import { warnAboutUnheard } from '../events/frontend-events.js'
import { EventRouter } from '../events/router.js'
import { type JoinedNetwork, joinNetwork } from './network/loader.js'
import { NetworkSessions } from './network/sessions.js'
import { createPathResolver, readPathEnvironment } from '../path/directories.js'
import { createCoreCommands } from '../plugins/core-plugins.js'
import type { Call } from '../rpc/call-table.js'
import { ConfirmRequests } from '../rpc/confirm.js'
import { createQuotas, type Quotas } from '../rpc/quotas.js'
import { type CommandRegistry, createRegistry, type RunnableCommand } from '../rpc/registry.js'
import type { Session } from '../rpc/session.js'
import { type AddedSession, Sessions } from '../rpc/sessions.js'
import { createPool, type Pool } from '../rpc/worker-pool.js'
import { createCounts, createLatency, SessionMetrics } from '../shared/metrics.js'
import { runSequentially } from '../shared/teardown.js'
import { createApp, LocalListeners } from './create-app.js'
import type { createSessionKeys } from './session-keys.js'

/** Least time for what can be closed immediately. A worker that takes longer is terminated a little later. */
const MIN_CLOSE_MS = 100
/** Time for the teardowns after a setup, or joining the network, has failed. */
const FAILED_START_MS = 1000

export type CoreConfig = CoreOptions & Partial<CoreWorkerData>

/** @throws {BusError} `InvalidParams` if the definition or a capability is invalid; the error of a setup or of the network */
export async function createCore(...parameters: ConstructorParameters<typeof Core>): Promise<Core> {
  const core = new Core(...parameters)
  await core.start()
  return core
}

export class Core {
  readonly confirmRequests: ConfirmRequests
  readonly sessions: Sessions
  readonly #definition: CoreDefinition
  readonly #config: CoreConfig
  readonly #getLog: () => Logger
  readonly #report: (report: CoreReport) => void
  readonly #router = new EventRouter()
  readonly #localListeners = new LocalListeners(this.#router)
  readonly #pool: Pool
  readonly #resources: ResourceTable
  readonly #authority: Authority
  readonly #quotas: Quotas
  readonly #hostRegistry: CommandRegistry
  readonly #app: App
  readonly #networkSessions: NetworkSessions
  #handOverKey: ReturnType<typeof createSessionKeys> | undefined
  #tearDown: Teardown | undefined
  #stopWatching: (() => void) | undefined
  #network: JoinedNetwork | undefined
  #closing: Promise<void> | undefined

  constructor(
    definition: CoreDefinition,
    config: CoreConfig,
    getLog: () => Logger,
    report: (report: CoreReport) => void,
  ) {
    const { pattern, calls, acl, changes, appInfo, resources, poolLimits } = config
    this.#definition = definition
    this.#config = config
    this.#getLog = getLog
    this.#report = report
    this.#pool = createPool(getLog, poolLimits)
    this.confirmRequests = new ConfirmRequests(report)
    const onResourceError = (err: unknown): void => getLog().error({ err }, 'a resource of the app could not be closed')
    this.#resources = new ResourceTable(onResourceError)
    const sessions = new Sessions({ router: this.#router, getLog, report })
    const environment = readPathEnvironment(appInfo.identifier ?? '', resources)
    const path = createPathResolver(environment)
    const shared = { router: this.#router, resources: this.#resources, path }
    const { platform } = environment
    const coreCommands = createCoreCommands({ ...shared, appInfo, platform, labels: () => sessions.labels })
    const registry = createRegistry(definition, coreCommands, this.#pool)
    this.sessions = sessions
    this.#authority = createAuthority({
      acl,
      commands: registry.values(),
      pluginFiles: getPluginFiles(definition),
      scopeChecks: getScopeChecks(definition),
      warn: text => getLog().warn(text),
    })
    if (changes) this.#authority.restore(changes)
    // Listeners of other cores are unknown here.
    if (isDevelopment() && !config.network) warnAboutUnheard(this.#router, getLog)
    if (config.holdsEvents) this.#router.hold()
    this.#quotas = createQuotas(calls?.quotas ?? [], registry, getLog)
    const hostCommands = createHostCommands(this.#authority, sessions)
    this.#hostRegistry = new Map([...registry, ...hostCommands.map(command => [command.method, command] as const)])
    this.#app = createApp({
      ...shared,
      local: this.#localListeners,
      getLog,
      call: (label, name, args, options) => sessions.call(label, name, args, options, undefined, calls?.timeout),
    })
    this.#networkSessions = new NetworkSessions({
      pattern,
      sessions,
      openSession: ({ label, codec, link, opener }, metrics, ended) =>
        this.#openSession({ linkId: undefined, label, codec, link, opener, metrics, hasDeadlines: true, ended }),
    })
  }

  get scripts(): readonly InitScript[] {
    const plugins = this.#definition.plugins ?? []
    return plugins.flatMap(({ name, script }) => (script === undefined ? [] : [{ name, source: script }]))
  }

  /** Runs the setups and joins the network. Rejects with the error of either, after tearing down again. */
  async start(): Promise<void> {
    const { pattern, calls, plugins, network } = this.#config
    if (pattern === 'isolation') this.#handOverKey = (await import('./session-keys.js')).createSessionKeys()
    const getApi = ({ name }: { name: string }): PluginApi => ({
      name,
      config: Object.hasOwn(plugins, name) ? plugins[name] : undefined,
      scope: this.#authority.getGlobalScope(name),
    })
    this.#tearDown = await setupPlugins(this.#definition, this.#app, getApi, signal => this.#resources.closeAll(signal))
    if (calls?.slowAfter) this.#stopWatching = this.sessions.watchSlowCalls(calls.slowAfter)
    if (!network) return
    try {
      this.#network = await joinNetwork(network, this.#createHub())
    } catch (error) {
      await this.close(FAILED_START_MS)
      throw error
    }
  }

  /**
   * Opens a session over a link from the host. A session from the network with the same label is closed.
   *
   * @throws {BusError} for a wrong `allow` or an invalid link, which is closed
   */
  attach(offer: LinkOffer): void {
    const { label, codec, endpoint, id: linkId, limitLabel, readAhead, keyPort, metrics } = offer
    try {
      if (label !== undefined) this.#authority.setRights(label, offer)
      // A key port without keys throws: a session that has to be sealed never starts in plaintext.
      const opener = keyPort && this.#handOverKey!(keyPort)
      const link = openLink(endpoint, false)
      if (label !== undefined) this.#networkSessions.closeSession(label)
      const sessionMetrics = new SessionMetrics(metrics?.counts ?? createCounts(), () => {
        if (metrics?.latency) return metrics.latency
        const latency = createLatency()
        this.#report({ type: 'latency', label, id: linkId, latency })
        return latency
      })
      const traffic = { readAhead, metrics: sessionMetrics, hasDeadlines: false, ended: () => {} }
      this.#openSession({ linkId, label, limitLabel, codec, link, opener, ...traffic })
      if (offer.hasStarted && label !== undefined) this.sessions.begin(label)
    } catch (error) {
      keyPort?.close()
      closeEndpoint(endpoint)
      throw error
    }
  }

  /** Keeps events for listeners that the host adds, or forgets them. */
  holdEvents(holds: boolean): void {
    if (holds) return this.#router.hold()
    const dropped = this.#router.release()
    if (dropped === 0) return
    this.#getLog().warn({ dropped }, 'events for the host dropped: too many while frontends were loading')
  }

  /** Ends a frontend and its rights. */
  end({ label, hasBegun, end }: Extract<CoreCommand, { type: 'end' }>): void {
    this.#authority.setRights(label, undefined)
    this.sessions.end(label, hasBegun, end)
  }

  /** Updates the counts of all sessions. Returns a few of the running calls, and of the watched ones, and the statistics of the network. */
  measure(watchCalls?: boolean): Measurement {
    return { ...this.sessions.measure(watchCalls), network: this.#network?.stats() }
  }

  /** Lists what a frontend may call now, and which permission allows it. */
  explain(label: string): Promise<ExplainedFrontend> {
    return this.#authority.explain(label)
  }

  /** Rejects further calls. Resolves once the running ones have ended. */
  async drain(): Promise<void> {
    this.#networkSessions.isDraining = true
    await Promise.all([this.#network?.drain(), this.sessions.drain()])
  }

  /** Ends the frontends, runs the teardowns, and closes all links, all within the timeout. Resolves once all answers are sent. */
  close(timeoutMs = 0): Promise<void> {
    return (this.#closing ??= this.#close(timeoutMs))
  }

  async #close(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs
    this.#networkSessions.isDraining = true
    const controller = new AbortController()
    const timer = setTimeout(() => controller.abort(), Math.max(timeoutMs, MIN_CLOSE_MS))
    await this.sessions.closeFrontends(controller.signal)
    await this.#tearDown?.(controller.signal)
    clearTimeout(timer)
    await this.#network?.close(Math.max(deadline - performance.now(), MIN_CLOSE_MS))
    await this.sessions.close()
    await this.#pool.close()
    this.#localListeners.end()
    this.#stopWatching?.()
  }

  #createHub(): Hub {
    const { pattern, appInfo } = this.#config
    const [sessions, router, getLog] = [this.#networkSessions, this.#router, this.#getLog]
    return {
      pattern,
      appInfo,
      get log() {
        return getLog()
      },
      accept: session => sessions.accept(session),
      onEmit: listener => router.onEmit(listener),
      deliver: (target, event, payload) =>
        router.deliver(target === undefined ? undefined : toEventTarget(target), event, payload),
      counts: () => sessions.counts(),
      fault: (label, error) => this.#report({ type: 'fault', label, id: undefined, error: reportError(error) }),
    }
  }

  #openSession(added: Omit<AddedSession, 'permits' | 'registry' | 'app' | 'confirmRequests'>): Session {
    const { label, limitLabel = label, ended } = added
    const session = { ...added, app: this.#app, confirmRequests: this.confirmRequests }
    if (label === undefined || limitLabel === undefined) {
      return this.sessions.add({ ...session, permits: HOST_PERMITS, registry: this.#hostRegistry })
    }
    return this.sessions.add({
      ...session,
      permits: this.#authority.getPermits(label),
      registry: this.#quotas.acquireRegistry(limitLabel),
      ended: () => {
        this.#quotas.releaseRegistry(limitLabel)
        ended()
      },
    })
  }
}

/** Creates the commands behind methods of `Bus`. Frontends do not have them: to frontends their names are unknown. */
function createHostCommands(authority: Authority, sessions: Sessions): RunnableCommand[] {
  const hidden = { owner: 'core', allow: '', deny: '' } as const
  const create = (method: string, run: RunnableCommand['run']): RunnableCommand => ({ ...hidden, method, run })
  return [
    create(HOST_METHOD.call, (args, call) => callFrontend(sessions, args, call)),
    create(HOST_METHOD.labels, () => sessions.labels),
    create(HOST_METHOD.addCapability, args => {
      const { capability } = args as { capability: unknown }
      authority.add({ value: capability, from: 'bus.addCapability', isOption: true })
    }),
    create(HOST_METHOD.removeCapability, args => {
      authority.remove(String((args as { identifier: unknown }).identifier))
    }),
  ]
}

/** Calls a function of a frontend for the host. Bytes pass through core without a copy, in both directions. */
async function callFrontend(sessions: Sessions, args: unknown, { request, signal }: Call): Promise<unknown> {
  const { label = '', name = '', traceparent, tracestate } = request.headers
  const context = traceparent === undefined ? undefined : { traceparent, tracestate }
  const result = await sessions.call(label, name, args, { signal, transfer: getMovableBuffers(args) }, context)
  return markBuffers(result, getMovableBuffers(result))
}

/** Runs all teardowns, the last setup's first. Resolves early if the signal aborts, and never rejects. */
type Teardown = (signal: AbortSignal) => Promise<void>

/** Runs the setups of the plugins in their order, then the definition's. Earlier setups are torn down if one fails. */
export async function setupPlugins(
  definition: CoreDefinition,
  app: App,
  getApi: (plugin: Plugin) => PluginApi,
  closeResources: Teardown,
): Promise<Teardown> {
  const teardowns: (() => unknown)[] = []
  const tearDown: Teardown = async signal => {
    const steps = teardowns.splice(0).reverse()
    await runSequentially(steps, signal, error => app.log.error({ err: error }, 'a teardown failed'))
    await closeResources(signal)
  }
  try {
    for (const plugin of definition.plugins ?? []) {
      const pluginApp = createPluginApp(plugin, app)
      await runSetup(`failed to initialize plugin \`${plugin.name}\``, () => plugin.setup?.(pluginApp, getApi(plugin)))
      teardowns.push(() => plugin.teardown?.(pluginApp))
    }
    await runSetup('`setup` of the core module failed', () => definition.setup?.(app))
  } catch (error) {
    await tearDown(AbortSignal.timeout(FAILED_START_MS))
    throw error
  }
  teardowns.push(() => definition.teardown?.(app))
  return tearDown
}

async function runSetup(failed: string, setup: () => unknown): Promise<void> {
  try {
    await setup()
  } catch (cause) {
    const message = `${failed}: ${describeThrown(cause)}`
    throw new BusError(isBusError(cause) ? cause.reason : 'InternalError', message, { cause })
  }
}

/** Returns an app whose log names the plugin. The log is created with its first line. */
function createPluginApp({ name }: Plugin, app: App): App {
  let log: App['log'] | undefined
  const getLog = (): App['log'] => (log ??= app.log.child({ plugin: name }))
  return Object.create(app, { log: { get: getLog, enumerable: true } }) as App
}
