// One request and the head of its response, over a connection of its own that nothing else uses.
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps, type RequestOptions } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { BODY_FIELDS, ORIGIN_FIELDS, parseForeignUrl, SEVERAL_ADDRESSES } from '@sallyport/paths/internal/addresses'
import { deadline } from '@sallyport/paths/internal'
import { type Hop, type Proxies, type Proxy, withoutHeaders } from './client-config.js'

const MAX_RESPONSE_HEADER_BYTES = 16 * 1024
const MAX_INFORMATION = 100

export interface ExchangeOptions {
  readonly getLookup: (signal: AbortSignal) => LookupFunction
  readonly proxies: Proxies
  readonly acceptInvalidCerts: boolean
  readonly acceptInvalidHostnames: boolean
  /** Milliseconds until the connection is open. */
  readonly connectMs: number
  /** Milliseconds from then until the headers of the response. */
  readonly headersMs: number
  readonly signal: AbortSignal
}

/** Sends a request, and resolves with its response before the body. Rejects if the connection fails, or when a deadline or the signal ends it. */
export async function exchange(hop: Hop, options: ExchangeOptions): Promise<IncomingMessage> {
  const { connectMs, headersMs, signal } = options
  const late = new AbortController()
  const expire = (what: string, ms: number): (() => void) =>
    deadline(ms, () => late.abort(new Error(`${what} timed out after ${ms} ms`)))
  let endWait = expire('Connection', connectMs)
  const stop = (): void => late.abort(signal.reason)
  signal.addEventListener('abort', stop)
  try {
    signal.throwIfAborted()
    const proxy = getProxy(options.proxies, hop.url)
    const needsTunnel = proxy !== undefined && hop.url.protocol === 'https:'
    const tunnel = needsTunnel ? await openTunnel(proxy, hop.url, late.signal) : undefined
    const request = createRequest(hop, options, options.getLookup(late.signal), proxy, tunnel)
    request.on('socket', socket => {
      const connected = (): void => {
        endWait()
        endWait = expire('Response headers', headersMs)
      }
      if (!socket.connecting && hop.url.protocol === 'http:') connected()
      else socket.once(hop.url.protocol === 'http:' ? 'connect' : 'secureConnect', connected)
    })
    return await send(request, hop, late.signal)
  } finally {
    endWait()
    signal.removeEventListener('abort', stop)
  }
}

/** Creates the request, whose head is not yet written. Its errors are emitted later than in this tick. */
function createRequest(
  { url, method, headers }: Hop,
  options: ExchangeOptions,
  lookup: LookupFunction,
  proxy: Proxy | undefined,
  tunnel: Duplex | undefined,
): ClientRequest {
  const hostname = url.hostname.replaceAll(/[[\]]/g, '')
  const common: RequestOptions = {
    method,
    insecureHTTPParser: false,
    maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
  }
  const target = { ...common, hostname, port: url.port, path: url.pathname + url.search }
  const direct = { agent: false, lookup, ...SEVERAL_ADDRESSES }
  const tls = {
    rejectUnauthorized: !options.acceptInvalidCerts,
    ...((options.acceptInvalidHostnames || options.acceptInvalidCerts) && { checkServerIdentity: () => undefined }),
  }
  let request: ClientRequest
  if (tunnel) {
    const servername = isIP(hostname) === 0 && { servername: hostname }
    const createConnection = (): Duplex => connectTls({ ...tls, socket: tunnel, host: hostname, ...servername })
    request = requestHttps({ ...target, createConnection })
  } else if (proxy) {
    request = requestHttp({
      ...common,
      agent: false,
      hostname: proxy.url.hostname,
      port: proxy.url.port || 80,
      path: url.href,
    })
    request.setHeader('host', url.host)
    if (proxy.authorization !== undefined) request.setHeader('proxy-authorization', proxy.authorization)
  } else if (url.protocol === 'http:') request = requestHttp({ ...target, ...direct })
  else request = requestHttps({ ...target, ...direct, ...tls })
  for (const [name, value] of headers) request.appendHeader(name, value)
  return request
}

function send(request: ClientRequest, { method, data }: Hop, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const stop = (): void => void request.destroy(signal.reason)
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
    const settle = (): void => signal.removeEventListener('abort', stop)
    // Stays after the response, because a connection can still fail then.
    request.on('error', error => {
      settle()
      reject(error)
    })
    let information = 0
    request.on('information', () => {
      if (++information > MAX_INFORMATION) request.destroy(new Error('The response has too many informational heads'))
    })
    request.on('response', response => {
      settle()
      response.on('error', () => {})
      resolve(response)
    })
    request.on('upgrade', (response, socket) => {
      settle()
      socket.destroy()
      resolve(response)
    })
    if (data) request.setHeader('content-length', data.byteLength)
    else if (method === 'POST' || method === 'PUT') request.setHeader('content-length', 0)
    request.end(data)
  })
}

/**
 * Returns the next request, or `undefined` unless the response redirects to a valid URL.
 *
 * 301, 302 and 303 lead to a request without a body. 307 and 308 repeat method and body. Credentials stay within an origin.
 */
export function getNextHop(hop: Hop, status: number, location: string | undefined): Hop | undefined {
  const repeats = status === 307 || status === 308
  if (location === undefined || (!repeats && ![301, 302, 303].includes(status))) return undefined
  // Node reads headers as Latin-1, and servers send UTF-8.
  const target = Buffer.from(location, 'latin1').toString()
  const url = parseForeignUrl(target, hop.url)
  if (!url) return undefined
  const dropped = [...(url.origin === hop.url.origin ? [] : ORIGIN_FIELDS), ...(repeats ? [] : BODY_FIELDS)]
  const headers = withoutHeaders(hop.headers, dropped)
  if (repeats) return { ...hop, url, headers }
  return { url, method: hop.method === 'HEAD' ? 'HEAD' : 'GET', headers, data: undefined }
}

function getProxy(proxies: Proxies, { protocol, hostname }: URL): Proxy | undefined {
  const proxy = (protocol === 'https:' ? proxies.https : proxies.http) ?? proxies.all
  const isExcepted = proxy?.noProxy.some(host => host === '*' || hostname === host || hostname.endsWith(`.${host}`))
  return isExcepted ? undefined : proxy
}

/** Opens a tunnel to the host of an https URL. Rejects unless the proxy answers with 200. */
function openTunnel({ url, authorization }: Proxy, target: URL, signal: AbortSignal): Promise<Duplex> {
  const path = `${target.hostname}:${target.port || 443}`
  return new Promise((resolve, reject) => {
    const headers = { host: path, ...(authorization !== undefined && { 'proxy-authorization': authorization }) }
    const { hostname: host, port } = url
    const request = requestHttp({ host, port: port || 80, method: 'CONNECT', path, headers, agent: false, signal })
    const refuse = ({ statusCode }: IncomingMessage, stream: Duplex): void => {
      stream.destroy()
      reject(new Error(`The proxy refused the tunnel with status ${statusCode}`))
    }
    request.on('error', reject)
    request.on('response', (response: IncomingMessage) => refuse(response, response.socket))
    request.on('connect', (response: IncomingMessage, socket: Duplex) =>
      response.statusCode === 200 ? resolve(socket) : refuse(response, socket),
    )
    request.end()
  })
}
