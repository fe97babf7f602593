// A client's connections to several cores of one bus. A call takes the connection with the fewest calls in flight, round-robin
// among equals. Listeners and events use the primary connection; when that closes, another takes its place.
import { type BusError, isBusError } from '@sallyport/protocol/internal/errors'
import { waitForCalls } from '@sallyport/protocol/internal/rpc'
import type { Link } from '@sallyport/protocol/internal/wire'
import { findChannels } from './arguments.js'
import type { Calls, Connection, OutgoingCall, SentCall } from './connection.js'

/** A connection whose core has disconnected a call gets no calls for this time: a core that closes still ends its calls. */
const REST_MS = 2000

export class ConnectionPool implements Calls {
  #connections: readonly Connection[]
  #primary: Connection
  readonly #connect: (link: Link) => Connection
  readonly #onPrimaryChange: (primary: Connection) => void
  readonly #restsUntil = new WeakMap<Connection, number>()
  #nextIndex = 0

  constructor(
    primary: Connection,
    connect: (link: Link) => Connection,
    onPrimaryChange: (primary: Connection) => void,
  ) {
    this.#primary = primary
    this.#connect = connect
    this.#connections = [primary]
    this.#onPrimaryChange = onPrimaryChange
    this.#watch(primary)
  }

  /** Adds a link to another core of the same bus. */
  add(link: Link): void {
    const connection = this.#connect(link)
    this.#connections = [...this.#connections, connection]
    this.#watch(connection)
    this.#replacePrimary()
  }

  /** Returns the connection for a call; `undefined` if none is left. Calls with an open channel go to that channel's core. */
  pick(args: unknown): Connection | undefined {
    const channels = findChannels(args)
    if (channels.length > 0) {
      const holder = this.#connections.find(other => other.findUnopened(channels).length < channels.length)
      if (holder) return holder
    }
    const isOpen = (connection: Connection): boolean => !connection.isClosed
    const isResting = (connection: Connection): boolean => performance.now() < (this.#restsUntil.get(connection) ?? 0)
    return this.#findIdlest(connection => isOpen(connection) && !isResting(connection)) ?? this.#findIdlest(isOpen)
  }

  /** Makes a call over one of the connections, which rests if it disconnects the call. @throws {BusError} as `Connection.call` */
  call(call: OutgoingCall): SentCall {
    const connection = this.pick(call.args) ?? this.#primary
    const reject = (error: BusError): void => {
      if (isBusError(error, 'Disconnected')) this.#restsUntil.set(connection, performance.now() + REST_MS)
      call.reject(error)
    }
    return { connection, id: connection.call({ ...call, reject }) }
  }

  /** True for the link over which the client's listeners are registered. */
  isPrimary(link: Link): boolean {
    return this.#primary.link === link
  }

  endConnection(link: Link, reason: BusError | undefined): void {
    this.#connections.find(connection => connection.link === link)?.end(reason)
  }

  refuse(createError: () => BusError): void {
    for (const connection of new Set([this.#primary, ...this.#connections])) connection.refuse(createError)
  }

  end(reason: BusError | undefined): void {
    for (const connection of new Set([this.#primary, ...this.#connections])) connection.end(reason)
  }

  /** Resolves once the calls that wait for a response now have been settled. */
  async callsSettled(): Promise<void> {
    await Promise.all(this.#connections.map(({ pending }) => waitForCalls(pending)))
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.map(connection => connection.close()))
  }

  #findIdlest(isEligible: (connection: Connection) => boolean): Connection | undefined {
    const first = this.#nextIndex++
    let idlest: Connection | undefined
    for (let offset = 0; offset < this.#connections.length; offset++) {
      const connection = this.#connections[(first + offset) % this.#connections.length]!
      if (!isEligible(connection)) continue
      if (!idlest || connection.pending.size < idlest.pending.size) idlest = connection
    }
    return idlest
  }

  #watch(connection: Connection): void {
    void connection.closed.then(() => {
      this.#connections = this.#connections.filter(other => other !== connection)
      this.#replacePrimary()
    })
  }

  #replacePrimary(): void {
    const next = this.#primary.isClosed ? this.pick(undefined) : undefined
    if (!next) return
    this.#primary = next
    this.#onPrimaryChange(next)
  }
}
