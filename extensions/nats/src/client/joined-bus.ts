// Joins a bus over NATS: a host whose core is elsewhere, and connections that balance their calls over all instances.
import { randomBytes } from 'node:crypto'
import type { Client, ConnectionOptions, FrontendOptions, ModuleLocation } from '@sallyport/core'
import {
  type BusEvents,
  checkRemoteHost,
  checkSecretOptions,
  type JoinedStats,
  type RemoteHost,
  type RemoteHostOptions,
} from '@sallyport/core/internal/network'
import { BusError, describeName, isBusError, toNames } from '@sallyport/protocol/internal/errors'
import { withoutContext } from '@sallyport/protocol/internal/util'
import * as v from 'valibot'
import { type ProcessConnection, connectNats } from '../connection/process-connection.js'
import { createFaultReporter, type FaultReporter } from '../connection/errors.js'
import { busName, heartbeat, natsOptions, type NatsConnectionOptions } from '../connection/options.js'
import type { NatsLink } from '../link/nats-link.js'
import { createCredentialProvider, type Credentials, NatsSessionDialer, ReplyInbox } from './session-dialer.js'
import { Discovery } from './discovery.js'
import { LoadBalancer } from './load-balancer.js'
import { type RemoteCore, startRemoteHost } from './remote-core.js'

const DISCOVERY_INTERVAL_MS = 3000
/** Label of the connection's own faults. No frontend has it, because labels contain no space. */
const CONNECTION_LABEL = 'nats connection'

/** Options of `joinBus`. */
export interface JoinOptions extends RemoteHostOptions {
  /** Connects to NATS. */
  nats: NatsConnectionOptions
  /** Names the bus, as its instances do. */
  bus: string
  /**
   * Proves the labels: credentials from `issueCredential`, one for each; or a function that returns the credential for a label. It is called before
   * each session, so that it can renew credentials that expire.
   */
  credentials: Credentials
  /** Pings a core after so many milliseconds of silence. After three unanswered pings it is lost. @default 2000 */
  heartbeat?: number | undefined
}

const CREDENTIALS_RULE = 'an array of credentials, or a function that returns the credential for a label'
const isCredentials = (value: unknown): boolean =>
  typeof value === 'function' || (Array.isArray(value) && value.every(credential => typeof credential === 'string'))

/** Options of the host pass: core checks them. */
const joinOptions = v.looseObject(
  { nats: natsOptions, bus: busName, credentials: v.custom<Credentials>(isCredentials, CREDENTIALS_RULE), heartbeat },
  'an object',
)

/** Options of a connection of a joined bus. */
export interface JoinedConnectionOptions extends ConnectionOptions {
  /**
   * True: one session, with any instance, so that state, resources and listeners belong to one instance. False: a session with each
   * instance, and each call goes to the one with the fewest calls in flight. @default false
   */
  sticky?: boolean
}

/** The events of a bus that concern this process. Core's own host reports the others. */
export type RemoteHostEvents = Pick<BusEvents, 'fault' | 'restart' | 'failed' | 'exited' | 'rejected'>

const EVENTS: ReadonlySet<string> = toNames<RemoteHostEvents>({
  fault: true,
  restart: true,
  failed: true,
  exited: true,
  rejected: true,
})

/** The result of `stats()`. */
export interface RemoteHostStats {
  /** Milliseconds since this process joined. */
  uptime: number
  /** Statistics by label. The statistics of core's own host have what core counts. */
  frontends: Record<string, JoinedStats>
}

/** @internal */
export interface JoinedDeps {
  host: RemoteHost<RemoteCore>
  balancer: LoadBalancer
  connection: ProcessConnection
  faults: FaultReporter
}

/** A bus whose core is in another process, over NATS. */
export class JoinedBus {
  readonly #deps: JoinedDeps
  #closing: Promise<void> | undefined

  /** @internal */
  constructor(deps: JoinedDeps) {
    this.#deps = deps
  }

  /**
   * Makes this thread a frontend, with the capabilities of its label.
   *
   * @throws {BusError} InvalidParams if the label has no credential; Denied and other reasons for which core rejects the frontend;
   * Disconnected if no core answers within 10 s
   * @example
   * const client = await joined.connect('web')
   * await client.invoke('greet', { name: 'World' })
   */
  async connect(label: string, options: JoinedConnectionOptions = {}): Promise<Client> {
    const { sticky = false, ...others }: JoinedConnectionOptions = Object(options)
    if (typeof sticky !== 'boolean') throw new BusError('InvalidParams', 'joined.connect: sticky must be true or false')
    this.#checkFree(label)
    const { host, balancer } = this.#deps
    return sticky ? (await host.connect(label, others)).client : balancer.connect(label, others)
  }

  /**
   * Starts one more frontend in a worker, with a sticky session. Resolves once its module has been evaluated: see `loaded` and
   * `loadTimeout`.
   *
   * @throws {BusError} as `connect`, whatever the module throws, and Timeout after `loadTimeout`
   */
  async open(label: string, module: ModuleLocation, options?: FrontendOptions): Promise<void> {
    this.#checkFree(label)
    await this.#deps.host.open(label, module, options)
  }

