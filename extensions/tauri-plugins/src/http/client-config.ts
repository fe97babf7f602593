// The argument of `fetch`, which a frontend can send in any form.
import { METHODS, validateHeaderName, validateHeaderValue } from 'node:http'
import { parseForeignUrl } from '@sallyport/paths/internal/addresses'
import { isInteger, toBytes } from '../shared/plugin.js'
import type { UrlScope } from './url-scope.js'

/** Characters of a URL, and of a `data:` URL, which takes core longer the longer it is. */
const MAX_URL_LENGTH = 8192
const MAX_DATA_URL_LENGTH = 1024 * 1024
/** Redirects that a frontend can ask for. */
const MAX_REDIRECTIONS = 50
const DEFAULT_REDIRECTIONS = 10

export interface ClientPolicy {
  readonly proxies: ReadonlySet<string>
  /** URLs for which certificates can be invalid. */
  readonly danger: UrlScope
}

export type Header = readonly [name: string, value: string]

export interface Hop {
  readonly url: URL
  readonly method: string
  readonly headers: readonly Header[]
  readonly data: Uint8Array | undefined
}

export interface Proxy {
  readonly url: URL
  readonly authorization: string | undefined
  /** Hosts that are reached without the proxy, with their subdomains. `*` stands for all. */
  readonly noProxy: readonly string[]
}

export type Proxies = Readonly<Partial<Record<'all' | 'http' | 'https', Proxy>>>

export interface ClientConfig extends Hop {
  readonly maxRedirections: number
  /** Milliseconds. */
  readonly connectTimeout: number | undefined
  readonly proxies: Proxies
  readonly acceptInvalidCerts: boolean
  readonly acceptInvalidHostnames: boolean
}

/** @throws {string} if a member is malformed, or asks for more than the host allows */
export function parseClientConfig(value: unknown, policy: ClientPolicy): ClientConfig {
  if (typeof value !== 'object' || value === null) throw invalidConfig('expected struct ClientConfig')
  const { method, url, headers, data, maxRedirections, connectTimeout, proxy, danger } = value as Record<
    string,
    unknown
  >
  const parsed = parseUrl(url)
  const { acceptInvalidCerts, acceptInvalidHostnames } = parseDanger(danger, parsed, policy)
  return {
    url: parsed,
    method: checkMethod(method),
    headers: completeHeaders(getFrontendHeaders(headers)),
    data: parseData(data),
    maxRedirections: Math.min(parseCount(maxRedirections, 'maxRedirections') ?? DEFAULT_REDIRECTIONS, MAX_REDIRECTIONS),
    connectTimeout: parseCount(connectTimeout, 'connectTimeout'),
    proxies: parseProxies(proxy, policy.proxies),
    acceptInvalidCerts: acceptInvalidCerts === true,
    acceptInvalidHostnames: acceptInvalidHostnames === true,
  }
}

function parseUrl(text: unknown): URL {
  if (typeof text !== 'string') throw invalidConfig('invalid type for `url`, expected a string')
  const limit = text.startsWith('data:') ? MAX_DATA_URL_LENGTH : MAX_URL_LENGTH
  if (text.length > limit) throw `url exceeded ${limit} characters. Send a part of it as the body.`
  const url = parseForeignUrl(text)
  if (!url) throw invalidConfig('relative URL without a base')
  return url
}

function parseDanger(danger: unknown, url: URL, policy: ClientPolicy): Record<string, unknown> {
  if (danger === undefined || danger === null) return {}
  if (typeof danger !== 'object') throw invalidConfig('invalid type for `danger`, expected struct DangerousSettings')
  // Tauri's text.
  if (!policy.danger.allows(url)) throw 'dangerous settings used but are not enabled'
  return danger as Record<string, unknown>
}

