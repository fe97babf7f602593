// A connection that is not sticky: a lane to each instance, over which its calls are spread. Instances come and go, and one lane
// is left always: where all are gone it waits for whichever instance comes first.
import type { ConnectionOptions } from '@sallyport/core'
import type { RemoteHost } from '@sallyport/core/network'
import { type Client, endClient } from '@sallyport/frontend/client'
import { BusError, isBusError } from '@sallyport/protocol'
import type { Discovery } from './discovery.js'
import type { NatsSessionDialer, OpenedSession } from './session-dialer.js'

/** A session, with the instance that has opened it. */
export interface BalancedSession {
  readonly instance: string
  readonly link: { close(): void }
}

export interface LoadBalancedConnectionDeps<S extends BalancedSession> {
  /** Lanes at most. */
  max: number
  /** False while there is nobody that could answer. */
  isUp(): boolean
  /** Opens a session, with this instance or with any. */
  open(instance: string | undefined, signal: AbortSignal): Promise<S>
  /** Adds a lane, which asks `session` of this spread for each of its sessions. Gives what resolves when it is gone for good. */
  add(name: string): Promise<{ readonly closed: Promise<Error | undefined> }>
  /** There is no lane any more. */
  end(error: Error | undefined): void
}

interface BalancedLink<S> {
  /** `undefined` where any will do. */
  instance: string | undefined
  /** Its first, which was there before it. */
  ready: S | undefined
}

/** Milliseconds for which an instance that has refused is not asked again. */
const REFUSED_MS = 30_000
const MAX_REFUSED = 1000

export class LoadBalancedConnection<S extends BalancedSession> {
  readonly #parts: LoadBalancedConnectionDeps<S>
  readonly #label: string
  readonly #lanes = new Map<string, BalancedLink<S>>()
  /** Instances that are asked for a first session. */
  readonly #asked = new Set<string>()
  /** Until when. */
  readonly #refused = new Map<string, number>()
  readonly #closing = new AbortController()
  #count = 0

  constructor(label: string, parts: LoadBalancedConnectionDeps<S>) {
    this.#label = label
    this.#parts = parts
  }

  /** Its first lane, to any instance. @throws BusError where there is none */
  async begin(): Promise<void> {
    await this.#add(this.#label, { instance: undefined, ready: undefined })
  }

