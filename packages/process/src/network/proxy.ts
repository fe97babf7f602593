// The broker as a proxy in HTTP/1.1, for programs in any language: tunnels (CONNECT), requests in plain text, and a gateway that encrypts. The gateway
// is a path: `/api.example/v1` of the proxy itself is `https://api.example/v1`, with the values of secrets in the headers.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2'
import { Duplex } from 'node:stream'
import { BROKER_OUTCOME, BROKER_REASON, later } from '@sallyport/protocol/internal/contract'
import { type Broker, type BrokerStream, MAX_HEADER_BYTES } from './broker.js'

export interface Proxy {
  /** Serves a connection. @param target - the scheme and the authority of all of its requests, whose URLs are paths */
  accept(socket: Duplex, target?: IncomingHttpHeaders): void
  close(): void
}

const MAX_CONNECTIONS = 128
/** Requests of one connection that does not wait for responses. */
const MAX_PIPELINED = 16
const SECOND_MS = 1000
const ABSOLUTE = /^http:\/\/([^/?#]*)([/?].*)?$/i
const GATEWAY = /^\/([^/?#]+)([/?].*)?$/

export interface ProxyOptions {
  /** That of the proxy itself: a program may ask the proxy for its gateway. */
  readonly origin?: string
  /** A program that sends more requests waits until the second is over. */
  readonly requestsPerSecond?: number
}

export function createProxy(broker: Broker, { origin = '', requestsPerSecond = Infinity }: ProxyOptions = {}): Proxy {
  const sockets = new Set<Duplex>()
  const targets = new WeakMap<Duplex, IncomingHttpHeaders>()
  const schedule = createRateLimit(requestsPerSecond)
  let pausedUntil = 0
  const countRequest = createPipelineLimit(() => {
    pausedUntil = performance.now() + SECOND_MS
    endAll()
  })

  function serve(stream: BrokerStream, headers: IncomingHttpHeaders, isEnd: boolean): void {
    stream.on('error', () => {})
    schedule(stream, () => broker.serve(stream, headers, isEnd))
  }

  function endAll(): void {
    for (const socket of sockets) socket.destroy()
  }

  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, insecureHTTPParser: false })
  server.on('request', (request, response) => {
    if (!countRequest(request.socket, response)) return
    const isEnd = !hasBody(request)
    const stream = createExchange(request, response)
    // Nothing reads its end, without which it would not close.
    if (isEnd) stream.resume()
    const { method, url } = request
    const target = targets.get(request.socket)
    const wanted = target ? { ...target, ':method': method, ':path': url } : getTarget(request, origin)
    serve(stream, { ...request.headers, ...wanted }, isEnd)
  })
  server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // The tunnel of a frontend is a CONNECT in HTTP/2, and a stream of HTTP/2 cannot be changed to one of this proxy.
    if (targets.has(socket)) return void socket.destroy()
    if (head.length > 0) socket.unshift(head)
    serve(createTunnel(socket), { ':method': 'CONNECT', ':authority': request.url ?? '' }, false)
  })
  server.on('clientError', (_error, socket) => void socket.destroy())
  return {
    accept(socket, target) {
      // HTTP/2 bounds the streams of a frontend.
      const isFull = !target && sockets.size >= MAX_CONNECTIONS
      if (isFull || performance.now() < pausedUntil) return void socket.destroy()
      // Each request in flight listens to it.
      sockets.add(socket.setMaxListeners(0).on('error', () => {}))
      socket.once('close', () => sockets.delete(socket))
      if (target) targets.set(socket, target)
      // What a host answers after the end of what a tunnel sends.
      socket.allowHalfOpen = true
      server.emit('connection', socket)
    },
    close: endAll,
  }
}

/** Returns a function that is false for a connection that sends more requests than a client would. The rest are read with the chunk that they are in. */
function createPipelineLimit(onExceeded: () => void): (socket: Duplex, response: ServerResponse) => boolean {
  const inFlight = new WeakMap<Duplex, number>()
  return (socket, response) => {
    if (socket.destroyed) return false
    const count = (inFlight.get(socket) ?? 0) + 1
    inFlight.set(socket, count)
    response.once('close', () => inFlight.set(socket, (inFlight.get(socket) ?? 1) - 1))
    if (count <= MAX_PIPELINED) return true
    onExceeded()
    return false
  }
}

/** Returns a function that runs others, of which at most some in each second, and none for a stream that has ended before. */
function createRateLimit(requestsPerSecond: number): (stream: BrokerStream, run: () => void) => void {
  let startedAt = 0
  let count = 0
  return function schedule(stream, run): void {
    // A program can begin and end more of them in a second than are run.
    if (stream.destroyed) return
    const now = performance.now()
    if (now - startedAt >= SECOND_MS) {
      startedAt = now
      count = 0
    }
    if (++count <= requestsPerSecond) run()
    else later(SECOND_MS - (now - startedAt), () => schedule(stream, run))
  }
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

/** A malformed target has no host, which the broker refuses. */
function getTarget({ method = '', url = '' }: IncomingMessage, origin: string): IncomingHttpHeaders {
  const own = url.startsWith(`${origin}/`) ? url.slice(origin.length) : url
  const [scheme, form] = own.startsWith('/') ? ['https', GATEWAY] : ['http', ABSOLUTE]
  const [, authority = '', path = ''] = form.exec(own) ?? []
  // A URL needs no path before its query.
  const absolute = path.startsWith('/') ? path : `/${path}`
  return { ':method': method, ':scheme': scheme, ':authority': authority, ':path': absolute }
}

function createExchange(request: IncomingMessage, response: ServerResponse): BrokerStream {
  response.sendDate = false
  const stream = Object.assign(Duplex.from({ readable: request, writable: response }), {
    headersSent: false,
    respond({ ':status': status, ...headers }: OutgoingHttpHeaders, { endStream = false } = {}): void {
      const { [BROKER_OUTCOME]: outcome, [BROKER_REASON]: reason, ...received } = headers
      if (outcome === 'response') response.writeHead(Number(status), received)
      else response.writeHead(Number(status), String(reason), { ...headers, 'content-type': 'text/plain' })
      stream.headersSent = true
      if (endStream) stream.end(`${String(reason)}\n`)
    },
  })
  // Of a body that is cut off, which `Duplex.from` leaves open.
  stream.once('close', () => void (response.writableEnded || response.destroy()))
  return stream
}

function createTunnel(socket: Duplex): BrokerStream {
  const stream = Object.assign(socket, {
    headersSent: false,
    respond({ ':status': status, ...headers }: OutgoingHttpHeaders, { endStream = false } = {}): void {
      stream.headersSent = true
      if (!endStream) return void socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      const reason = String(headers[BROKER_REASON])
      const head = `HTTP/1.1 ${Number(status)} ${reason}\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n`
      socket.end(`${head}${reason}\n`)
    },
  })
  return stream
}