/** Bytes arrive as an array of numbers, or as bytes. */
function parseData(data: unknown): Uint8Array | undefined {
  if (data === undefined || data === null) return undefined
  const bytes = toBytes(data)
  if (bytes) return bytes
  throw invalidConfig(
    Array.isArray(data)
      ? 'invalid value in `data`, expected u8'
      : 'invalid type for `data`, expected a sequence of bytes',
  )
}

function parseCount(value: unknown, name: string): number | undefined {
  if (value === undefined || value === null) return undefined
  if (isInteger(value, 0)) return value
  throw invalidConfig(`invalid value for \`${name}\`, expected u64`)
}

const MAX_HEADER_BYTES = 16 * 1024

// The forbidden names of the fetch standard, as in Tauri. `keep-alive` belongs to the connection, too.
const FORBIDDEN = new Set([
  ...['accept-charset', 'accept-encoding', 'access-control-request-headers', 'access-control-request-method'],
  ...['connection', 'content-length', 'cookie', 'date', 'dnt', 'expect', 'host', 'keep-alive', 'origin', 'referer'],
  ...['set-cookie', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'via'],
])
const isForbidden = (name: string): boolean => FORBIDDEN.has(name) || /^(?:proxy-|sec-)/.test(name)

/** The default of the header `user-agent`, with the version of the guest package whose commands this plugin has. */
const USER_AGENT = 'tauri-plugin-http/2.7.0'

// CONNECT opens a tunnel to any host. TRACE and TRACK return headers that scripts must not see.
const ALLOWED_METHODS = new Set(METHODS.filter(method => !['CONNECT', 'TRACE', 'TRACK'].includes(method)))

/** @throws {string} unless the method is known and harmless */
function checkMethod(method: unknown): string {
  if (typeof method === 'string' && ALLOWED_METHODS.has(method)) return method
  throw 'invalid HTTP method'
}

/** Returns the headers of a frontend without the forbidden ones. @throws {string} if one is malformed or they are too long */
function getFrontendHeaders(pairs: unknown): Header[] {
  if (!Array.isArray(pairs)) throw invalidConfig('invalid type for `headers`, expected a sequence')
  let bytes = 0
  return pairs.flatMap((pair: unknown): Header[] => {
    const [name, value] = Array.isArray(pair) && pair.length === 2 ? pair : []
    if (typeof name !== 'string' || typeof value !== 'string')
      throw invalidConfig('invalid type for a header, expected two strings')
    bytes += name.length + value.length
    if (bytes > MAX_HEADER_BYTES)
      throw `request headers exceeded ${MAX_HEADER_BYTES} bytes. Send fewer or shorter headers.`
    try {
      validateHeaderName(name)
    } catch {
      throw 'invalid HTTP header name'
    }
    try {
      validateHeaderValue(name, value)
    } catch {
      throw 'failed to parse header value'
    }
    return isForbidden(name.toLowerCase()) ? [] : [[name, value]]
  })
}

function completeHeaders(headers: readonly Header[]): Header[] {
  const has = (name: string): boolean => headers.some(([each]) => each.toLowerCase() === name)
  const added: Header[] = []
  if (!has('accept')) added.push(['accept', '*/*'])
  if (!has('user-agent')) added.push(['user-agent', USER_AGENT])
  if (has('range')) added.push(['accept-encoding', 'identity'])
  return [...headers, ...added]
}

export const withoutHeaders = (headers: readonly Header[], names: readonly string[]): Header[] =>
  headers.filter(([name]) => !names.includes(name.toLowerCase()))

/** Returns Tauri's text for an argument of `fetch` that does not have its type. */
const invalidConfig = (reason: string): string => `invalid args \`clientConfig\` for command \`fetch\`: ${reason}`

/** @throws {string} if the value is malformed, or names a proxy that the host does not list */
function parseProxies(value: unknown, listed: ReadonlySet<string>): Proxies {
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
  const parsed = typeof url === 'string' && parseForeignUrl(url)
  if (!parsed) throw invalidConfig('invalid type for `proxy`, expected a URL')
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
