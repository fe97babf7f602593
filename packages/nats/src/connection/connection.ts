// A connection to NATS that comes back by itself, as core and joined processes share it: it says when it is down and up again,
// and its errors name servers, never what opens them. While it is down nothing is kept for later: sessions are made anew.
import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type Authenticator,
  connect,
  credsAuthenticator,
  type Msg,
  type NatsConnection,
  nkeyAuthenticator,
  type NodeConnectionOptions,
  type Status,
  type Subscription,
  type TlsOptions,
} from '@nats-io/transport-node'
import { BusError, describeThrown, getBackoff } from '@sallyport/protocol'
import { type NatsOptions, getServers } from './options.js'
import { getRefusal, toConnectError } from './errors.js'

// How the NATS client is told to connect: plain data becomes its authenticators, and it never gives up.

/** Milliseconds until the first attempt that has failed is made again, and at most. */
const FIRST_DELAY = 100
const LONGEST_DELAY = 2000

/** @throws BusError `InvalidParams` where the file of credentials or the seed can't be used */
async function toClientOptions(where: string, options: NatsOptions): Promise<NodeConnectionOptions> {
  const { user, pass, token, name, tls } = options
  // The client itself takes no notice of `tls://`.
  const wantsTls = tls ?? (getServers(options).some(server => server.startsWith('tls://')) ? {} : undefined)
  const authenticator = await getAuthenticator(where, options)
  return {
    servers: getServers(options),
    // What is published is for others.
    noEcho: true,
    ...(user !== undefined && { user, pass: pass ?? '' }),
    ...(token !== undefined && { token }),
    ...(name !== undefined && { name }),
    ...(wantsTls && { tls: wantsTls as TlsOptions }),
    ...(authenticator && { authenticator }),
  }
}

async function getAuthenticator(
  where: string,
  { credsFile, nkeySeed }: NatsOptions,
): Promise<Authenticator | undefined> {
  let authenticator: Authenticator
  try {
    if (credsFile !== undefined) authenticator = credsAuthenticator(await readFile(credsFile))
    else if (nkeySeed !== undefined) authenticator = nkeyAuthenticator(Buffer.from(nkeySeed))
    else return undefined
    // Within the client a mistake would show as a connection that was lost.
    authenticator('nonce')
    return authenticator
  } catch (error) {
    const what = credsFile === undefined ? 'nats.nkeySeed is no seed' : `nats.credsFile ${credsFile} can't be used`
    // A seed is never in such a text.
    throw new BusError('InvalidParams', `${where}: ${what}: ${describeThrown(error)}`)
  }
}

export interface Delays {
  options: NodeConnectionOptions
  /** An attempt is made. */
  tried(): void
  reset(): void
}

/** Attempts without end, with growing delays, and not all clients at once. */
function reconnectDelays(): Delays {
  let attempts = 0
  let delay = FIRST_DELAY
  return {
    options: {
      maxReconnectAttempts: -1,
      // A server that refuses may have an old configuration.
      ignoreAuthErrorAbort: true,
      // Asked more than once for each attempt.
      reconnectDelayHandler: () => delay,
    },
    tried() {
      attempts++
      const limits = { min: FIRST_DELAY, max: LONGEST_DELAY, factor: 1.5 }
      delay = Math.round(getBackoff(attempts, { ...limits, random: Math.random() }))
    },
    reset() {
      attempts = 0
      delay = FIRST_DELAY
    },
  }
}

// A server that stands still, under load. The client gives one up only once the socket has taken what is left to write: with a
// full buffer that is never, and the client would wait for it, in place of connecting to another.

interface Internals {
  protocol?: { transport?: { socket?: Socket } }
}

/** Ends the socket of a client that has given its server up: what waits in it is lost. */
const destroySocket = (nats: NatsConnection): void =>
  void (nats as unknown as Internals).protocol?.transport?.socket?.destroy()

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
export const isNoResponders = ({ data, headers }: Msg): boolean =>
  data.byteLength === 0 && headers?.code === NO_RESPONDERS

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
  return new ReconnectingConnection(nats, events, delays)
}

class ReconnectingConnection implements Connection {
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
      if (error) this.#refused ??= getRefusal(error)
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
      destroySocket(this.#nats)
    } else if (status.type === 'error') {
      this.#lastError = getRefusal(status.error)
      this.#events.fault(this.#lastError)
    }
  }

  #down(why: string): void {
    if (!this.#isUp) return
    this.#isUp = false
    this.#events.down(new BusError('Disconnected', `The connection to NATS at ${this.server} was lost: ${why}`))
  }
}
