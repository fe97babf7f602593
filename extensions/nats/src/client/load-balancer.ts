// Connections that balance their calls over all instances. Each has a pooled session with each instance. Instances come and go; the last
// session of a connection always stays, and waits for any instance if all are gone.
import type { ConnectionOptions } from '@sallyport/core'
import type { PooledSession, RemoteHost } from '@sallyport/core/internal/network'
import type { CodecName } from '@sallyport/protocol/internal/codec'
import { type Client, endClient } from '@sallyport/frontend/internal'
import { BusError, isBusError } from '@sallyport/protocol/internal/errors'
import type { Discovery } from './discovery.js'
import type { NatsSessionDialer, OpenedSession } from './session-dialer.js'

/** Sessions of one connection. Larger buses are to be sharded. */
const MAX_SESSIONS = 16

export interface LoadBalancerDeps {
  host: Pick<RemoteHost<unknown>, 'connect'>
  dialer: NatsSessionDialer
  discovery: Discovery
  codec: CodecName
  isConnected(): boolean
}

/** The balanced connections of a joined process. One discovery finds the instances for all of them. */
export class LoadBalancer {
  readonly #deps: LoadBalancerDeps
  readonly #clients = new Map<string, Promise<Client>>()

  constructor(deps: LoadBalancerDeps) {
    this.#deps = deps
  }

  has(label: string): boolean {
    return this.#clients.has(label)
  }

  /** @throws {BusError} as `JoinedBus.connect` */
  connect(label: string, options: ConnectionOptions): Promise<Client> {
    const connecting = this.#connect(label, options, () => {
      if (this.#clients.get(label) === connecting) this.#clients.delete(label)
    })
    this.#clients.set(label, connecting)
    return connecting
  }

  /** Returns false if no connection has this label. */
  async close(label: string): Promise<boolean> {
    const client = this.#clients.get(label)
    await (await client)?.close()
    return client !== undefined
  }

  /** Closes the established connections. Those that are still connecting end with the host. */
  async closeAll(): Promise<void> {
    const close = async (connecting: Promise<Client>): Promise<void> =>
      (await Promise.race([connecting, Promise.resolve(undefined)]))?.close()
    await Promise.allSettled([...this.#clients.values()].map(close))
  }

  async #connect(label: string, options: ConnectionOptions, remove: () => void): Promise<Client> {
    const { host, dialer, discovery, codec, isConnected } = this.#deps
    let client: Client | undefined
    const connection: LoadBalancedConnection = new LoadBalancedConnection(label, {
      maxSessions: MAX_SESSIONS,
      isConnected,
      dial: (instance, signal) => dialer.dial({ label, codec, instance, signal }),
      async addSession(name) {
        dialer.sources.set(name, signal => connection.nextSession(name, signal))
        try {
          const pooled = await host.connect(label, options, { name, client })
          client = pooled.client
          void pooled.closed.then(() => {
            dialer.sources.delete(name)
            // The instance, or another in its place, can be there soon.
            discovery.query()
          })
          return pooled
        } catch (error) {
          dialer.sources.delete(name)
          throw error
        }
      },
      ended: error => client && endClient(client, error as BusError | undefined),
    })
    try {
      await connection.start()
    } catch (error) {
      remove()
      throw error
    }
    const unwatch = discovery.watch(instance => void connection.instanceFound(instance))
    void client!.closed.then(() => {
      unwatch()
      connection.close()
      remove()
    })
    return client!
  }
}

export interface LoadBalancedConnectionDeps {
  maxSessions: number
  /** Returns false while no instance can answer. */
  isConnected(): boolean
  /** Opens a session with this instance, or with any if undefined. */
  dial(instance: string | undefined, signal: AbortSignal): Promise<OpenedSession>
  /** Adds a pooled session, which calls `nextSession` for each of its sessions. */
  addSession(name: string): Promise<Pick<PooledSession, 'closed'>>
  /** No pooled session is left. */
  ended(error: Error | undefined): void
}

/** A pooled session: one session at a time, with one instance. */
interface PoolMember {
  /** Undefined if it goes to any instance. */
  instance: string | undefined
  /** Its first session, if that was opened before the member was added. */
  firstSession: OpenedSession | undefined
}

export class LoadBalancedConnection {
  readonly #deps: LoadBalancedConnectionDeps
  readonly #label: string
  readonly #pool = new Map<string, PoolMember>()
  /** Instances to which a first session is being opened. */
  readonly #dialing = new Set<string>()
  readonly #closing = new AbortController()
  #count = 0

  constructor(label: string, deps: LoadBalancedConnectionDeps) {
    this.#label = label
    this.#deps = deps
  }

  /** Adds the first pooled session, to any instance. @throws {BusError} if no instance accepts it */
  async start(): Promise<void> {
    await this.#add(this.#label, { instance: undefined, firstSession: undefined })
  }

  /** Adds a pooled session with an instance that discovery has found, once the instance has proved itself. */
  async instanceFound(instance: string): Promise<void> {
    if (!this.#isWanted(instance)) return
    this.#dialing.add(instance)
    try {
      const firstSession = await this.#deps.dial(instance, this.#closing.signal)
      // Meanwhile the last pooled session can have been dialed to any instance. A second session with one instance ends the first.
      if (this.#isCovered(instance)) return firstSession.link.close()
      await this.#add(`${this.#label} ${++this.#count}`, { instance, firstSession })
    } catch {
      // It is dialed again when discovery finds it again.
    } finally {
      this.#dialing.delete(instance)
    }
  }

  /** Opens the next session of a pooled session. Throws `Cancelled` to remove it: its instance is gone, and others are left. */
  async nextSession(name: string, signal: AbortSignal): Promise<OpenedSession> {
    const member = this.#pool.get(name)
    if (!member) throw removed()
    const { firstSession } = member
    member.firstSession = undefined
    if (firstSession) return firstSession
    if (this.#pool.size === 1) member.instance = undefined
    try {
      const session = await this.#deps.dial(member.instance, signal)
      member.instance = session.instance
      return session
    } catch (error) {
      const isGone = member.instance !== undefined && isBusError(error, 'Disconnected') && this.#deps.isConnected()
      if (!isGone || this.#pool.size === 1) throw error
      this.#pool.delete(name)
      throw removed()
    }
  }

  close(): void {
    this.#closing.abort()
  }

  #isWanted(instance: string): boolean {
    if (this.#closing.signal.aborted || this.#dialing.has(instance) || this.#isCovered(instance)) return false
    return this.#pool.size + this.#dialing.size < this.#deps.maxSessions
  }

  /** True if the pool has, or might get, a session with this instance, or is empty: no session is added before the first one. */
  #isCovered(instance: string): boolean {
    if (this.#pool.size === 0) return true
    return [...this.#pool.values()].some(member => member.instance === undefined || member.instance === instance)
  }

  async #add(name: string, member: PoolMember): Promise<void> {
    this.#pool.set(name, member)
    try {
      const { closed } = await this.#deps.addSession(name)
      void closed.then(error => this.#remove(name, error))
    } catch (error) {
      member.firstSession?.link.close()
      this.#remove(name, error as Error)
      throw error
    }
  }

  #remove(name: string, error: Error | undefined): void {
    this.#pool.delete(name)
    if (this.#pool.size === 0 && !this.#closing.signal.aborted) this.#deps.ended(error)
  }
}

const removed = (): BusError =>
  new BusError('Cancelled', 'The instance of this session is gone. Its calls go to other instances')
