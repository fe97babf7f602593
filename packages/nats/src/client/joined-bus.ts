// Joins a bus over NATS: connects, and puts together what its frontends and connections need.
import { randomBytes } from 'node:crypto'
import type { Client, CloseOptions, ConnectionOptions, FrontendOptions, ModuleLocation } from '@sallyport/core'
import {
  checkSecretOptions,
  connectHost,
  type RemoteHost,
  type RemoteHostEvents,
  type RemoteHostOptions,
  type RemoteHostStats,
} from '@sallyport/core/network'
import { BusError, describeName, isBusError } from '@sallyport/protocol'
import * as v from 'valibot'
import { type Connection, connectNats } from '../connection/connection.js'
import { createFaults, type Faults } from '../connection/errors.js'
import type { NatsLink } from '../link/nats-link.js'
import { busName, heartbeat, natsOptions, type NatsOptions } from '../connection/options.js'
import { createCredentialProvider, type Credentials } from './credentials.js'
import { Discovery } from './discovery.js'
import { LoadBalancer } from './load-balancer.js'
import { ReplyInbox } from './reply-inbox.js'
import { NatsSessionDialer, type JoinContext } from './session-dialer.js'

// What `joinBus` takes of its own, and the check of it. The rest is the satellite's.

export interface JoinOptions extends RemoteHostOptions {
  nats: NatsOptions
  /** The name of the bus, as its cores have it. */
  bus: string
  /**
   * What `issueCredential` gave, one for each label; or a function that gives one for a label, which is asked before each session:
   * so credentials that expire are renewed.
   */
  credentials: Credentials
  /** Milliseconds of silence after which a core is asked for a sign of life, and lost after three more. 2000 unless given. */
  heartbeat?: number | undefined
}

export interface OwnOptions extends Required<Pick<JoinOptions, 'nats' | 'bus' | 'credentials' | 'heartbeat'>> {
  heartbeat: number
}

const CREDENTIALS = 'a list of credentials, or a function that gives one for a label'
const isCredentials = (given: unknown): boolean =>
  typeof given === 'function' || (Array.isArray(given) && given.every(one => typeof one === 'string'))

const joinEntries = v.looseObject(
  { nats: natsOptions, bus: busName, credentials: v.custom<Credentials>(isCredentials, CREDENTIALS), heartbeat },
  'an object',
)

/** @throws BusError `InvalidParams` for what is wrong in them; what is the satellite's is not looked at */
function splitOptions(given: JoinOptions): { own: OwnOptions; others: RemoteHostOptions } {
  const own = checkSecretOptions('joinBus', joinEntries, given)
  const { nats: _nats, bus: _bus, credentials: _credentials, heartbeat: _heartbeat, ...others } = given
  return { own, others }
}

// A process that has joined a bus, as its host holds it: what it runs is a satellite's, and beside that connections that are
// spread over all instances of core.

export interface JoinedConnectionOptions extends ConnectionOptions {
  /**
   * `true`: one session, with whichever instance takes it, so that state, resources and listeners are all of one instance.
   * `false`, the default: a session with each instance, and each call goes to the one with the fewest under way.
   */
  sticky?: boolean
}

/** @internal */
export interface JoinedDeps {
  satellite: RemoteHost
  spreads: LoadBalancer
  connection: Connection
  faults: Faults
}

export class JoinedBus {
  readonly #parts: JoinedDeps
  #closing: Promise<void> | undefined

  /** @internal */
  constructor(parts: JoinedDeps) {
    this.#parts = parts
  }

  /**
   * Makes this thread a frontend, as vetted as any other.
   *
   * @throws BusError `InvalidParams` where there is no credential for the label; what core refuses it with, as `Denied`;
   * `Disconnected` where no core answers within 10 s
   * @example
   * const client = await joined.connect('web')
   * await client.invoke('greet', { name: 'World' })
   */
  async connect(label: string, options: JoinedConnectionOptions = {}): Promise<Client> {
    const { sticky = false, ...others } = Object(options) as JoinedConnectionOptions
    if (typeof sticky !== 'boolean') throw new BusError('InvalidParams', 'joined.connect: sticky must be true or false')
    this.#checkFree(label)
    const { satellite, spreads } = this.#parts
    return sticky ? satellite.connect(label, others) : spreads.connect(label, others)
  }

