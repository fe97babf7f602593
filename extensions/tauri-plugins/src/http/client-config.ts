// The argument of `fetch`, which a frontend can send in any form.
import { isInteger, toBytes } from '../definition/args.js'
import type { UrlScope } from '../scope/urls.js'
import { checkMethod, completeHeaders, getFrontendHeaders } from './headers.js'
import { invalidConfig } from './invalid-config.js'
import { parseProxies, type Proxies } from './proxies.js'
import type { Hop } from './redirects.js'

/** Characters of a URL, and of a `data:` URL, which takes core longer the longer it is. */
const MAX_URL_LENGTH = 8192
const MAX_DATA_URL_LENGTH = 1024 * 1024
/** Redirects that a frontend can ask for. */
const MAX_REDIRECTIONS = 50
const DEFAULT_REDIRECTIONS = 10

/** Decisions of the host about requests. */
export interface ClientPolicy {
  /** Origins of proxies. */
  readonly proxies: ReadonlySet<string>
  /** URLs for which certificates can be invalid. */
  readonly danger: UrlScope
  readonly decompress: boolean
}

/** A request as a frontend describes it. */
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
    headers: completeHeaders(getFrontendHeaders(headers), policy.decompress),
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
  try {
    return new URL(text)
  } catch {
    throw invalidConfig('relative URL without a base')
  }
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