  /** An instance is said to be there: it has a lane once it has proved that it is one. */
  async found(instance: string): Promise<void> {
    if (!this.#wants(instance)) return
    this.#asked.add(instance)
    try {
      const ready = await this.#parts.open(instance, this.#closing.signal)
      // Meanwhile the last lane may have come to be on its way there: of two sessions the later would end the other.
      if (this.#hasLane(instance)) return ready.link.close()
      await this.#add(`${this.#label} ${++this.#count}`, { instance, ready })
    } catch (error) {
      if (!isBusError(error, 'Disconnected')) this.#avoid(instance)
    } finally {
      this.#asked.delete(instance)
    }
  }

  /**
   * The next session of the lane of this name.
   *
   * @throws BusError what `open` does; `Cancelled` where the lane is given up, as its instance is gone and there are others
   */
  async session(name: string, signal: AbortSignal): Promise<S> {
    const lane = this.#lanes.get(name)
    if (!lane) throw givenUp()
    const { ready } = lane
    lane.ready = undefined
    if (ready) return ready
    if (this.#lanes.size === 1) lane.instance = undefined
    try {
      const session = await this.#parts.open(lane.instance, signal)
      lane.instance = session.instance
      return session
    } catch (error) {
      const isGone = lane.instance !== undefined && isBusError(error, 'Disconnected') && this.#parts.isUp()
      if (!isGone || this.#lanes.size === 1) throw error
      this.#lanes.delete(name)
      throw givenUp()
    }
  }

  close(): void {
    this.#closing.abort()
  }

  #wants(instance: string): boolean {
    if (this.#closing.signal.aborted || this.#asked.has(instance) || this.#hasLane(instance)) return false
    if (this.#lanes.size + this.#asked.size >= this.#parts.max) return false
    const until = this.#refused.get(instance)
    return until === undefined || performance.now() >= until
  }

  /** One that goes to any may be on its way to this one. Before the first there is none beside. */
  #hasLane(instance: string): boolean {
    if (this.#lanes.size === 0) return true
    return [...this.#lanes.values()].some(lane => lane.instance === undefined || lane.instance === instance)
  }

  async #add(name: string, lane: BalancedLink<S>): Promise<void> {
    this.#lanes.set(name, lane)
    try {
      const { closed } = await this.#parts.add(name)
      void closed.then(error => this.#left(name, error))
    } catch (error) {
      lane.ready?.link.close()
      this.#left(name, error as Error)
      throw error
    }
  }

  #avoid(instance: string): void {
    if (this.#refused.size === MAX_REFUSED) this.#refused.clear()
    this.#refused.set(instance, performance.now() + REFUSED_MS)
  }

  #left(name: string, error: Error | undefined): void {
    this.#lanes.delete(name)
    if (this.#lanes.size === 0 && !this.#closing.signal.aborted) this.#parts.end(error)
  }
}

const givenUp = (): BusError => new BusError('Cancelled', 'The instance of this lane is gone: its calls go to others')

// The connections of a joined process that are spread over all instances: each has its lanes, and one look-out finds instances
// for all of them.

export interface LoadBalancerDeps {
  satellite: RemoteHost
  far: NatsSessionDialer
  discovery: Discovery
  isUp(): boolean
}

/** Of one connection: more are for a bus that is sharded. */
const MAX_SESSIONS = 16

export class LoadBalancer {
  readonly #parts: LoadBalancerDeps
  readonly #clients = new Map<string, Promise<Client>>()

  constructor(parts: LoadBalancerDeps) {
    this.#parts = parts
  }

  has(label: string): boolean {
    return this.#clients.has(label)
  }

  /** @throws BusError as `Satellite.connect` */
  connect(label: string, options: ConnectionOptions): Promise<Client> {
    const connecting = this.#connect(label, options, () => {
      if (this.#clients.get(label) === connecting) this.#clients.delete(label)
    })
    this.#clients.set(label, connecting)
    return connecting
  }

  /** False where there is none. */
  async close(label: string): Promise<boolean> {
    const client = this.#clients.get(label)
    await (await client)?.close()
    return client !== undefined
  }

  /** Closes those that are there. What is still on its way ends with the satellite. */
  async closeAll(): Promise<void> {
    const there = async (connecting: Promise<Client>): Promise<void> =>
      (await Promise.race([connecting, Promise.resolve(undefined)]))?.close()
    await Promise.allSettled([...this.#clients.values()].map(there))
  }

  async #connect(label: string, options: ConnectionOptions, gone: () => void): Promise<Client> {
    const { satellite, far, discovery, isUp } = this.#parts
    let client: Client | undefined
    const spread: LoadBalancedConnection<OpenedSession> = new LoadBalancedConnection(label, {
      max: MAX_SESSIONS,
      isUp,
      open: (instance, signal) => far.ask({ label, codec: options.codec ?? 'json', instance, signal }),
      async add(name) {
        const forget = far.spread(name, spread)
        try {
          const lane = await satellite.addSession({ label, name, client, options })
          client = lane.client
          void lane.closed.then(() => {
            forget()
            // Its instance may be there again soon, or another in its place.
            discovery.ask()
          })
          return lane
        } catch (error) {
          forget()
          throw error
        }
      },
      end: error => client && endClient(client, error as BusError | undefined),
    })
    try {
      await spread.begin()
    } catch (error) {
      gone()
      throw error
    }
    const unwatch = discovery.watch(instance => void spread.found(instance))
    void client!.closed.then(() => {
      unwatch()
      spread.close()
      gone()
    })
    return client!
  }
}
