// The part that a bus and a remote host share: they open and close frontends, report events, and close once.
import { EventEmitter } from 'node:events'
import { setImmediate as nextTick } from 'node:timers/promises'
import type { Client } from '@sallyport/frontend/internal'
import { BusError } from '@sallyport/protocol/internal'
import { Frontends } from './frontends/frontends.js'
import type { CoreEndpoint } from './frontends/types.js'
import type { PooledSession } from './frontends/worker-runtime.js'
import type { ModuleLocation } from './options/location.js'
import {
  checkFile,
  type FrontendDefaults,
  resolveFrontendSupervision,
  resolveConnection,
  resolveFrontend,
  resolveLocation,
  warnAboutMissingHook,
} from './options/resolve.js'
import type { ConnectionOptions, FrontendOptions, BusConfig } from './options/types.js'
import { type BusEvents, BusReporter, subscribe } from './reporting/events.js'
import { createHostLog, type Logger } from './reporting/log.js'
import type { SupervisionOptions } from './supervision/policy.js'
import { createSupervisor, type Supervisor } from './supervision/supervisor.js'
import { createWatchdog } from './supervision/watchdog.js'

/** `setTimeout` takes at most 2 ** 31 - 1 ms; the rest is for the time in which a thread is terminated. */
const MAX_CLOSE_TIMEOUT_MS = 2 ** 31 - 1000

type Shared = 'codec' | 'frontends' | 'pattern' | 'isolation' | 'onConfirm' | 'dev' | 'workers' | 'log' | 'calls'
export interface HostConfig extends Pick<BusConfig, Shared>, Partial<Pick<BusConfig, 'core'>> {}

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
  readonly startedAt: number = performance.now()
  readonly #config: HostConfig
  readonly #names: HostNames
  readonly #defaults: FrontendDefaults
  #stopDevMode: (() => Promise<void>) | undefined
  #closing: Promise<void> | undefined

  /** @param supervision - defaults for frontends that are opened later */
  constructor(
    config: HostConfig,
    names: HostNames,
    supervision: SupervisionOptions | undefined,
    createCore: (services: HostServices) => Core,
  ) {
    this.#config = config
    this.#names = names
    this.#defaults = { codec: config.codec, supervision }
    this.log = createHostLog(config.log, config.dev)
    this.supervisor = createSupervisor()
    this.reporter = new BusReporter(this.log, this.events)
    this.core = createCore(this)
    const { log, supervisor, reporter, core } = this
    const watchdog = createWatchdog(config.isolation.hookTimeout)
    this.frontends = new Frontends({ supervisor, options: config, core, watchdog, log, reporter })
    warnAboutMissingHook(config, log)
  }

  get isClosing(): boolean {
    return this.#closing !== undefined
  }

  get uptime(): number {
    return Math.round(performance.now() - this.startedAt)
  }

  async connect(label: string, options: ConnectionOptions | undefined): Promise<Client> {
    const settings = resolveConnection(`${this.#names.name}.connect`, label, options, this.#defaults)
    this.checkRunning()
    return this.frontends.connect(label, settings, resolveFrontendSupervision(this.#defaults.supervision))
  }

  async addSession(
    label: string,
    name: string,
    client: Client | undefined,
    options: ConnectionOptions | undefined,
  ): Promise<PooledSession> {
    const settings = resolveConnection(`${this.#names.name}.connect`, label, options, this.#defaults)
    this.checkRunning()
    const supervision = resolveFrontendSupervision(this.#defaults.supervision)
    return this.frontends.addSession({ label, name, client, settings, supervision })
  }

  /** Resolves once the worker has loaded its module, or the module is no longer waited for. */
  async open(label: string, module: ModuleLocation, options: FrontendOptions | undefined): Promise<void> {
    const where = `${this.#names.name}.open`
    const settings = resolveFrontend(where, label, options, this.#defaults)
    const url = resolveLocation(`${where}: module`, module)
    await checkFile(`${where}: module`, url)
    this.checkRunning()
    const { start } = await this.frontends.open(label, url, settings)
    await start()
  }

  async reload(label: string, otherNames?: readonly string[]): Promise<void> {
    await this.frontends.reload(`${this.#names.name}.reload`, label, otherNames)
  }

  on<Name extends keyof BusEvents>(
    name: Name,
    handler: (event: BusEvents[Name]) => void,
    names?: ReadonlySet<string>,
  ): () => void {
    return subscribe(`${this.#names.name}.on`, this.events, name, handler, names)
  }

  async startDevMode(reload: (name: string) => Promise<void>): Promise<void> {
    if (!this.#config.dev) return
    const { startDevMode } = await import('./dev-mode.js')
    const { frontends, log } = this
    this.#stopDevMode = await startDevMode({ options: this.#config, frontends, log, reload })
  }

  /**
   * Runs `shutDown` unless the host is closing already.
   *
   * @throws {BusError} InvalidParams for a wrong timeout
   */
  async close(timeout: unknown, shutDown: (timeout: number) => Promise<void>): Promise<void> {
    if (typeof timeout !== 'number' || !(timeout >= 0 && timeout <= MAX_CLOSE_TIMEOUT_MS)) {
      const message = `${this.#names.name}.close: timeout must be milliseconds from 0 to ${MAX_CLOSE_TIMEOUT_MS}`
      throw new BusError('InvalidParams', message)
    }
    return (this.#closing ??= shutDown(timeout))
  }

  /** Stops taking frontends, and waits until the messages of this tick are sent. */
  async drain(): Promise<void> {
    this.supervisor.signal('drain')
    await this.#stopDevMode?.()
    await nextTick()
  }

  /** @throws {BusError} Disconnected unless the host is running */
  checkRunning(): void {
    const { state } = this.supervisor
    if (state === 'running') return
    throw new BusError('Disconnected', `${this.#names.subject} is ${state}`, { data: { delivered: 'no' } })
  }
}