  /**
   * Stops a frontend's worker and gate, or closes a connection. Its calls in flight settle.
   *
   * @param options.timeout - milliseconds that code which computes is given to take notice; 0 by default
   * @throws {BusError} Disconnected for an unknown label; InvalidParams
   */
  async closeFrontend(label: string, options?: { timeout?: number }): Promise<void> {
    const { host, balancer } = this.#deps
    if (!(await balancer.close(label))) await host.closeFrontend(label, options)
  }

  /**
   * Restarts a frontend with its module and its hook as they are now.
   *
   * @throws {BusError} Disconnected for an unknown label, InvalidParams for one without a module; the error that prevents the restart
   */
  async reload(label: string): Promise<void> {
    await this.#deps.host.reload(label)
  }

  /** Listens to events of this process, such as `fault` and `rejected`. Returns an unsubscribe function. */
  on<Name extends keyof RemoteHostEvents>(name: Name, handler: (event: RemoteHostEvents[Name]) => void): () => void {
    return this.#deps.host.on(name, handler, EVENTS)
  }

  /** Returns the state of each worker of this process. The host of core counts the calls. */
  stats(): RemoteHostStats {
    const { uptime, frontends } = this.#deps.host
    return { uptime, frontends: frontends.stats }
  }

  /**
   * Ends every frontend and connection, and the connection to NATS. Calls in flight settle. Resolves when nothing is left.
   *
   * @param options.timeout - milliseconds for sending what a slow core has not taken yet; 1000 by default
   */
  async close(options?: { timeout?: number }): Promise<void> {
    try {
      await (this.#closing ??= this.#close(options))
    } catch (error) {
      // Invalid options have closed nothing.
      if (isBusError(error, 'InvalidParams')) this.#closing = undefined
      throw error
    }
  }

  /** Calls `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(options?: { timeout?: number }): Promise<void> {
    const { host, balancer, connection, faults } = this.#deps
    const closed = host.close(options, left => host.core.close(host.frontends.closeAll(), left))
    // Rejects immediately if the options are invalid. Frontends end in a later tick, after the connections.
    await Promise.race([closed, Promise.resolve()])
    faults.flush()
    try {
      await Promise.all([closed, balancer.closeAll()])
    } finally {
      await connection.close()
    }
  }

  #checkFree(label: string): void {
    if (this.#closing)
      throw new BusError('Disconnected', 'The joined bus is closed', { code: 'CLOSED', data: { delivered: 'no' } })
    if (!this.#deps.balancer.has(label)) return
    throw new BusError('InvalidParams', `Frontend ${describeName(String(label))} already exists`)
  }
}

/**
 * Joins a bus whose core runs in other processes. This process can run frontends in workers, with their gates, and its own thread can
 * call. Resolves once core has accepted each of `frontends` and their modules have been evaluated.
 *
 * @throws {BusError} InvalidParams for an invalid option or credential; Disconnected if no server of NATS or no core answers; Denied
 * if the server or core refuses
 * @example
 * const joined = await joinBus({ nats: { servers: 'nats://127.0.0.1:4222' }, bus: 'shop', credentials: [credential] })
 * try { … } finally { await joined.close() }
 */
export function joinBus(options: JoinOptions): Promise<JoinedBus> {
  return withoutContext(() => join(options))
}

async function join(options: JoinOptions): Promise<JoinedBus> {
  const { nats, bus, credentials, heartbeat } = checkSecretOptions('joinBus', joinOptions, options)
  const { nats: _nats, bus: _bus, credentials: _credentials, heartbeat: _heartbeat, ...hostOptions } = options
  // Before anything is connected. The host checks them, too.
  await checkRemoteHost('joinBus', hostOptions)
  const getCredential = createCredentialProvider(credentials)
  const links = new Set<NatsLink>()
  let joined: RemoteHost<RemoteCore> | undefined
  const faults = createFaultReporter((label, error) => joined?.reporter.reportFault(label, error))
  const connection = await connectNats('joinBus', nats, heartbeat, {
    disconnected: error => links.forEach(link => link.fail(error)),
    reconnected: () => discovery.query(),
    fault: error => faults.add({ label: CONNECTION_LABEL, createError: () => error }),
  })
  const client = randomBytes(16).toString('hex')
  const inbox = new ReplyInbox(connection, bus, client)
  const discovery = new Discovery({ connection, inbox, bus, intervalMs: DISCOVERY_INTERVAL_MS })
  const { isolation, codec = 'json' } = hostOptions
  const pattern = isolation ? ('isolation' as const) : ('brownfield' as const)
  const context = { connection, inbox, bus, client, pattern, heartbeat, links, faults }
  const dialer = new NatsSessionDialer(context, getCredential)
  try {
    await connection.flush()
    const host = (joined = await startRemoteHost(hostOptions, dialer))
    const balancer = new LoadBalancer({ host, dialer, discovery, codec, isConnected: () => connection.isConnected })
    return new JoinedBus({ host, balancer, connection, faults })
  } catch (error) {
    await connection.close()
    throw error
  }
}
