// The one connection of a process to NATS, which reconnects forever. Nothing is kept while it is down: sessions end with the
// connection and are opened again. Its errors name servers, and never repeat credentials.
import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import type { Msg, NatsConnection, NodeConnectionOptions, Subscription, TlsOptions } from '@nats-io/transport-node'
import { connect, credsAuthenticator, nkeyAuthenticator } from '@nats-io/transport-node'
import { within } from '@sallyport/protocol/internal/contract'
import { BusError, describeThrown } from '@sallyport/protocol/internal/errors'
import { decodeText, toPlainText } from '@sallyport/protocol/internal/util'
import { type NatsConnectionOptions, getServers } from './options.js'
import { toConnectError, toServerError } from './errors.js'

const CONNECT_TIMEOUT_MS = 10_000
const CLOSE_TIMEOUT_MS = 1000
/** Unanswered pings after which the server counts as lost. */
const MAX_PINGS_OUT = 2
const RECONNECT_DELAY_MS = 250

export interface ConnectionEvents {
  /** The connection is lost, with all messages in flight. */
  disconnected(error: BusError): void
  reconnected(): void
  /** The server refused an operation, or processing a message failed. The connection can go on. */
  fault(error: BusError): void
}

/** Connects to NATS. @throws {BusError} Disconnected if no server answers, Denied if it refuses, InvalidParams for unusable credentials */
export async function connectNats(
  where: string,
  options: NatsConnectionOptions,
  heartbeat: number,
  events: ConnectionEvents,
): Promise<ProcessConnection> {
  const clientOptions = await toClientOptions(where, options)
  try {
    const nats = await connect({
      ...clientOptions,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_DELAY_MS,
      reconnectJitter: RECONNECT_DELAY_MS,
      reconnectJitterTLS: RECONNECT_DELAY_MS,
      // A server that refuses the credentials might not have its new configuration yet.
      ignoreAuthErrorAbort: true,
      pingInterval: heartbeat,
      maxPingOut: MAX_PINGS_OUT,
      timeout: CONNECT_TIMEOUT_MS,
    })
    return new ProcessConnection(nats, events)
  } catch (error) {
    throw toConnectError(where, options, error)
  }
}

export class ProcessConnection {
  readonly #nats: NatsConnection
  readonly #events: ConnectionEvents
  #isUp = true
  #closing: Promise<void> | undefined
  /** Latest error that the server reported, which is the cause if it ends the connection then. */
  #lastError: BusError | undefined
  #refusedSubscription: BusError | undefined

