// A server over Streamable HTTP, as a transport of the SDK. Each request of the bus has a response of its own, which ends with its answer, its
// cancellation, or its loss; the server ends with its session, and when it sends what nobody asked for.
import {
  type JSONRPCMessage,
  parseJSONRPCMessage,
  ProtocolError,
  type RequestId,
  SdkError,
  SdkHttpError,
  StreamableHTTPClientTransport,
  type StreamableHTTPClientTransportOptions,
  UnauthorizedError,
} from '@modelcontextprotocol/client'
import { later, within } from '@sallyport/protocol/internal/contract'
import { createDeferred, type Deferred, onNextTick } from '@sallyport/protocol/internal/util'
import { UnrequestedCount } from './messages.js'
import { type Exchange, exchanges, RemoteFetch, type RemoteFetchOptions } from './remote-fetch.js'
import { RequestLost, type ServerTransport } from './server-transport.js'

export interface RemoteTransportOptions extends RemoteFetchOptions {
  readonly url: URL
  readonly authProvider: StreamableHTTPClientTransportOptions['authProvider']
}

type AuthProvider = NonNullable<StreamableHTTPClientTransportOptions['authProvider']>
type SendOptions = NonNullable<Parameters<StreamableHTTPClientTransport['send']>[1]>

/** Time between two attempts to read a stream of events again, whatever the server wants it to be. */
const RETRY_MS = { min: 100, max: 30_000 }
const RECONNECTION = {
  ...{ initialReconnectionDelay: 1000, maxReconnectionDelay: RETRY_MS.max, reconnectionDelayGrowFactor: 2 },
  // A request that has ended, or the server, ends the attempts.
  maxRetries: Infinity,
}
/** Answers to the server that it has not taken. */
const MAX_UNTAKEN = 100
const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** Time for a server to end its session. */
const GOODBYE_MS = 1000
const SESSION_ENDED = 'its session has ended'
const FAILED = 'its answer was invalid, or the host could not authorize itself'
const UNAUTHORIZED = 'it does not accept the authorization of the host'

const LOOPBACK = /^(?:localhost|127\.[\d.]+|\[::1\])$/

/** The server names the address at which a person signs in, and a provider opens it with what the system has for its scheme. */
export function withSafeSignIn(provider: AuthProvider): AuthProvider {
  // Of a frozen object, a proxy must return the very members.
  return new Proxy(Object.create(provider) as AuthProvider, {
    get(_, key) {
      const value: unknown = Reflect.get(provider, key, provider)
      if (typeof value !== 'function') return value
      if (key !== 'redirectToAuthorization') return value.bind(provider)
      return (url: URL) => {
        const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname))
        if (!isSafe) throw new RequestLost(`it wants a person to sign in at an address of ${url.protocol}`)
        return value.call(provider, url) as unknown
      }
    },
  })
}

