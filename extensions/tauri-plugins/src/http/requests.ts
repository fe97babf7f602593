// Requests of a frontend: kept from `fetch` until `fetch_send` has the head of the response.
import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { LookupFunction } from 'node:net'
import { Readable } from 'node:stream'
import type { CommandContext, Resources } from '@sallyport/core'
import { type AddressFilter, PrivateAddressError } from '@sallyport/paths/internal/addresses'
import { deadline } from '@sallyport/paths/internal'
import { addResource, forgetResource } from '../shared/plugin.js'
import { type LabelSlots, type Release, Slots } from '../shared/slots.js'
import { type UrlScope, withoutDot } from './url-scope.js'
import { readDataUrl, ResponseBody } from './bodies.js'
import type { ClientConfig, ClientPolicy, Header, Hop } from './client-config.js'
import { exchange, getNextHop } from './exchange.js'

export interface Network {
  readonly addresses: AddressFilter
  readonly policy: ClientPolicy
  /** As the option `limits` describes them. */
  readonly limits: Readonly<Record<'connections' | 'responseBytes' | 'connectMs' | 'headersMs' | 'idleMs', number>>
  readonly lookups: LabelSlots
}

export interface FetchResponse {
  readonly status: number
  /** The standard reason of the status, `''` if unknown. */
  readonly statusText: string
  readonly headers: readonly Header[]
  readonly url: string
  readonly rid: number
}

/** The reason of all aborted signals, because a `DOMException` for each costs more than the rest of a short request. */
const CANCELED = new Error('Request canceled')

const PRIVATE_REMEDY =
  'Add the host or its network to the option "privateNetworks" of http(), or name the IP address or localhost in a URL pattern without wildcards.'

/** Statuses whose body the guest never reads. */
const WITHOUT_BODY = [101, 103, 204, 205, 304]

export const getRequestBytes = ({ data, url }: ClientConfig): number => (data?.byteLength ?? 0) + url.href.length

export class FrontendRequest {
  readonly #config: ClientConfig
  readonly #scope: UrlScope
  readonly #network: Network
  readonly #requests: FrontendRequests
  readonly #log: CommandContext['log']
  readonly #abort = new AbortController()
  readonly #endWait: () => void
  #isSent = false
  #forget = (): void => {}
  /** A `data:` URL counts until its body has been read. */
  #onFinished = (): void => void this.#requests.open.delete(this)

  /** @throws {string} if the scope does not allow the URL */
  constructor(
    config: ClientConfig,
    scope: UrlScope,
    network: Network,
    requests: FrontendRequests,
    log: CommandContext['log'],
  ) {
    this.#config = config
    this.#scope = scope
    this.#network = network
    this.#requests = requests
    this.#log = log
    if (config.url.protocol !== 'data:') this.#check(config.url)
    this.#endWait = deadline(network.limits.idleMs, () => this.close())
  }