  /** Starts one more frontend worker, whose session is sticky. Resolves once its module is on its way. @throws BusError as `connect` */
  async open(label: string, module: ModuleLocation, options?: FrontendOptions): Promise<void> {
    this.#checkFree(label)
    await this.#parts.satellite.open(label, module, options)
  }

  /** Ends a frontend worker and its gate, or closes a connection. Its calls in flight settle. */
  async closeFrontend(label: string): Promise<void> {
    const { satellite, spreads } = this.#parts
    if (!(await spreads.close(label))) await satellite.closeFrontend(label)
  }

  /**
   * Ends a frontend, and starts it again with its module and its hook as they are now.
   *
   * @throws BusError `InvalidParams` for a label that there is not, and for what has no module; what keeps it from being ready
   */
  async reload(label: string): Promise<void> {
    await this.#parts.satellite.reload(label)
  }

  /** Tells of faults, restarts and rejections in this process; gives back what takes the handler away. */
  on<Name extends keyof RemoteHostEvents>(name: Name, handler: (event: RemoteHostEvents[Name]) => void): () => void {
    return this.#parts.satellite.on(name, handler)
  }

  /** What each worker of this process is. What it has called is counted where core is. */
  stats(): RemoteHostStats {
    return this.#parts.satellite.stats()
  }

  /** Ends every frontend and connection, and the connection to NATS. Calls in flight settle. Resolves when nothing is left. */
  async close(options?: CloseOptions): Promise<void> {
    try {
      await (this.#closing ??= this.#close(options))
    } catch (error) {
      // Of options that are wrong, nothing has ended.
      if (isBusError(error, 'InvalidParams')) this.#closing = undefined
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(options: CloseOptions | undefined): Promise<void> {
    const { satellite, spreads, connection, faults } = this.#parts
    const closed = satellite.close(options)
    // It says at once what is wrong with them. Its frontends end in a later turn, after the connections.
    await Promise.race([closed, Promise.resolve()])
    faults.flush()
    try {
      await Promise.all([closed, spreads.closeAll()])
    } finally {
      await connection.close()
    }
  }

  #checkFree(label: string): void {
    if (this.#closing) throw new BusError('Disconnected', 'The joined bus is closed', { data: { delivered: 'no' } })
    if (!this.#parts.spreads.has(label)) return
    throw new BusError('InvalidParams', `Frontend ${describeName(String(label))} already exists`)
  }
}

/** Milliseconds from one question which instances there are to the next. */
const LOOK_EVERY_MS = 3000
/** What faults of the connection are told under: no label has a space. */
const NATS = 'nats connection'

/**
 * Joins a bus whose core runs elsewhere: this process may run frontends in workers, with their gates, and its thread may call.
 * Resolves once core has taken each of `frontends`.
 *
 * @throws BusError `InvalidParams` for an option or a credential that can't be right, `Disconnected` where no server of NATS or no
 * core answers, `Denied` where the server or core refuses
 * @example
 * const joined = await joinBus({ nats: { servers: 'nats://127.0.0.1:4222' }, bus: 'shop', credentials: [credential] })
 * try { … } finally { await joined.close() }
 */
export async function joinBus(options: JoinOptions): Promise<JoinedBus> {
  const { own, others } = splitOptions(options)
  const { nats, bus, heartbeat } = own
  const keyring = createCredentialProvider(own.credentials)
  const links = new Set<NatsLink>()
  let satellite: RemoteHost | undefined
  const faults = createFaults((label, error) => satellite?.fault(label, error))
  const connection = await connectNats('joinBus', nats, heartbeat, {
    down: error => links.forEach(link => link.lost(error)),
    up: () => discovery.ask(),
    fault: error => faults.tell(NATS, error),
  })
  const client = randomBytes(16).toString('hex')
  const post = new ReplyInbox(connection, bus, client)
  const discovery = new Discovery({ connection, post, bus, every: LOOK_EVERY_MS })
  const pattern = others.app?.security?.pattern?.use ?? 'brownfield'
  const home: JoinContext = { connection, post, bus, client, pattern, heartbeat, links, faults }
  const far = new NatsSessionDialer(home, keyring)
  try {
    await connection.flush()
    satellite = await connectHost(others, far, { where: 'joinBus', name: 'joined' })
    const spreads = new LoadBalancer({ satellite, far, discovery, isUp: () => connection.isUp })
    return new JoinedBus({ satellite, spreads, connection, faults })
  } catch (error) {
    await connection.close()
    throw error
  }
}
