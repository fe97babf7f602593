// The core: the commands that a definition brings, and the sessions that call them.
import { reportError } from '@sallyport/protocol/internal/errors'
import { closeEndpoint, openLink } from '@sallyport/protocol/internal/link'
import { type RequestId, toEventTarget } from '@sallyport/protocol/internal/message'
import { type AsyncContext, isDevelopment } from '@sallyport/protocol/internal/util'
import { type InitScript, withDeadline } from '@sallyport/protocol/internal/contract'
import type { Logger } from 'pino'
import { type Authority, createAuthority, HOST_PERMITS, type Permits } from '../acl/authority.js'
import type { ExplainedFrontend } from '../acl/explain.js'
import { getScopeChecks } from '../acl/identifier.js'
import type { App } from '../api/app.js'
import type { CoreDefinition, PluginApi } from '../api/define.js'
import { ResourceTable } from '../api/resources.js'
import type {
  CoreCommand,
  CoreOptions,
  CoreReport,
  CoreWorkerData,
  LinkOffer,
  Measurement,
} from '../contract/host-core.js'
import type { Hub } from '../contract/core-network.js'
import { EventRouter, warnAboutUnheard } from '../events/router.js'
import { type JoinedNetwork, joinNetwork, NetworkSessions } from './network.js'
import { createPathResolver, readPathEnvironment } from '@sallyport/paths/internal/api'
import { createCoreCommands } from './core-commands.js'
import { ConfirmRequests } from '../rpc/approval.js'
import { createQuotas, type Quotas } from '../rpc/quotas.js'
import { createPool, createRegistry, type Pool } from '../rpc/registry.js'
import type { CommandRegistry } from '../rpc/call-table.js'
import type { Session } from '../rpc/session.js'
import { type AddedSession, Sessions } from '../rpc/sessions.js'
import { getOtherRuntime } from '../shared/other-runtime.js'
import { createCountsMemory, createLatency, SessionMetrics } from '../shared/metrics.js'
import { createApp, FAILED_START_MS, LocalListeners, setupPlugins, type Teardown } from './create-app.js'
import { createHostCommands, createRunCommand, HostPlugins } from './host-commands.js'
import type { createSessionKeys } from './session-keys.js'

/** Least time for what can be closed immediately. A worker that takes longer is terminated a little later. */
const MIN_CLOSE_MS = 100

export type CoreConfig = CoreOptions & Partial<CoreWorkerData>

/** @throws {BusError} `InvalidParams` if the definition or a capability is invalid; the error of a setup or of the network */
export async function createCore(...parameters: ConstructorParameters<typeof Core>): Promise<Core> {
  const core = new Core(...parameters)
  await core.start()
  return core
}

/** Returns the async context of a call of a frontend, or of the host's work for it, if its caller is in this thread. */
export type TakeContext = (frontend: number, id?: RequestId) => AsyncContext | undefined

export class Core {
  readonly confirmRequests: ConfirmRequests
  readonly sessions: Sessions
  readonly #definition: CoreDefinition
  readonly #config: CoreConfig
  readonly #getLog: () => Logger
  readonly #report: (report: CoreReport) => void
  readonly #takeContext: TakeContext | undefined
  readonly #router = new EventRouter()
  readonly #localListeners = new LocalListeners(this.#router)
  readonly #pool: Pool
  readonly #resources: ResourceTable
  readonly #authority: Authority
  readonly #quotas: Quotas
  readonly #registry: CommandRegistry
  readonly #hostCommands: CommandRegistry
  readonly #app: App
  readonly #networkSessions: NetworkSessions
  #handOverKey: ReturnType<typeof createSessionKeys> | undefined
  #tearDown: Teardown | undefined
  #stopWatching: (() => void) | undefined
  #network: JoinedNetwork | undefined
  #watchesCalls = false
  #closing: Promise<void> | undefined

