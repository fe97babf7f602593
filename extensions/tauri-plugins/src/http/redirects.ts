// The request that follows a redirect, as reqwest makes it.
import { type Header, withoutHeaders } from './headers.js'

/** One request over the network. */
export interface Hop {
  readonly url: URL
  readonly method: string
  readonly headers: readonly Header[]
  readonly data: Uint8Array | undefined
}

const SENSITIVE = ['authorization', 'cookie', 'proxy-authorization', 'www-authenticate']
const OF_BODY = ['content-type', 'content-length', 'content-encoding', 'content-language', 'content-location']

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
  if (!URL.canParse(target, hop.url.href)) return undefined
  const url = new URL(target, hop.url)
  const dropped = [...(url.origin === hop.url.origin ? [] : SENSITIVE), ...(repeats ? [] : OF_BODY)]
  const headers = withoutHeaders(hop.headers, dropped)
  if (repeats) return { ...hop, url, headers }
  return { url, method: hop.method === 'HEAD' ? 'HEAD' : 'GET', headers, data: undefined }
}
