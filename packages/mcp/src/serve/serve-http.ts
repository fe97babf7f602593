// Stateless HTTP: each request has a server of its own, which keeps nothing, so that any number of hosts can serve one address.
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import { hostHeaderValidation, originValidation, toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, type McpServerFactory } from '@modelcontextprotocol/server'
import { describeThrown } from '@sallyport/protocol/internal/errors'
import { getRequestUrl } from '@sallyport/protocol/internal/local-server'
import { warn } from '@sallyport/protocol/internal/util'

/** MCP over HTTP, for `transport` of `serveMcp`. */
export interface HttpTransport {
  /** The server, which listens already or later. Its other paths stay free. */
  readonly server: HttpServer
  /** @default '/mcp' */
  readonly path?: string
  /** Names of this machine in the header `Host`, without ports: a page of another site cannot choose it. @default names of localhost */
  readonly hosts?: readonly string[]
  /** Names of sites, without scheme and port, whose pages can call. Programs send no `Origin`, and can call anyway. @default names of localhost */
  readonly origins?: readonly string[]
  /** Decides about each request, by its token for example. A refused one is answered with 401. @default every request */
  readonly authorize?: (request: IncomingMessage) => boolean | Promise<boolean>
  /** Bytes of a request. @default 4 MiB */
  readonly maxBody?: number
  /**
   * Requests at a time, with those that wait for changes. A further one takes the place of the oldest that has not arrived, or that `authorize` has not
   * decided about, which is answered with 408. If there is none, it is answered with 503. @default 256
   */
  readonly maxRequests?: number
}

/** What serves clients, over any transport. */
export interface ToolService {
  /** Notifies the clients that wait for changes. */
  toolsChanged(): void
  close(): Promise<void>
}

/** Time for a request to arrive, and for `authorize` to decide about it. */
const ARRIVAL_TIMEOUT_MS = 30_000
/** A name or an address, and a port. `new URL` would take the host of `evil.example@localhost` for localhost. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i
const LOCAL = ['localhost', '127.0.0.1', '[::1]']
const withLocal = (names: readonly string[]): string[] =>
  names.some(name => LOCAL.includes(name)) ? [...names, ...LOCAL] : [...names]

export function serveHttp(
  factory: McpServerFactory,
  transport: HttpTransport,
  onError: (error: Error) => void,
): ToolService {
  const { server, path = '/mcp', hosts = LOCAL, origins = LOCAL, authorize, ...bounds } = transport
  const { maxBody = 4 * 2 ** 20, maxRequests = 256 } = bounds
  /** What the host's function throws would end the host. */
  const report = (error: Error): void => {
    try {
      onError(error)
    } catch (cause) {
      warn(`onError of serveMcp threw: ${describeThrown(cause)}`)
    }
  }
  const shared = { maxRequestBodySize: maxBody, onerror: report }
  const handler = createMcpHandler(factory, { ...shared, maxSubscriptions: maxRequests })
  const handle = toNodeHandler(handler, shared)
  const [isHost, isOrigin] = [hostHeaderValidation(withLocal(hosts)), originValidation(withLocal(origins))]
  const running = new Set<ServerResponse>()
  /** Those of them that have not arrived, or are not authorized yet. The oldest is the first. */
  const arriving = new Set<ServerResponse>()
  const leave = (response: ServerResponse): void => {
    running.delete(response)
    arriving.delete(response)
  }
  const giveUp = (response: ServerResponse): void => {
    leave(response)
    refuse(response, 408, 'The request took too long to arrive')
  }
  const enter = (request: IncomingMessage, response: ServerResponse): boolean => {
    const [oldest] = arriving
    if (running.size >= maxRequests && oldest) giveUp(oldest)
    if (running.size >= maxRequests) return false
    running.add(response)
    arriving.add(response)
    const deadline = setTimeout(giveUp, ARRIVAL_TIMEOUT_MS, response).unref()
    request.once('end', () => {
      clearTimeout(deadline)
      arriving.delete(response)
    })
    response.once('close', () => {
      clearTimeout(deadline)
      leave(response)
    })
    return true
  }
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (getRequestUrl(request).pathname !== path) {
      // Without another listener nobody would answer.
      if (server.listenerCount('request') === 1) refuse(response, 404, 'Not found')
      return
    }
    if (!HOST.test(request.headers.host ?? '')) return refuse(response, 403, 'Invalid Host header')
    // Each of them answers what it refuses.
    if (!isHost(request, response) || !isOrigin(request, response)) return
    if (!enter(request, response)) return refuse(response, 503, 'Too many requests at a time')
    if (authorize && !(await authorize(request))) return refuse(response, 401, 'Unauthorized')
    if (response.writableEnded) return
    // The handler reads no body of these.
    if (request.method === 'GET' || request.method === 'HEAD') request.resume()
    await handle(request as Parameters<typeof handle>[0], response as Parameters<typeof handle>[1])
  }
  const onRequest = (request: IncomingMessage, response: ServerResponse): void =>
    void answer(request, response).catch((error: unknown) => {
      refuse(response, 500, 'Internal error')
      report(error instanceof Error ? error : new Error(describeThrown(error)))
    })
  server.on('request', onRequest)
  return {
    toolsChanged: () => handler.notify.toolsChanged(),
    async close() {
      server.off('request', onRequest)
      await handler.close()
    },
  }
}

function refuse(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) return void response.end()
  const error = { jsonrpc: '2.0', error: { code: -32000, message }, id: null }
  // What has not arrived would be read before the next request.
  const rest = response.req.complete ? {} : { connection: 'close' }
  response.writeHead(status, { 'content-type': 'application/json', ...rest }).end(JSON.stringify(error))
}
