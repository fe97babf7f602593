// Stateless HTTP: each request has a server of its own, which keeps nothing, so that any number of hosts can serve one address.
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import { hostHeaderValidation, originValidation, toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, type McpServerFactory } from '@modelcontextprotocol/server'

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
  /** Requests at a time, with those that wait for changes. Further ones are answered with 503. @default 256 */
  readonly maxRequests?: number
}

/** What serves clients, over any transport. */
export interface ToolService {
  /** Notifies the clients that wait for changes. */
  toolsChanged(): void
  close(): Promise<void>
}

const LOCAL = ['localhost', '127.0.0.1', '[::1]']

export function serveHttp(
  factory: McpServerFactory,
  transport: HttpTransport,
  onError: (error: Error) => void,
): ToolService {
  const { server, path = '/mcp', hosts = LOCAL, origins = LOCAL, authorize, ...bounds } = transport
  const { maxBody = 4 * 2 ** 20, maxRequests = 256 } = bounds
  const shared = { maxRequestBodySize: maxBody, onerror: onError }
  const handler = createMcpHandler(factory, { ...shared, maxSubscriptions: maxRequests })
  const handle = toNodeHandler(handler, shared)
  const [isHost, isOrigin] = [hostHeaderValidation([...hosts]), originValidation([...origins])]
  let running = 0

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // Each of them answers what it refuses.
    if (!isHost(request, response) || !isOrigin(request, response)) return
    if (authorize && !(await authorize(request))) return refuse(response, 401, 'Unauthorized')
    if (running >= maxRequests) return refuse(response, 503, 'Too many requests at a time')
    running += 1
    response.once('close', () => (running -= 1))
    await handle(request as Parameters<typeof handle>[0], response as Parameters<typeof handle>[1])
  }
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const isOwn = new URL(request.url ?? '/', 'http://localhost').pathname === path
    if (!isOwn) {
      // Without another listener nobody would answer.
      if (server.listenerCount('request') === 1) refuse(response, 404, 'Not found')
      return
    }
    answer(request, response).catch((error: unknown) => {
      onError(error as Error)
      refuse(response, 500, 'Internal error')
    })
  }
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
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(error))
}
