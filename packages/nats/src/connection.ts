// A connection to NATS that comes back by itself, as core and joined processes share it: it says when it is down and up again,
// and its errors name servers, never what opens them. While it is down nothing is kept for later: sessions are made anew.
import { connect, type Msg, type NatsConnection, type Status, type Subscription } from '@nats-io/transport-node'
import { BusError, describeThrown } from '@sallyport/protocol'
import { setTimeout as delay } from 'node:timers/promises'
import { reconnectDelays, toClientOptions, type Delays } from './connection/client-options.js'
import { refusalOf, toConnectError } from './connection/errors.js'
import { letGo } from './connection/let-go.js'
import type { NatsOptions } from './nats-options.js'

/** What its owner is told. */
export interface ConnectionEvents {
  /** It is lost, with all that was on its way. */
  down(error: BusError): void
  up(): void
  /** The server refuses something, or drops messages that come too fast: the connection may go on. */
  fault(error: BusError): void
}

export interface Connection {
  /** Of the server that it is connected to. */
  readonly maxPayload: number
  readonly isUp: boolean
  /** The host and port of that server. */
  readonly server: string
  /** Goes nowhere while the connection is down. @throws BusError `Overloaded` for what is over `maxPayload`, `Disconnected` once closed */
  publish(subject: string, payload: Uint8Array, reply?: string): void
  /** It is subscribed anew after each reconnect. */
  subscribe(subject: string, take: (message: Msg) => void, queue?: string): Subscription
  /** Resolves once the server has had all that was sent. @throws BusError `Denied` where it refused a subscription */
  flush(): Promise<void>
  /** Sends what was published, as far as the server takes it within a second, and ends. */
  close(): Promise<void>
}

/** NATS's status for a message with a reply subject that nobody is subscribed to. */
const NO_RESPONDERS = 503

/** Says the server, or who has seen the reply subject go by: anybody may publish such a message. */
export const saysNobody = ({ data, headers }: Msg): boolean => data.byteLength === 0 && headers?.code === NO_RESPONDERS

/** Unanswered pings after which a server is given up. */
const PINGS = 2
/** Milliseconds for a server to let a client in. */
const CONNECT_MS = 10_000
/** Milliseconds for a server to take what was sent, at the end. */
const CLOSE_MS = 1000

/**
 * @param where what is begun: its errors begin with it
 * @param heartbeat milliseconds between pings to the server
 * @throws BusError `Disconnected` where no server answers, `Denied` where one refuses, `InvalidParams` for unusable credentials
 */
export async function connectNats(
  where: string,
  options: NatsOptions,
  heartbeat: number,
  events: ConnectionEvents,
): Promise<Connection> {
  const delays = reconnectDelays()
  const client = await toClientOptions(where, options)
  let nats: NatsConnection
  try {
    nats = await connect({
      ...client,
      ...delays.options,
      pingInterval: heartbeat,
      maxPingOut: PINGS,
      timeout: CONNECT_MS,
    })
  } catch (error) {
    throw toConnectError(where, options, error)
  }
  return new LivingConnection(nats, events, delays)
}

class LivingConnection implements Connection {
  readonly #nats: NatsConnection
  readonly #events: ConnectionEvents
  #isUp = true
  #closing: Promise<void> | undefined
  /** The last that the server complained of: why it ended the connection, where it did. */
  #lastError: BusError | undefined
  #refused: BusError | undefined

  constructor(nats: NatsConnection, events: ConnectionEvents, delays: Delays) {
    this.#nats = nats
    this.#events = events
    void this.#watch(delays)
    void nats.closed().then(error => this.#down(error ? describeThrown(error) : 'it was closed'))
  }

  get maxPayload(): number {
    return this.#nats.info?.max_payload ?? 2 ** 20
  }

  get isUp(): boolean {
    return this.#isUp && !this.#closing
  }

  get server(): string {
    return this.#nats.getServer()
  }

  publish(subject: string, payload: Uint8Array, reply?: string): void {
    if (this.#closing || this.#nats.isClosed()) throw new BusError('Disconnected', 'The connection to NATS is closed')
    if (!this.#isUp) return
    if (payload.byteLength > this.maxPayload) {
      const bound = `${this.maxPayload} bytes, of which the server lets no more through`
      throw new BusError('Overloaded', `A message of ${payload.byteLength} bytes is over ${bound}`)
    }
    this.#nats.publish(subject, payload, reply === undefined ? undefined : { reply })
  }

  subscribe(subject: string, take: (message: Msg) => void, queue?: string): Subscription {
    const callback = (error: Error | null, message: Msg): void => {
      if (error) this.#refused ??= refusalOf(error)
      else this.#take(take, message)
    }
    return this.#nats.subscribe(subject, queue === undefined ? { callback } : { callback, queue })
  }

  async flush(): Promise<void> {
    try {
      await this.#nats.flush()
    } catch (cause) {
      throw new BusError('Disconnected', 'The connection to NATS was lost', { cause })
    }
    const refused = this.#refused
    this.#refused = undefined
    if (refused) throw refused
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  /** An error would end the client's reading, without a word. */
  #take(take: (message: Msg) => void, message: Msg): void {
    try {
      take(message)
    } catch (cause) {
      const what = `A message to ${message.subject} could not be taken: ${describeThrown(cause)}`
      this.#events.fault(new BusError('InternalError', what, { cause }))
    }
  }

  async #close(): Promise<void> {
    // What is down has nobody to flush to.
    if (this.#isUp) {
      const late = new AbortController()
      const flushed = this.#nats.flush().catch(() => {})
      await Promise.race([flushed, this.#nats.closed(), delay(CLOSE_MS, undefined, late).catch(() => {})])
      late.abort()
    }
    // Its owner has ended it: that is nothing to be told of.
    this.#isUp = false
    await this.#nats.close()
  }

  async #watch(delays: Delays): Promise<void> {
    for await (const status of this.#nats.status()) {
      if (status.type === 'reconnect') {
        delays.reset()
        this.#isUp = true
        this.#lastError = undefined
        this.#events.up()
      } else if (status.type === 'reconnecting') delays.tried()
      else this.#hear(status)
    }
  }

  #hear(status: Status): void {
    if (status.type === 'disconnect') return this.#down(this.#lastError?.message ?? 'the server is gone')
    if (status.type === 'staleConnection') {
      this.#lastError = new BusError('Disconnected', 'the server answers no pings')
      letGo(this.#nats)
    } else if (status.type === 'error') {
      this.#lastError = refusalOf(status.error)
      this.#events.fault(this.#lastError)
    }
  }

  #down(why: string): void {
    if (!this.#isUp) return
    this.#isUp = false
    this.#events.down(new BusError('Disconnected', `The connection to NATS at ${this.server} was lost: ${why}`))
  }
}
