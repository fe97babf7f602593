// The entry `@sallyport/protocol/internal/local-server`: HTTP servers on 127.0.0.1, for the inspector and for web pages, and what all HTTP servers
// share, with node:http, which a bus does not load. Other programs of this machine and pages of other sites can reach them.
import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BusError } from './errors/bus-error.js'
import { parseForeignUrl } from './util/foreign-url.js'

/** Time for a request with its body, and for a connection to send one. */
const REQUEST_TIMEOUT_MS = 5000
/** Browsers send the cookies of every port of a host, and a page of another port can set many. */
const MAX_HEADER_BYTES = 64 * 1024

/** Headers of every response: no other site can frame it or read it, and its URL, which can hold a token, is not passed on. */
export const LOCAL_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/** Starts a server that does not keep the process alive, nor do its connections. @throws {BusError} InvalidParams if the port is not available */
export async function startLocalServer(
  where: string,
  port: number,
  maxConnections: number,
): Promise<{ server: Server; port: number }> {
  const server = createServer({
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: REQUEST_TIMEOUT_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  })
  server.maxConnections = maxConnections
  server.unref().on('connection', socket => void socket.unref())
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening')
  } catch (cause) {
    const text = `${where}: port ${port} is not available: ${(cause as Error).message}`
    throw new BusError('InvalidParams', text, { cause })
  }
  // A connection that cannot be accepted must not end the host.
  server.on('error', () => {})
  return { server, port: (server.address() as AddressInfo).port }
}

export const NO_PATH = '/.invalid'

/**
 * Returns the path and the query of a request. Never throws: a target that is no path, such as `//` for `new URL`, is a path that nobody serves. The
 * host of the URL means nothing.
 */
export function getRequestUrl({ url = '' }: IncomingMessage): URL {
  return parseForeignUrl(`http://request${url.startsWith('/') ? url : NO_PATH}`)!
}

const LOOPBACK = /^(https?:\/\/)?(?:localhost|127\.0\.0\.1|\[::1\])\.?(?=(?::\d{1,5})?$)/

/** Spells loopback in one way, in an origin or a `Host`. Only literal spellings: another site's name can resolve to it (DNS rebinding). */
export const toOneLoopback = (text: string): string => text.toLowerCase().replace(LOOPBACK, '$1localhost')

/** Compares in constant time, whatever the lengths. */
export const isEqualSecret = (text: string, secret: string): boolean => timingSafeEqual(hash(text), hash(secret))

const hash = (text: string): Buffer => createHash('sha256').update(text).digest()
