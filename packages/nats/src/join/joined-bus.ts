// A process that has joined a bus, as its host holds it: what it runs is a satellite's, and beside that connections that are
// spread over all instances of core.
import type { Client, CloseOptions, ConnectionOptions, FrontendOptions, ModuleLocation } from '@sallyport/core'
import type { Satellite, SatelliteEvents, SatelliteStats } from '@sallyport/core/network'
import { BusError, describeName, isBusError } from '@sallyport/protocol'
import type { Connection } from '../connection.js'
import type { Faults } from '../faults.js'
import type { Spreads } from './spreads.js'

export interface JoinedConnectionOptions extends ConnectionOptions {
  /**
   * `true`: one session, with whichever instance takes it, so that state, resources and listeners are all of one instance.
   * `false`, the default: a session with each instance, and each call goes to the one with the fewest under way.
   */
  sticky?: boolean
}

/** @internal */
export interface JoinedParts {
  satellite: Satellite
  spreads: Spreads
  connection: Connection
  faults: Faults
}

export class JoinedBus {
  readonly #parts: JoinedParts
  #closing: Promise<void> | undefined

  /** @internal */
  constructor(parts: JoinedParts) {
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
  on<Name extends keyof SatelliteEvents>(name: Name, handler: (event: SatelliteEvents[Name]) => void): () => void {
    return this.#parts.satellite.on(name, handler)
  }

  /** What each worker of this process is. What it has called is counted where core is. */
  stats(): SatelliteStats {
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
    if (this.#closing)
      throw new BusError('Disconnected', 'What has joined the bus is closed', { data: { delivered: 'no' } })
    if (!this.#parts.spreads.has(label)) return
    throw new BusError('InvalidParams', `There is a frontend ${describeName(String(label))} already`)
  }
}