export class RemoteTransport implements ServerTransport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: JSONRPCMessage) => void
  readonly hasPerRequestStream = true
  readonly ended: Promise<string>
  isClosed = false
  hasReason = false
  readonly #http: StreamableHTTPClientTransport
  readonly #setEnded: (reason: string) => void
  readonly #open = new Map<RequestId, Exchange & Pick<Deferred<void>, 'resolve'>>()
  readonly #unrequested = new UnrequestedCount()
  #untaken = 0
  #closing: Promise<void> | undefined
  #denied: Parameters<RemoteFetchOptions['onDenied']>[0] | undefined

  constructor({ url, authProvider, ...options }: RemoteTransportOptions) {
    const { promise, resolve } = createDeferred<string>()
    this.ended = promise
    this.#setEnded = resolve
    const onDenied: RemoteFetchOptions['onDenied'] = denied => {
      this.#denied = denied
      options.onDenied(denied)
    }
    const { fetch } = new RemoteFetch(
      { ...options, onDenied },
      {
        admit: (message, length) => this.#isAnswer(message) || this.#unrequested.add(length),
        fail: error => void this.close(error.message),
      },
    )
    this.#http = new StreamableHTTPClientTransport(url, {
      ...(authProvider && { authProvider: withSafeSignIn(authProvider) }),
      fetch: async (input, init) => {
        const response = await fetch(input, init)
        const hasSession = new Headers(init?.headers).has('mcp-session-id')
        if (response.status === 404 && hasSession && String(input) === url.href) this.#onSessionEnd()
        return response
      },
      reconnectionOptions: RECONNECTION,
      reconnectionScheduler: (reconnect, delay) =>
        later(Math.min(Math.max(delay, RETRY_MS.min), RETRY_MS.max), reconnect),
    })
    this.#http.onerror = error => this.onerror?.(error)
    this.#http.onmessage = message => this.#receive(message)
  }

  get sessionId(): string | undefined {
    return this.#http.sessionId
  }

  setProtocolVersion(version: string): void {
    this.#http.setProtocolVersion(version)
  }

  start(): Promise<void> {
    return this.#http.start()
  }

  /** Resolves once a request is answered. @throws {RequestLost} and errors of the SDK if it is not */
  async send(message: JSONRPCMessage, options: SendOptions = {}): Promise<void> {
    if (this.isClosed) throw new RequestLost(await this.ended)
    if ('method' in message) {
      if ('id' in message) return this.#request(message.id, message, options)
      const cancelled = message.method === 'notifications/cancelled' && message.params?.['requestId']
      this.#open.get(cancelled as RequestId)?.fail(new RequestLost('it was cancelled'))
      return this.#http.send(message, options)
    }
    // The SDK answers each ping, and does not wait for its answers.
    if (this.#untaken >= MAX_UNTAKEN) return this.close('it does not take what it is sent')
    this.#untaken++
    await this.#http.send(message, options).finally(() => this.#untaken--)
  }

  async #request(id: RequestId, message: JSONRPCMessage, options: SendOptions): Promise<void> {
    const { promise, resolve, reject } = createDeferred()
    const abort = new AbortController()
    const fail = (error: RequestLost): void => {
      reject(error)
      abort.abort(error)
    }
    const cancel = (): void => fail(new RequestLost('it was cancelled'))
    options.requestSignal?.addEventListener('abort', cancel)
    const exchange = { fail, resolve, hasEvents: false }
    this.#open.set(id, exchange)
    const onRequestStreamEnd = (): void => {
      options.onRequestStreamEnd?.()
      reject(new RequestLost('its answer ended too early'))
    }
    const send = async (): Promise<void> => {
      await this.#http.send(message, { ...options, requestSignal: abort.signal, onRequestStreamEnd })
      if (!exchange.hasEvents) reject(new RequestLost('its response had no answer'))
      return promise
    }
    try {
      await Promise.race([exchanges.run(exchange, send), promise])
    } finally {
      options.requestSignal?.removeEventListener('abort', cancel)
      this.#open.delete(id)
      // A server can leave its stream open after the answer.
      abort.abort()
    }
  }

  close(reason?: string): Promise<void> {
    return (this.#closing ??= this.#close(reason))
  }

  async #close(reason?: string): Promise<void> {
    this.isClosed = true
    this.hasReason = reason !== undefined
    if (reason === undefined && this.#http.sessionId !== undefined)
      await within(GOODBYE_MS, this.#http.terminateSession()).catch(() => {})
    this.#setEnded(reason ?? 'it was closed')
    await this.#http.close()
    this.onclose?.()
  }

  describeStart(): { hint: string; written: string } {
    const { host, hint } = this.#denied ?? {}
    return { hint: host === undefined ? '' : `. It needs ${host}: ${hint}`, written: '' }
  }

  explain(error: Error): RequestLost | undefined {
    const known = findCause(error, RequestLost)
    if (known) return known
    if (findCause(error, UnauthorizedError)) return new RequestLost(UNAUTHORIZED, { cause: error })
    const { status } = findCause(error, SdkHttpError) ?? {}
    if (status !== undefined) {
      const text = REDIRECTS.has(status) ? 'it redirects to another address' : `it answered with status ${status}`
      return new RequestLost(text, { cause: error })
    }
    const isOfSdk = error instanceof SdkError && error.cause === undefined
    if (isOfSdk || error instanceof ProtocolError) return undefined
    // It can be an error of the provider, or quote a token that is no header. The SDK copies its text.
    return new RequestLost(FAILED, { cause: error })
  }

  #isAnswer(message: unknown): boolean {
    const { id, method }: { id?: unknown; method?: unknown } = Object(message)
    const exchange = method === undefined ? this.#getExchange(id) : undefined
    if (!exchange) return false
    try {
      parseJSONRPCMessage(message)
    } catch {
      // The SDK would drop it, and the caller would wait for another one.
      exchange.fail(new RequestLost('its answer is no response of JSON-RPC'))
    }
    return true
  }

  /** The SDK takes "1" for 1. */
  #getExchange(id: unknown): (Exchange & Pick<Deferred<void>, 'resolve'>) | undefined {
    return isId(id) ? (this.#open.get(id) ?? this.#open.get(Number(id))) : undefined
  }

  #receive(message: JSONRPCMessage): void {
    this.onmessage?.(message)
    if (!('method' in message)) this.#getExchange(message.id)?.resolve()
  }

  #onSessionEnd(): void {
    // The caller learns first why.
    exchanges.getStore()?.fail(new RequestLost(SESSION_ENDED))
    onNextTick(() => void this.close(SESSION_ENDED))
  }
}

const isId = (id: unknown): id is RequestId => typeof id === 'string' || typeof id === 'number'

/** The SDK wraps errors of its first request. */
function findCause<T extends Error>(error: Error, type: new (...args: never[]) => T): T | undefined {
  for (let each: unknown = error, depth = 0; each instanceof Error && depth < 8; each = each.cause, depth++) {
    if (each instanceof type) return each
  }
  return undefined
}
