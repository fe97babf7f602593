// A process that has joined a bus whose core is elsewhere, as its host holds it: frontends, their gates, and connections of its own.
import { EventEmitter } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Client } from '@sallyport/frontend/client'
import type { BusError } from '@sallyport/protocol'
import type { DevMode } from '../host/dev-mode.js'
import {
  checkCloseTimeout,
  checkRunning,
  connectTo,
  Frontends,
  createOpenFrontends,
  type OpeningDeps,
} from '../host/frontends/frontends.js'
import type { PooledSession } from '../host/frontends/worker-runtime.js'
import type { ModuleLocation } from '../host/options/location.js'
import { checkFiles, frontendSupervision, resolveConnection, warnAboutMissingHook } from '../host/options/resolve.js'
import type { ConnectionOptions, FrontendOptions } from '../host/options/types.js'
import { type BusEvents, subscribe, BusReporter } from '../host/reporting/events.js'
import { createHostLog } from '../host/reporting/log.js'
import type { JoinedStats } from '../host/reporting/stats.js'
import { createSupervisor, type Supervisor } from '../host/supervision/supervisor.js'
import { createWatchdog } from '../host/supervision/watchdog.js'
import { resolveRemoteHost, type RemoteHostOptions } from './options.js'
import { RemoteCore } from './remote-core.js'
import type { SessionDialer } from './session.js'

/** What a bus tells its host, as far as it is of this process: the rest is told where core is. */
export type RemoteHostEvents = Pick<BusEvents, 'fault' | 'restart' | 'failed' | 'rejected'>

/** One more session of a connection. */
export interface ConnectionRequest {
  label: string
  /** Unlike that of any other lane, and of any frontend. */
  name: string
  /** What the first lane of the connection has given. */
  client?: Client | undefined
  options?: ConnectionOptions | undefined
}

export interface RemoteHostStats {
  /** Milliseconds since it has joined. */
  uptime: number
  /** By label. What core counts of them is in the stats of its bus. */
  frontends: Record<string, JoinedStats>
}

/** @internal What `createSatellite` has put together. */
export interface RemoteHostDeps extends OpeningDeps {
  /** How it calls itself in error texts: `joined`. */
  name: string
  supervisor: Supervisor
  core: RemoteCore
  events: EventEmitter
  reporter: BusReporter
  dev?: DevMode
}

const EVENTS: ReadonlySet<string> = new Set<keyof RemoteHostEvents>(['fault', 'restart', 'failed', 'rejected'])

export class RemoteHost {
  readonly #parts: RemoteHostDeps
  readonly #since = performance.now()
  #closing: Promise<void> | undefined

  /** @internal */
  constructor(parts: RemoteHostDeps) {
    this.#parts = parts
  }