  constructor(nats: NatsConnection, events: ConnectionEvents) {
    this.#nats = nats
    this.#events = events
    void this.#watch()
    void nats.closed().then(error => this.#onDown(error ? toPlainText(describeThrown(error)) : 'it was closed'))
  }

  get maxPayload(): number {
    return this.#nats.info?.max_payload ?? 2 ** 20
  }

  get isConnected(): boolean {
    return this.#isUp && !this.#closing
  }

  /** Host and port of the current server. */
  get server(): string {
    return this.#nats.getServer()
  }

  /** Publishes a message, or drops it while the connection is down. Throws `Overloaded` if it is too large, `Disconnected` after `close`. */
  publish(subject: string, payload: Uint8Array, reply?: string): void {
    if (this.#closing || this.#nats.isClosed()) throw new BusError('Disconnected', 'The connection to NATS is closed')
    if (!this.#isUp) return
    if (payload.byteLength > this.maxPayload) {
      const limit = `the server's limit of ${this.maxPayload} bytes`
      throw new BusError('Overloaded', `A message of ${payload.byteLength} bytes exceeds ${limit}`)
    }
    this.#nats.publish(subject, payload, reply === undefined ? undefined : { reply })
  }

  /** Subscribes, also on every later server after a reconnect. */
  subscribe(subject: string, listener: (message: Msg) => void, queue?: string): Subscription {
    const callback = (error: Error | null, message: Msg): void => {
      if (error) return void (this.#refusedSubscription ??= toServerError(error))
      try {
        listener(message)
      } catch (cause) {
        // The client would stop reading, silently, if the callback threw.
        const text = `Processing a message to ${message.subject} failed: ${describeThrown(cause)}`
        this.#events.fault(new BusError('InternalError', text, { cause }))
      }
    }
    return this.#nats.subscribe(subject, queue === undefined ? { callback } : { callback, queue })
  }

  /** Resolves once the server has received everything. Rejects with `Denied` if it refused a subscription, or with `Disconnected`. */
  async flush(): Promise<void> {
    try {
      await this.#nats.flush()
    } catch (cause) {
      throw new BusError('Disconnected', 'The connection to NATS was lost', { cause })
    }
    const refused = this.#refusedSubscription
    this.#refusedSubscription = undefined
    if (refused) throw refused
  }

  /** Flushes for up to a second, and closes. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    // A flush without a server would wait for the next one.
    if (this.#isUp) {
      const flushed = this.#nats.flush().catch(() => {})
      await within(CLOSE_TIMEOUT_MS, Promise.race([flushed, this.#nats.closed()]))
    }
    // Set first: `disconnected` is not emitted for a close by the owner.
    this.#isUp = false
    await this.#nats.close()
  }

  async #watch(): Promise<void> {
    for await (const status of this.#nats.status()) {
      if (status.type === 'reconnect') {
        this.#isUp = true
        this.#lastError = undefined
        this.#events.reconnected()
      } else if (status.type === 'disconnect') {
        this.#onDown(this.#lastError?.message ?? 'the server closed the connection')
      } else if (status.type === 'staleConnection') {
        this.#lastError = new BusError('Disconnected', 'the server did not answer pings')
        destroySocket(this.#nats)
      } else if (status.type === 'error') {
        const error = toServerError(status.error)
        // After a refused operation the connection goes on.
        if (error.reason !== 'Denied') this.#lastError = error
        this.#events.fault(error)
      }
    }
  }

  #onDown(cause: string): void {
    if (!this.#isUp) return
    this.#isUp = false
    this.#events.disconnected(
      new BusError('Disconnected', `The connection to NATS at ${this.server} was lost: ${cause}`),
    )
  }
}

/**
 * Destroys the socket of a server that no longer answers. The client waits until the socket has written everything before it connects
 * to another server, which never happens if the send buffer is full.
 */
function destroySocket(nats: NatsConnection): void {
  const { protocol } = nats as unknown as { protocol?: { transport?: { socket?: Socket } } }
  protocol?.transport?.socket?.destroy()
}

/** @throws {BusError} InvalidParams if the credentials file or the seed cannot be used */
async function toClientOptions(where: string, options: NatsConnectionOptions): Promise<NodeConnectionOptions> {
  const { user, pass, token, name } = options
  const servers = getServers(options)
  // The client ignores the scheme `tls://`.
  const tls = options.tls ?? (servers.some(server => server.startsWith('tls://')) ? {} : undefined)
  const authenticator = await getAuthenticator(where, options)
  return {
    servers,
    // An instance handles its own events itself.
    noEcho: true,
    ...(user !== undefined && { user, pass: pass ?? '' }),
    ...(token !== undefined && { token }),
    ...(name !== undefined && { name }),
    ...(tls && { tls: tls as TlsOptions }),
    ...(authenticator && { authenticator }),
  }
}

async function getAuthenticator(where: string, { credsFile, nkeySeed }: NatsConnectionOptions) {
  if (credsFile === undefined && nkeySeed === undefined) return undefined
  try {
    const authenticator =
      credsFile === undefined
        ? nkeyAuthenticator(Buffer.from(nkeySeed!))
        : // The client knows no other ends of lines.
          credsAuthenticator(Buffer.from(decodeText(await readFile(credsFile)).replaceAll('\r\n', '\n')))
    // Tried here, because the client would report invalid credentials as a lost connection.
    authenticator('nonce')
    return authenticator
  } catch (error) {
    const problem =
      credsFile === undefined ? 'nats.nkeySeed is not a valid seed' : `cannot use nats.credsFile ${credsFile}`
    // The client's error texts do not contain the seed.
    throw new BusError('InvalidParams', `${where}: ${problem}: ${describeThrown(error)}`)
  }
}

/** Status of a message that the server sends to the reply subject if nobody listens to the subject. */
const NO_RESPONDERS = 503

/** True for "no responders". A message is only a hint: anybody who knows the reply subject can publish it. */
export const hasNoResponders = ({ data, headers }: Msg): boolean =>
  data.byteLength === 0 && headers?.code === NO_RESPONDERS
