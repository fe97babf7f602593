// The part that a bus and a remote host share: they open and close frontends, report events, and close once.
import { EventEmitter } from 'node:events'
import { setImmediate as nextTick } from 'node:timers/promises'
import { BusError } from '@sallyport/protocol/internal'
import { check } from '../shared/validate.js'
import { Frontends } from './frontends/frontends.js'
import type { CoreEndpoint, ExternalFrontend, PooledSession, PoolMember } from './frontends/types.js'
import { locationSchema, type ModuleLocation } from './options/location.js'
import {
  type BusConfig,
  checkFile,
  type HostConfig,
  resolveConnection,
  resolveExternal,
  resolveFrontend,
} from './options/resolve.js'
import type { ConnectionOptions, ExternalFrontendOptions, FrontendOptions } from './options/types.js'
import { type BusEvents, BusReporter, subscribe } from './reporting/events.js'
import { createHostLog, type Logger } from './reporting/log.js'
import { createSupervisor, type Supervisor } from './supervision/supervisor.js'
import { createWatchdog } from './supervision/watchdog.js'

/** `setTimeout` takes at most 2 ** 31 - 1 ms; the rest is for the time in which a thread is terminated. */
const MAX_CLOSE_TIMEOUT_MS = 2 ** 31 - 1000

export interface HostNames {
  /** Name of the handle in error texts: `bus`. */
  name: string
  /** Subject of error texts: `The bus`. */
  subject: string
}

/** Services that core and the frontends of a host use. */
export interface HostServices {
  readonly log: Logger
  readonly supervisor: Supervisor
  readonly reporter: BusReporter
}

export class HostHandle<Core extends CoreEndpoint = CoreEndpoint> implements HostServices {
  readonly log: Logger
  readonly supervisor: Supervisor
  readonly events: EventEmitter = new EventEmitter()
  readonly reporter: BusReporter
  readonly core: Core
  readonly frontends: Frontends
  readonly #config: HostConfig & Partial<Pick<BusConfig, 'core'>>
  readonly #names: HostNames
  readonly #startedAt = performance.now()
  #stopDevMode: (() => Promise<void>) | undefined
  #closing: Promise<void> | undefined

  constructor(config: HostConfig, names: HostNames, createCore: (services: HostServices) => Core) {
    const { isolation, pattern } = config
    this.#config = config
    this.#names = names
    this.log = createHostLog(config.log, config.dev)
    this.supervisor = createSupervisor()
    this.reporter = new BusReporter(this.log, this.events)
    this.core = createCore(this)
    const { log, supervisor, reporter, core } = this
    const watchdog = createWatchdog(isolation.hookTimeout)
    this.frontends = new Frontends({ supervisor, options: config, core, watchdog, log, reporter })
    if (pattern === 'isolation' && !isolation.dir) {
      const effect = 'its hook passes every message. Calls are still encrypted and authorized'
      log.warn(`The isolation pattern has no dir, so ${effect}`)
    }
  }

  get isClosing(): boolean {
    return this.#closing !== undefined
  }

  get uptime(): number {
    return Math.round(performance.now() - this.#startedAt)
  }

  /** Opens the frontends of the options, and loads their modules once core is ready too. */
  async start(coreReady?: Promise<void>, onReady?: () => void): Promise<void> {
    const opening = this.#config.frontends.map(({ label, module, ...config }) =>
      this.frontends.open(label, module, config),
    )
    const [opened] = await Promise.all([Promise.all(opening), coreReady])
    this.supervisor.signal('core.ready')
    onReady?.()
    const { frontends, log } = this
    if (this.#config.dev) {
      const { startDevMode } = await import('./dev-mode.js')
      this.#stopDevMode = await startDevMode({
        options: this.#config,
        frontends,
        log,
        reload: name => this.reload(name),
      })
    }
    await Promise.all(opened.map(load => load()))
  }

  /** @param member - the session's place among several of one connection */
  async connect(label: string, options?: ConnectionOptions, member?: PoolMember): Promise<PooledSession> {
    const config = resolveConnection(`${this.#names.name}.connect`, label, options, this.#config)
    this.checkRunning()
    return this.frontends.connect(label, config, member)
  }

  /** Resolves once the worker has loaded its module, or the module is no longer waited for. */
  async open(label: string, module: ModuleLocation, options?: FrontendOptions): Promise<void> {
    const where = `${this.#names.name}.open`
    const config = resolveFrontend(where, label, options, this.#config)
    const url = check(`${where}: module`, locationSchema, module)
    await checkFile(`${where}: module`, url)
    this.checkRunning()
    const load = await this.frontends.open(label, url, config)
    await load()
  }

  /** @param where - the caller, for error texts */
  async openExternal(where: string, label: string, options: ExternalFrontendOptions): Promise<ExternalFrontend> {
    const config = resolveExternal(where, label, options, this.#config)
    this.checkRunning()
    return this.frontends.openExternal(label, config)
  }

  /** Restarts a frontend, or `core` if it runs in this process. */
  async reload(name: string): Promise<void> {
    this.checkRunning()
    const { core, frontends } = this
    if (name !== 'core' || !core.reload) {
      return frontends.reload(`${this.#names.name}.reload`, name, core.reload ? ['core'] : [])
    }
    await core.reload()
    await frontends.connected()
  }

  on<Name extends keyof BusEvents>(
    name: Name,
    handler: (event: BusEvents[Name]) => void,
    names?: ReadonlySet<string>,
  ): () => void {
    return subscribe(`${this.#names.name}.on`, this.events, name, handler, names)
  }

  /**
   * Ends the host once, however often this is called. Messages of this tick are sent before that.
   *
   * @param stop - stops core, and closes all frontends
   * @throws {BusError} InvalidParams for a wrong timeout
   */
  async close(timeout: unknown, stop: (timeout: number) => Promise<void>): Promise<void> {
    if (typeof timeout !== 'number' || !(timeout >= 0 && timeout <= MAX_CLOSE_TIMEOUT_MS)) {
      const message = `${this.#names.name}.close: timeout must be milliseconds from 0 to ${MAX_CLOSE_TIMEOUT_MS}`
      throw new BusError('InvalidParams', message)
    }
    return (this.#closing ??= this.#close(timeout, stop))
  }

  async #close(timeout: number, stop: (timeout: number) => Promise<void>): Promise<void> {
    this.supervisor.signal('drain')
    await this.#stopDevMode?.()
    await nextTick()
    await stop(timeout)
    this.supervisor.signal('ended')
  }

  /** @throws {BusError} Disconnected unless the host is running */
  checkRunning(): void {
    const { state } = this.supervisor
    if (state === 'running') return
    throw new BusError('Disconnected', `${this.#names.subject} is ${state}`, { data: { delivered: 'no' } })
  }
}
