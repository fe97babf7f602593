// A process that joined a bus whose core is elsewhere: it runs frontends, their gates, and connections of its own thread.
import type { Client } from '@sallyport/frontend/internal'
import { BusError } from '@sallyport/protocol/internal/errors'
import type { CallsOptions } from '../../contract/host-core.js'
import type { SessionDialer } from '../../contract/core-network.js'
import type { PooledSession } from '../frontends/types.js'
import { Host } from '../host.js'
import { checkFiles } from '../options/check-files.js'
import type { HostConfig } from '../options/config.js'
import { resolveHost } from '../options/resolve-options.js'
import { getOptionPlaces } from '../options/option-places.js'
import { remoteHostSchema } from '../options/schema.js'
import type {
  BusOptions,
  ConnectionOptions,
  FrontendOptions,
  IsolationOptions,
  ModuleSource,
} from '../options/types.js'
import type { BusEvents } from '../reporting/events.js'
import type { FrontendStats, TrafficStats } from '../reporting/stats.js'
import type { WorkerFactories } from '../workers/spawn.js'
import type { ModuleLocation } from '../../shared/locations.js'
import { check } from '../../shared/validate.js'
import { RemoteCore } from './remote-core.js'

/** Options of `createBus` that apply to what runs in this process. */
export interface RemoteHostOptions extends Pick<
  BusOptions,
  'codec' | 'frontends' | 'supervision' | 'log' | 'dev' | 'onConfirm'
> {
  /** The `isolation` of `createBus`. Core accepts messages only if both or neither of the two have isolation. */
  isolation?: IsolationOptions
  /** Tauri's form of `isolation`. Capabilities belong to core. */
  app?: { security?: Pick<NonNullable<NonNullable<BusOptions['app']>['security']>, 'pattern'> }
  /** The default deadline of calls from connections and frontends of this process. */
  calls?: Pick<CallsOptions, 'commandTimeout'>
  /** Starts Sallyport's own workers in a bundled program. */
  workers?: Omit<WorkerFactories, 'core'>
}

/** The events of a bus that concern this process. Core's own host reports the others. */
export type RemoteHostEvents = Pick<BusEvents, 'fault' | 'restart' | 'failed' | 'exited' | 'rejected'>

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
  frontends: Record<string, Omit<FrontendStats, keyof TrafficStats>>
}

const EVENTS: ReadonlySet<string> = new Set<keyof RemoteHostEvents>([
  'fault',
  'restart',
  'failed',
  'exited',
  'rejected',
])

/** Frontends and connections whose core is in another process. */
export class RemoteHost {
  readonly #host: Host<RemoteCore>

  /** @internal */
  constructor(host: Host<RemoteCore>) {
    this.#host = host
  }

  /**
   * Makes this thread a frontend.
   *
   * @throws {BusError} Denied and other reasons for which core rejects the frontend; Disconnected if no core answers within 10 s
   */
  async connect(label: string, options?: ConnectionOptions): Promise<Client> {
    return (await this.#host.connect(label, options)).client
  }

  /**
   * Makes this thread a frontend with several sessions, or adds a session to a client that an earlier call returned. Each call of the
   * client takes the session with the fewest calls in flight. `SessionDialer.open` gets the session's `name` in place of a label.
   *
   * @throws {BusError} as `connect`
   */
  async addSession({ label, name, client, options }: SessionRequest): Promise<PooledSession> {
    return this.#host.connect(label, options, { name, client })
  }

  /**
   * Starts one more frontend in a worker. Resolves once its module has been evaluated: see `loaded` and `loadTimeout`.
   *
   * @throws {BusError} as `connect`, whatever the module throws, and Timeout after `loadTimeout`
   */
  async open(label: string, module: ModuleLocation | ModuleSource, options?: FrontendOptions): Promise<void> {
    await this.#host.open(label, module, options)
  }

  /**
   * Stops a frontend's worker and gate, or closes a connection. Its calls in flight settle.
   *
   * @param options.timeout - milliseconds that code which computes is given to take notice; 0 by default
   * @throws {BusError} Disconnected for a label that no frontend has had; InvalidParams
   */
  async closeFrontend(label: string, options?: { timeout?: number }): Promise<void> {
    await this.#host.closeFrontend(label, options)
  }

  /**
   * Restarts a frontend with its module and its hook as they are now.
   *
   * @throws {BusError} InvalidParams for an unknown label and for a frontend without a module; the error that prevents the restart
   */
  async reload(label: string): Promise<void> {
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
    const { core, frontends } = this.#host
    await this.#host.close(timeout, closeTimeout => core.close(frontends.closeAll(), closeTimeout))
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

/** @param firstLinkTimeout - milliseconds for the first link of a frontend */
export async function startRemoteHost(
  input: RemoteHostOptions,
  dialer: SessionDialer,
  { where, name }: RemoteHostNames,
  firstLinkTimeout: number,
): Promise<RemoteHost> {
  const config = await resolveRemoteHost(where, input)
  await checkFiles(where, config)
  const names = { name, subject: 'The remote host' }
  const host = new Host(config, names, ({ log, reporter }, open) => {
    return new RemoteCore({ dialer, firstLinkTimeout, log, reporter }, open)
  })
  const remoteHost = new RemoteHost(host)
  try {
    await host.start()
    return remoteHost
  } catch (error) {
    await remoteHost.close()
    throw error
  }
}

/** Core's own options have no effect here, so they are refused by name. */
const CORE_OPTIONS = [
  ...['core', 'network', 'config', 'permissions', 'unknownPermissions', 'pluginOptions', 'resources', 'startTimeout'],
  ...['productName', 'version', 'identifier', 'workers.core', 'calls.timeout', 'calls.slowAfter', 'calls.quotas'],
  ...['capabilities', 'app.security.capabilities'],
]

/** @throws {BusError} InvalidParams, which names the option that is wrong or belongs to core */
async function resolveRemoteHost(where: string, input: RemoteHostOptions): Promise<HostConfig> {
  for (const path of CORE_OPTIONS) {
    if (getAtPath(input, path) === undefined) continue
    throw new BusError('InvalidParams', `${where}: ${path} belongs to core. Pass it to createBus, where core runs`)
  }
  const options = check(where, remoteHostSchema, input, getOptionPlaces)
  return resolveHost(where, input, options)
}

const getAtPath = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((object, key) => (object as Record<string, unknown> | null | undefined)?.[key], value)