  /**
   * Makes this thread a frontend.
   *
   * @throws BusError `Denied` and others with which core refuses it; `Disconnected` where no core answers within 10 s
   */
  async connect(label: string, options?: ConnectionOptions): Promise<Client> {
    const { name, core } = this.#parts
    const check = (): void => this.#checkRunning()
    return core.within(label, () => connectTo(`${name}.connect`, this.#parts, check, label, options))
  }

  /**
   * Makes this thread a frontend that has several sessions, or adds one to what an earlier call has made: its calls take the one
   * with the fewest under way. `FarCore.open` is asked for the sessions of a lane by its `name`, in place of a label.
   *
   * @throws BusError as `connect`
   */
  async addLane({ label, name, client, options }: ConnectionRequest): Promise<PooledSession> {
    const { name: own, core, frontends, supervision: usual } = this.#parts
    const settings = resolveConnection(`${own}.connect`, label, options)
    this.#checkRunning()
    const supervision = frontendSupervision(usual)
    return core.within(name, () => frontends.addLane({ label, name, client, settings, supervision }))
  }

  /** Starts one more frontend worker. Resolves once its module is on its way. @throws BusError as `connect` */
  async open(label: string, module: ModuleLocation, options?: FrontendOptions): Promise<void> {
    const { name, core } = this.#parts
    const check = (): void => this.#checkRunning()
    await core.within(label, () => createOpenFrontends(`${name}.open`, this.#parts, check, { label, module, options }))
  }

  /** Ends a frontend worker and its gate, or closes a connection. Its calls in flight settle. */
  async closeFrontend(label: string): Promise<void> {
    await this.#parts.frontends.close(label)
  }

  /**
   * Ends a frontend, and starts it again with its module and its hook as they are now.
   *
   * @throws BusError `InvalidParams` for a label that there is not, and for what has no module; what keeps it from being ready
   */
  async reload(label: string): Promise<void> {
    this.#checkRunning()
    await this.#parts.frontends.reload(`${this.#parts.name}.reload`, label)
  }

  /** Tells of faults, restarts and rejections; gives back what takes the handler away. */
  on<Name extends keyof RemoteHostEvents>(name: Name, handler: (event: RemoteHostEvents[Name]) => void): () => void {
    return subscribe(`${this.#parts.name}.on`, this.#parts.events, name, handler, EVENTS)
  }

  /** Tells of a fault that its transport has seen. */
  fault(label: string, error: BusError): void {
    this.#parts.reporter.reportFault(label, error)
  }

  /** What each worker is. What it has called is counted where core is. */
  stats(): RemoteHostStats {
    return { uptime: Math.round(performance.now() - this.#since), frontends: this.#parts.frontends.stats }
  }

  /**
   * Ends every frontend, connection and session: calls in flight settle, with `Disconnected`. Resolves when no thread is left.
   *
   * @param options.timeout milliseconds for what was sent to go out, where core takes it slowly; 1000 by default
   */
  async close({ timeout = 1000 }: { timeout?: number } = {}): Promise<void> {
    checkCloseTimeout(`${this.#parts.name}.close`, timeout)
    return (this.#closing ??= this.#close(timeout))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(timeout: number): Promise<void> {
    const { supervisor, core, frontends, dev } = this.#parts
    supervisor.signal('drain')
    await dev?.close()
    // What was sent in this turn goes out first.
    await nextTurn()
    await core.close(frontends.closeAll(), timeout)
    supervisor.signal('ended')
  }

  #checkRunning(): void {
    checkRunning('What has joined the bus', this.#parts.supervisor)
  }
}

// Puts together what joins a bus without a core of its own: the frontends and gates of any bus, and core as the network has it.

/** How it is spoken of in error texts. */
export interface RemoteHostNames {
  /** The function that makes it. */
  where: string
  /** What that gives. */
  name: string
}

/** @param timeout milliseconds for the first link of a frontend */
export async function assemble(
  given: RemoteHostOptions,
  far: SessionDialer,
  { where, name }: RemoteHostNames,
  timeout: number,
): Promise<RemoteHost> {
  const options = resolveRemoteHost(where, given)
  await checkFiles(where, options)
  const log = createHostLog(options.log, options.dev)
  const supervisor = createSupervisor()
  const events = new EventEmitter()
  const reporter = new BusReporter(log, events)
  const host = {
    log,
    reporter,
    attached: (label: string, link: number): void => frontends.attached(label, link),
    refused: (label: string, link: number, error: Error): void => frontends.refused(label, link, error),
    lost: (label: string, link: number): void => frontends.lost(label, link),
    closed: (label: string, link: number): void => frontends.closed(label, link),
    broken: (label: string, link: number, error: Error): void => frontends.broken(label, link, error),
  }
  const core = new RemoteCore(far, host, timeout)
  const watchdog = createWatchdog(options.isolation.hookTimeout)
  const frontends = new Frontends({ supervisor, options, core, cipher: true, watchdog, log, reporter })
  warnAboutMissingHook(options, log)
  const { supervision } = options
  const parts: RemoteHostDeps = { name, supervisor, core, frontends, events, reporter, supervision }
  const satellite = new RemoteHost(parts)
  try {
    const opened = await Promise.all(
      options.frontends.map(({ label, module, ...settings }) =>
        core.within(label, () => frontends.open(label, module, settings)),
      ),
    )
    supervisor.signal('core.ready')
    if (options.dev) {
      const { startDevMode } = await import('../host/dev-mode.js')
      parts.dev = await startDevMode({ options, frontends, log, reload: label => satellite.reload(label) })
    }
    setImmediate(() => opened.forEach(({ start }) => start()))
    return satellite
  } catch (error) {
    await satellite.close()
    throw error
  }
}