  /** Bytes that the request keeps, and that of a `data:` URL until its body has been read. */
  get size(): number {
    return getRequestBytes(this.#config)
  }

  openIn(resources: Resources): number {
    const rid = addResource(resources, this)
    this.#forget = () => forgetResource(resources, rid)
    return rid
  }

  /**
   * Sends the request, and adds the body of the response to the resources of its frontend.
   * @throws {string} if the request fails, a redirect leaves the scope, or it is canceled
   */
  async send(resources: Resources, signal: AbortSignal): Promise<FetchResponse> {
    if (this.#isSent) throw 'Request canceled'
    this.#isSent = true
    this.#endWait()
    const cancel = (): void => this.cancel()
    signal.addEventListener('abort', cancel)
    try {
      if (signal.aborted) cancel()
      return await (this.#config.url.protocol === 'data:' ? this.#answer(resources) : this.#follow(resources))
    } catch (error) {
      throw this.#abort.signal.aborted ? 'Request canceled' : error
    } finally {
      signal.removeEventListener('abort', cancel)
      this.#finish()
    }
  }

  cancel(): void {
    this.#abort.abort(CANCELED)
  }

  /** Cancels the request and forgets it. */
  close(): void {
    this.cancel()
    this.#finish()
  }

  #finish(): void {
    this.#endWait()
    this.#forget()
    this.#onFinished()
  }

  async #answer(resources: Resources): Promise<FetchResponse> {
    const { url } = this.#config
    const { type, bytes } = await readDataUrl(url)
    this.#abort.signal.throwIfAborted()
    const stream = new Readable({
      read() {
        this.push(bytes)
        this.push(null)
      },
    })
    const rid = this.#openBody(stream, url, resources, this.#onFinished)
    this.#onFinished = () => {}
    return { status: 200, statusText: 'OK', headers: [['content-type', type]], url: url.href, rid }
  }

  async #follow(resources: Resources): Promise<FetchResponse> {
    const { signal } = this.#abort
    const release = await this.#requests.connect(signal)
    try {
      let hop: Hop = this.#config
      for (let redirections = 0; ; redirections++) {
        const response = await this.#exchange(hop)
        const { statusCode: status = 0, headers } = response
        const next = this.#config.maxRedirections > 0 ? getNextHop(hop, status, headers.location) : undefined
        if (!next) return this.#open(response, hop.url, resources, release)
        response.destroy()
        if (redirections >= this.#config.maxRedirections) throw `error following redirect for url (${next.url.href})`
        this.#check(next.url)
        hop = next
      }
    } catch (error) {
      release()
      throw error
    }
  }

  /** @throws {string} Tauri's text, unless the URL is in the scope */
  #check(url: URL): void {
    const { protocol, username, password, href } = url
    const isHttp = protocol === 'http:' || protocol === 'https:'
    if (!isHttp && url === this.#config.url) throw `scheme ${protocol.slice(0, -1)} not supported`
    if (!isHttp || !this.#scope.allows(url)) throw `url not allowed on the configured scope: ${href}`
    if (username || password) throw 'url contained credentials. Send them in the header "authorization".'
  }

  async #exchange(hop: Hop): Promise<IncomingMessage> {
    const { addresses, policy, limits } = this.#network
    const { url } = hop
    const { connectTimeout = limits.connectMs, proxies, acceptInvalidCerts, acceptInvalidHostnames } = this.#config
    const isTrusted = policy.danger.allows(url)
    const isNamed = this.#scope.namesAddress(url)
    // A dot at the end names the same host. Without it, the `host` header and the name in the certificate are the usual ones.
    url.hostname = withoutDot(url.hostname)
    try {
      const lookup = addresses.getLookup(url.hostname.replaceAll(/[[\]]/g, ''), isNamed)
      return await exchange(hop, {
        getLookup: signal => this.#queueLookup(lookup, signal),
        proxies,
        acceptInvalidCerts: acceptInvalidCerts && isTrusted,
        acceptInvalidHostnames: acceptInvalidHostnames && isTrusted,
        connectMs: Math.min(connectTimeout, limits.connectMs),
        headersMs: limits.headersMs,
        signal: this.#abort.signal,
      })
    } catch (err) {
      if (err instanceof PrivateAddressError) {
        this.#log.warn(`${err.message}. ${PRIVATE_REMEDY}`)
        throw `url not allowed on the configured scope: ${url.href}`
      }
      this.#log.debug({ err, host: url.host }, 'request failed')
      // The text of reqwest.
      throw `error sending request for url (${url.href})`
    }
  }

  /** Node cannot cancel a resolution, and runs two at a time: those of one frontend would delay all others. */
  #queueLookup(lookup: LookupFunction, signal: AbortSignal): LookupFunction {
    return (name, options, callback) => {
      const resolveName = (): Promise<void> =>
        new Promise(resolve =>
          lookup(name, options, (...found) => {
            resolve()
            callback(...found)
          }),
        )
      const fail = (error: unknown): void => callback(error as NodeJS.ErrnoException, '', 0)
      this.#network.lookups.run(this.#requests.label, signal, resolveName).catch(fail)
    }
  }

  #open(response: IncomingMessage, url: URL, resources: Resources, release: () => void): FetchResponse {
    const { statusCode: status = 0, rawHeaders } = response
    const headers: Header[] = []
    for (let i = 0; i < rawHeaders.length; i += 2) headers.push([rawHeaders[i]!.toLowerCase(), rawHeaders[i + 1]!])
    url.hash = ''
    const head = { status, statusText: STATUS_CODES[status] ?? '', url: url.href }
    if (WITHOUT_BODY.includes(status)) {
      response.destroy()
      release()
      return { ...head, headers, rid: 0 }
    }
    return { ...head, headers, rid: this.#openBody(response, url, resources, release) }
  }

  #openBody(stream: Readable, url: URL, resources: Resources, onEnd: () => void): number {
    const { responseBytes: maxBytes, idleMs } = this.#network.limits
    return new ResponseBody(stream, { maxBytes, idleMs, url: url.href, onEnd }).openIn(resources)
  }
}

const MAX_REQUESTS = 1024
const MAX_REQUEST_BYTES = 64 * 1024 * 1024

export class FrontendRequests {
  /** The requests that are not yet answered. */
  readonly open: Set<FrontendRequest> = new Set()
  readonly #connections: Slots

  constructor(
    readonly label: string,
    connections: number,
  ) {
    this.#connections = new Slots(connections)
  }

  /** @throws {string} if the frontend has too many requests */
  checkSize(bytes: number): void {
    let total = bytes
    for (const { size } of this.open) total += size
    if (this.open.size < MAX_REQUESTS && total <= MAX_REQUEST_BYTES) return
    throw `request refused: ${MAX_REQUESTS} requests, or ${MAX_REQUEST_BYTES} bytes of them, are in flight. Wait for earlier responses.`
  }

  /** Waits for a connection, in the order of the calls. Returns a function that gives it back, once. Rejects with the signal's reason. */
  connect(signal: AbortSignal): Promise<Release> {
    return this.#connections.take(signal)
  }
}