  constructor(
    definition: CoreDefinition,
    config: CoreConfig,
    getLog: () => Logger,
    report: (report: CoreReport) => void,
    takeContext?: TakeContext,
  ) {
    const { pattern, calls, appInfo, resources, poolLimits } = config
    this.#definition = definition
    this.#config = config
    this.#getLog = getLog
    this.#report = report
    this.#takeContext = takeContext
    this.#pool = createPool(getLog, poolLimits)
    this.confirmRequests = new ConfirmRequests(report)
    this.#resources = new ResourceTable(err => getLog().error({ err }, 'a resource of the app could not be closed'))
    this.sessions = new Sessions({ router: this.#router, getLog, report })
    const environment = readPathEnvironment(appInfo.identifier ?? '', resources)
    const shared = { router: this.#router, resources: this.#resources, path: createPathResolver(environment) }

    // From here on the order matters: rights, quotas and the host's commands are resolved for the commands that exist.
    const { platform } = environment
    const coreCommands = createCoreCommands({ ...shared, appInfo, platform, labels: () => this.sessions.labels })
    const registry = createRegistry(definition, coreCommands, this.#pool)
    this.#registry = registry
    const plugins = new HostPlugins({
      ...{ definition, registry, sessions: this.sessions, plugins: config.hostPlugins },
      getAuthority: () => this.#authority,
    })
    this.#authority = this.#createAuthority(plugins)
    this.#quotas = createQuotas(calls?.quotas ?? [], registry, getLog)
    this.#hostCommands = createHostCommands(this.#authority, this.sessions, plugins)

    // Sessions get the app, and those of the network are opened last.
    this.#app = createApp({
      ...shared,
      local: this.#localListeners,
      getLog,
      call: (label, name, args, options, canStream) =>
        this.sessions.call(label, undefined, name, args, options, undefined, calls?.timeout, canStream),
    })
    this.#networkSessions = new NetworkSessions({
      pattern,
      sessions: this.sessions,
      openSession: ({ label, codec, link, opener }, metrics, ended) =>
        this.#openSession({
          ...{ linkId: undefined, label, codec, link, opener, metrics, hasDeadlines: true, ended },
          permits: this.#authority.getPermits(label),
        }),
    })
    // Listeners of other cores are unknown here.
    if (isDevelopment() && !config.network) {
      const names = definition.plugins?.map(({ name }) => name) ?? []
      warnAboutUnheard(this.#router, names, getLog)
    }
    if (config.holdsEvents) this.#router.hold(config.codec)
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
    const { frontend, label, codec, endpoint, id: linkId, limitLabel, keyPort, metrics, run } = offer
    try {
      const permits = this.#getPermits(offer)
      // A key port without keys throws: a session that has to be sealed never starts in plaintext.
      const opener = keyPort && this.#handOverKey!(keyPort)
      const link = openLink(endpoint, false)
      if (label !== undefined) this.#networkSessions.closeSession(label)
      const sessionMetrics = new SessionMetrics(metrics?.counts ?? createCountsMemory(), () => {
        if (metrics?.latency) return metrics.latency
        const latency = createLatency()
        // Bun cannot clone a histogram.
        if (getOtherRuntime() !== 'Bun') this.#report({ type: 'latency', frontend, latency })
        return latency
      })
      const traffic = { metrics: sessionMetrics, hasDeadlines: false, ended: () => {} }
      this.#openSession({
        ...{ linkId, frontend, label, limitLabel, codec, link, opener, permits },
        isTrusted: offer.isTrusted,
        maxConfirms: offer.maxConfirms,
        isOfRun: run !== undefined,
        ...traffic,
        takeContext: frontend === undefined ? undefined : this.#takeContext?.bind(undefined, frontend),
        ownCommands: run?.functions === undefined ? undefined : createRunCommand(this.sessions, run.functions),
        // Without a limit, they are counted for a later run that goes on.
        maxCalls: run?.maxCalls ?? (run?.interrupts && Infinity),
        madeCalls: run?.madeCalls,
        interrupts: run?.interrupts,
      })
      if (offer.begun === 'now') this.sessions.begin(frontend!)
    } catch (error) {
      keyPort?.close()
      closeEndpoint(endpoint)
      throw error
    }
  }

  holdEvents(holds: boolean): void {
    if (holds) return this.#router.hold(this.#config.codec)
    const dropped = this.#router.release()
    if (dropped === 0) return
    this.#getLog().warn({ dropped }, 'events for the host dropped: too many while frontends were loading')
  }

  /** A frontend's code has ended. Its rights last as long as its session, in which core still reads what it has sent: it was allowed then. */
  codeEnded({ frontend, ...ended }: Extract<CoreCommand, { type: 'ended' }>): void {
    const known = this.sessions.codeEnded(frontend, ended)
    if (!known) return
    const { label, session } = known
    if (!session) this.#authority.removeFrontend(frontend)
    if (ended.next === 'none') this.#quotas.endLife(label)
    if (ended.drops) session?.leave()
  }

  measure(): Measurement {
    return { ...this.sessions.measure(), network: this.#network?.stats() }
  }

  /** Counts calls for an inspector, or no longer. Resolves once the inspector's package is loaded. */
  async watchCalls(watches: boolean): Promise<void> {
    if (watches === this.#watchesCalls) return
    this.#watchesCalls = watches
    if (!watches) return this.sessions.watchCalls(undefined)
    try {
      const { CallWatch } = await import('@sallyport/inspector/internal/calls')
      if (this.#watchesCalls) this.sessions.watchCalls(new CallWatch())
    } catch (err) {
      this.#getLog().warn({ err }, 'calls are not counted for the inspector')
    }
  }

  explain(label: string): Promise<ExplainedFrontend> {
    return this.#authority.explain(label)
  }

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
    await withDeadline(Math.max(timeoutMs, MIN_CLOSE_MS), async signal => {
      await this.sessions.closeFrontends(signal)
      await this.#tearDown?.(signal)
    })
    await this.#network?.close(Math.max(deadline - performance.now(), MIN_CLOSE_MS))
    await this.sessions.close()
    await this.#pool.close()
    this.#localListeners.end()
    this.#stopWatching?.()
  }

  #createAuthority({ commands, pluginFiles }: HostPlugins): Authority {
    const authority = createAuthority({
      acl: this.#config.acl,
      commands,
      pluginFiles,
      scopeChecks: getScopeChecks(this.#definition),
      warn: text => this.#getLog().warn(text),
    })
    if (this.#config.changes) authority.restore(this.#config.changes)
    return authority
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
      fault: (label, error) => this.#report({ type: 'fault', label, error: reportError(error) }),
    }
  }

  #getPermits(offer: LinkOffer): Permits {
    const { frontend, label, begun } = offer
    if (label === undefined) return HOST_PERMITS
    if (frontend === undefined) return this.#authority.getPermits(label)
    this.sessions.know(frontend, label, begun === 'before')
    return this.#authority.addFrontend(frontend, label, offer)
  }

  #openSession(added: Omit<AddedSession, 'registry' | 'quotas' | 'app' | 'confirmRequests'>): Session {
    const { label, frontend, linkId, limitLabel = label, ended } = added
    // A page has a label for its limits, and a frontend of another process no link of the host.
    const comesAndGoes = added.limitLabel !== undefined || linkId === undefined
    const { confirmRequests } = this
    const session = { ...added, app: this.#app, registry: this.#registry, confirmRequests }
    if (label === undefined || limitLabel === undefined) {
      return this.sessions.add({ ...session, ownCommands: this.#hostCommands })
    }
    return this.sessions.add({
      ...session,
      quotas: this.#quotas.acquire(limitLabel, comesAndGoes),
      ended: isCodeOver => {
        this.#quotas.release(limitLabel)
        if (isCodeOver && frontend !== undefined) this.#authority.removeFrontend(frontend)
        ended(isCodeOver)
      },
    })
  }
}
