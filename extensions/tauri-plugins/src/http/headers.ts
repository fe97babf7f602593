// Headers of requests: those that a frontend can set, those that every request has, and those that a redirect removes.
import { METHODS, validateHeaderName, validateHeaderValue } from 'node:http'
import { invalidConfig } from './invalid-config.js'

/** A header's name and value. */
export type Header = readonly [name: string, value: string]

/** Bytes of the names and values of a request's headers. */
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
export function checkMethod(method: unknown): string {
  if (typeof method === 'string' && ALLOWED_METHODS.has(method)) return method
  throw 'invalid HTTP method'
}

/** Returns the headers of a frontend without the forbidden ones. @throws {string} if one is malformed or they are too long */
export function getFrontendHeaders(pairs: unknown): Header[] {
  if (!Array.isArray(pairs)) throw invalidConfig('invalid type for `headers`, expected a sequence')
  let bytes = 0
  return pairs.flatMap((pair: unknown): Header[] => {
    const [name, value] = Array.isArray(pair) && pair.length === 2 ? (pair as unknown[]) : []
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

/** Returns the headers of a frontend, and those that every request has. */
export function completeHeaders(headers: readonly Header[], decompresses: boolean): Header[] {
  const has = (name: string): boolean => headers.some(([each]) => each.toLowerCase() === name)
  const added: Header[] = []
  if (!has('accept')) added.push(['accept', '*/*'])
  if (!has('user-agent')) added.push(['user-agent', USER_AGENT])
  if (has('range')) added.push(['accept-encoding', 'identity'])
  else if (decompresses) added.push(['accept-encoding', 'gzip, deflate, br'])
  return [...headers, ...added]
}

/** Returns the headers without those with these names, in lower case. */
export const withoutHeaders = (headers: readonly Header[], names: readonly string[]): Header[] =>
  headers.filter(([name]) => !names.includes(name.toLowerCase()))
