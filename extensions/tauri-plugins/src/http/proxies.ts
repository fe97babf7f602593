// Proxies that a frontend asks for. Only those that the host lists are used: a proxy resolves names itself, so addresses cannot be checked.
import { type IncomingMessage, request as requestHttp } from 'node:http'
import type { Duplex } from 'node:stream'
import { invalidConfig } from './invalid-config.js'

/** A proxy for the requests of one scheme. */
export interface Proxy {
  readonly url: URL
  /** The value of the header `proxy-authorization`. */
  readonly authorization: string | undefined
  /** Hosts that are reached without the proxy, with their subdomains. `*` stands for all. */
  readonly noProxy: readonly string[]
}

/** The proxies of one request, by scheme. `all` is for schemes without their own. */
export type Proxies = Readonly<Partial<Record<'all' | 'http' | 'https', Proxy>>>

/** @throws {string} if the value is malformed, or names a proxy that the host does not list */
export function parseProxies(value: unknown, listed: ReadonlySet<string>): Proxies {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object') throw invalidConfig('invalid type for `proxy`, expected struct Proxy')
  const proxies: Record<string, Proxy> = {}
  for (const scheme of ['all', 'http', 'https'] as const) {
    const proxy = (value as Record<string, unknown>)[scheme]
    if (proxy !== undefined && proxy !== null) proxies[scheme] = parseProxy(proxy, listed)
  }
  return proxies
}

function parseProxy(value: unknown, listed: ReadonlySet<string>): Proxy {
  const config = (typeof value === 'string' ? { url: value } : value) as Record<string, unknown>
  const { url, basicAuth, noProxy } = config
  if (typeof url !== 'string' || !URL.canParse(url)) throw invalidConfig('invalid type for `proxy`, expected a URL')
  const parsed = new URL(url)
  if (!listed.has(parsed.origin)) throw `proxy refused: ${parsed.origin}. List it in the option "proxies" of http().`
  if (noProxy !== undefined && noProxy !== null && typeof noProxy !== 'string')
    throw invalidConfig('invalid type for `noProxy`, expected a string')
  return {
    url: parsed,
    authorization: getAuthorization(parsed, basicAuth),
    noProxy: (noProxy ?? '')
      .split(',')
      .map(host => host.trim().toLowerCase().replace(/^\./, ''))
      .filter(Boolean),
  }
}

function getAuthorization(url: URL, basicAuth: unknown): string | undefined {
  const login = (typeof basicAuth === 'object' ? basicAuth : undefined) as Record<string, unknown> | null | undefined
  const username = login?.['username'] ?? decode(url.username)
  const password = login?.['password'] ?? decode(url.password)
  if (typeof username !== 'string' || typeof password !== 'string')
    throw invalidConfig('invalid type for `basicAuth`, expected strings')
  if (username === '' && password === '') return undefined
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalidConfig('invalid credentials in the URL of `proxy`')
  }
}

/** Returns the proxy for a URL. */
export function getProxy(proxies: Proxies, { protocol, hostname }: URL): Proxy | undefined {
  const proxy = (protocol === 'https:' ? proxies.https : proxies.http) ?? proxies.all
  const isExcepted = proxy?.noProxy.some(host => host === '*' || hostname === host || hostname.endsWith(`.${host}`))
  return isExcepted ? undefined : proxy
}

/** Opens a tunnel to the host of an https URL. Rejects unless the proxy answers with 200. */
export function openTunnel({ url, authorization }: Proxy, target: URL, signal: AbortSignal): Promise<Duplex> {
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
