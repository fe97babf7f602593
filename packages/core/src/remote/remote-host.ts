// A process that joined a bus whose core is elsewhere: it runs frontends, their gates, and connections of its own thread.
import type { Client } from '@sallyport/frontend/internal'
import type { BusError } from '@sallyport/protocol/internal'
import type { PooledSession } from '../host/frontends/worker-runtime.js'
import { HostHandle } from '../host/host-handle.js'
import type { ModuleLocation } from '../host/options/location.js'
import { checkFiles } from '../host/options/resolve.js'
import type { ConnectionOptions, FrontendOptions } from '../host/options/types.js'
import type { BusEvents } from '../host/reporting/events.js'
import type { JoinedStats } from '../host/reporting/stats.js'
import { type RemoteHostOptions, resolveRemoteHost } from './options.js'
import { RemoteCore } from './remote-core.js'
import type { SessionDialer } from './session.js'

/** The events of a bus that concern this process. Core's own host reports the others. */
export type RemoteHostEvents = Pick<BusEvents, 'fault' | 'restart' | 'failed' | 'rejected'>

/** One more session of a connection. */
export interface SessionRequest {
  /** The frontend's label. */
  label: string
  /** Unique among sessions and frontends. */
  name: string
  /** Client that the connection's first session returned. */
  client?: Client | undefined
  /** Options of the connection. */
  options?: ConnectionOptions | undefined
}

/** The result of `stats()`. */
export interface RemoteHostStats {
  /** Milliseconds since this process joined. */
  uptime: number
  /** Statistics by label. The statistics of core's own host have what core counts. */
  frontends: Record<string, JoinedStats>
}

const EVENTS: ReadonlySet<string> = new Set<keyof RemoteHostEvents>(['fault', 'restart', 'failed', 'rejected'])

/** Frontends and connections whose core is in another process. */
export class RemoteHost {
  readonly #host: HostHandle<RemoteCore>

  /** @internal */
  constructor(host: HostHandle<RemoteCore>) {
    this.#host = host
  }

  /**
   * Makes this thread a frontend.
   *
   * @throws {BusError} Denied and other reasons for which core rejects the frontend; Disconnected if no core answers within 10 s
   */
  async connect(label: string, options?: ConnectionOptions): Promise<Client> {
    return this.#host.core.withDeadline(label, () => this.#host.connect(label, options))
  }

  /**
   * Makes this thread a frontend with several sessions, or adds a session to a client that an earlier call returned. Each call of the
   * client takes the session with the fewest calls in flight. `SessionDialer.open` gets the session's `name` in place of a label.
   *
   * @throws {BusError} as `connect`
   */
  async addSession({ label, name, client, options }: SessionRequest): Promise<PooledSession> {
    return this.#host.core.withDeadline(name, () => this.#host.addSession(label, name, client, options))
  }

  /**
   * Starts one more frontend in a worker. Resolves once its module has been evaluated: see `loaded` and `loadTimeout`.
   *
   * @throws {BusError} as `connect`, and whatever the module throws
   */
  async open(label: string, module: ModuleLocation, options?: FrontendOptions): Promise<void> {
    await this.#host.core.withDeadline(label, () => this.#host.open(label, module, options))
  }

  /**
   * Stops a frontend's worker and gate, or closes a connection. Its calls in flight settle.
   *
   * @throws {BusError} Disconnected for an unknown label
   */
  async closeFrontend(label: string): Promise<void> {
    await this.#host.frontends.close(label)
  }

  /**
   * Restarts a frontend with its module and its hook as they are now.
   *
   * @throws {BusError} InvalidParams for an unknown label and for a frontend without a module; the error that prevents the restart
   */
  async reload(label: string): Promise<void> {
    this.#host.checkRunning()
    await this.#host.reload(label)
  }

  /** Listens to faults, restarts and rejections. Returns an unsubscribe function. */
  on<Name extends keyof RemoteHostEvents>(name: Name, handler: (event: RemoteHostEvents[Name]) => void): () => void {
    return this.#host.on(name, handler, EVENTS)
  }

  /** Reports a fault that the transport has detected. */
  fault(label: string, error: BusError): void {
    this.#host.reporter.reportFault(label, error)
  }

  /** Returns what each worker is. Core's own host counts its calls. */
  stats(): RemoteHostStats {
    return { uptime: this.#host.uptime, frontends: this.#host.frontends.stats }
  }

  /**
   * Ends every frontend, connection and session. Calls in flight settle with `Disconnected`. Resolves when no thread is left.
   *
   * @param options.timeout - milliseconds for sending what a slow core has not taken yet; 1000 by default
   */
  async close({ timeout = 1000 }: { timeout?: number } = {}): Promise<void> {
    const { supervisor, core, frontends } = this.#host
    return this.#host.close(timeout, async closeTimeout => {
      await this.#host.drain()
      await core.close(frontends.closeAll(), closeTimeout)
      supervisor.signal('ended')
    })
  }

  /** Calls `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** How error texts name the remote host. */
export interface RemoteHostNames {
  /** The function that creates it. */
  where: string
  /** The object that the function returns. */
  name: string
}

/**
 * Builds a remote host: the frontends and gates of any host, with core behind the network.
 *
 * @param firstLinkTimeout - milliseconds for the first link of a frontend
 */
export async function assemble(
  input: RemoteHostOptions,
  dialer: SessionDialer,
  { where, name }: RemoteHostNames,
  firstLinkTimeout: number,
): Promise<RemoteHost> {
  const options = resolveRemoteHost(where, input)
  await checkFiles(where, options)
  const host = new HostHandle(
    options,
    { name, subject: 'The remote host' },
    options.supervision,
    services => new RemoteCore(dialer, services, firstLinkTimeout),
  )
  const { core, frontends, supervisor } = host
  const remoteHost = new RemoteHost(host)
  try {
    const opening = options.frontends.map(({ label, module, ...settings }) =>
      core.withDeadline(label, () => frontends.open(label, module, settings)),
    )
    const opened = await Promise.all(opening)
    supervisor.signal('core.ready')
    await host.startDevMode(label => remoteHost.reload(label))
    await Promise.all(opened.map(({ start }) => start()))
    return remoteHost
  } catch (error) {
    await remoteHost.close()
    throw error
  }
}
