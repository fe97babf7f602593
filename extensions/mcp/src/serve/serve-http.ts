// Stateless HTTP: each request has a server of its own, which keeps nothing, so that any number of hosts can serve one address.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, type McpServerFactory } from '@modelcontextprotocol/server'
import { silence } from '@sallyport/protocol/internal/contract'
import {
  checkOptions,
  describeThrown,
  FUNCTION,
  isYes,
  type OptionCheck,
  type OptionChecks,
} from '@sallyport/protocol/internal/errors'
import { getRequestUrl, NO_PATH, toOneLoopback } from '@sallyport/protocol/internal/local-server'
import { isCount, isTexts, parseForeignUrl, warn } from '@sallyport/protocol/internal/util'
import { BYTES, checkValue } from '../shared/checks.js'
import { parseBounded } from '../shared/parse.js'
import { toUser, type UserInfo } from './rounds.js'

/** MCP over HTTP, for `transport` of `serveMcp`. */
export interface HttpTransport {
  /** The server, which listens already or later. Listeners that it has get requests of other paths alone. @default none: `handle` of the service answers requests */
  readonly server?: HttpServer
  /** The path of the server that is answered, such as `/mcp/ada`. @default '/mcp' */
  readonly path?: string
  /** Names of this machine in the header `Host`, without ports: a page of another site cannot choose it. @default names of localhost */
  readonly hosts?: readonly string[]
  /** Names of sites, without scheme and port, whose pages can call, and read the answers. Programs send no `Origin`, and can call anyway. @default names of localhost */
  readonly origins?: readonly string[]
  /** Decides about each request, by its token for example: `true` lets it in. A refused one is answered with 401. @default every request */
  readonly authorize?: (request: IncomingMessage) => boolean | Promise<boolean>
  /** Bytes of a request. @default 4 MiB */
  readonly maxBody?: number
  /**
   * Requests at a time, with those that wait for changes. A further one takes the place of the oldest that has not arrived, or that `authorize` has not
   * decided about, which is answered with 408. If there is none, it is answered with 503. A user can have as many as are free. @default 256
   */
  readonly maxRequests?: number
}

/** What serves clients, over any transport. */
export interface ToolService {
  /** Notifies the clients that wait for changes. */
  toolsChanged(): void
  handle(request: IncomingMessage, response: ServerResponse, body?: unknown): Promise<void>
  close(): Promise<void>
}

const ARRIVAL_TIMEOUT_MS = 30_000
const MAX_VALUES = 100_000
/** Messages of a request, in protocols that have batches. `maxRequests` of them have to leave room among the calls of the label. */
const MAX_BATCH = 16
/** A name or an address, and a port. `new URL` would take the host of `evil.example@localhost` for localhost. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i
const ORIGIN = /^[a-z][\w+.-]*:\/\/([^/]*)$/i
const LOCAL = ['localhost']
const DEFAULT_PATH = '/mcp'
const UNREADABLE = Symbol('unreadable')
const responses = new AsyncLocalStorage<ServerResponse>()
/** Whatever a browser asks for on behalf of a page that can call. Chrome keeps it for two hours at most. */
const PREFLIGHT = { 'access-control-allow-methods': 'GET, POST, DELETE', 'access-control-max-age': '7200' }
const servedPaths = new WeakMap<HttpServer, Map<string, ToolService['handle']>>()

/** Returns whether the client of the request, whose code calls this, does not read what it has been sent. Another transport says so by itself. */
export function watchReader(): () => boolean {
  const response = responses.getStore()
  return () => response?.writableNeedDrain ?? false
}

const names: OptionCheck = [
  value => isTexts(value) && value.every(name => createHostMatcher([name])(name)),
  'an array of names without scheme and port, such as "app.example"',
]
const isPath = (path: unknown): boolean =>
  typeof path === 'string' && getRequestUrl({ url: path } as IncomingMessage).pathname === path
const OPTIONS: OptionChecks<HttpTransport> = {
  // Refused also if it is undefined, as one that does not exist yet.
  server: undefined,
  path: [isPath, 'a path such as "/mcp"'],
  hosts: names,
  origins: names,
  authorize: FUNCTION,
  maxBody: BYTES,
  maxRequests: [value => isCount(value, 1), 'a whole number, from 1'],
}

/**
 * Takes the path of the server. Returns a function that gives it back.
 * @throws {BusError} InvalidParams for an option that is invalid, or a path that another service of the server has
 */
export function takePath(transport: HttpTransport): () => void {
  const { server, path = DEFAULT_PATH } = checkOptions('serveMcp', transport, OPTIONS, 'transport.')
  const check = (name: string, isValid: boolean, expected: string): void =>
    checkValue(`serveMcp: transport.${name}`, isValid, expected)
  check('server', !('server' in transport) || typeof Object(server).address === 'function', 'a server of node:http')
  check('path', !!server || transport.path === undefined, 'left out without a server: `handle` answers any path')
  if (!server) return () => {}
  const paths = servedPaths.get(server) ?? takeRequests(server)
  const key = toKey(path)
  check('path', !paths.has(key), `one that no other service of the server has, not "${path}"`)
  paths.set(key, async (_request, response) => refuse(response, 503, 'The service is starting'))
  return () => void paths.delete(key)
}

/** Clients add a slash to an address, and people do. */
const toKey = (path: string): string => path.replace(/(?<=.)\/$/, '')

/** Goes before the listeners that the server has: an application answers what it does not know with 404, and reads bodies. */
function takeRequests(server: HttpServer): Map<string, ToolService['handle']> {
  const paths = new Map<string, ToolService['handle']>()
  servedPaths.set(server, paths)
  const others = server.rawListeners('request')
  server.removeAllListeners('request').on('request', (request, response) => {
    const handle = paths.get(toKey(getRequestUrl(request).pathname))
    if (handle) return void handle(request, response)
    for (const listener of others) listener.call(server, request, response)
    // Without listeners of others nobody would answer.
    if (others.length === 0 && server.listenerCount('request') === 1) refuse(response, 404, 'Not found')
  })
  return paths
}

export function serveHttp(
  factory: McpServerFactory,
  transport: HttpTransport,
  onError: (error: Error) => void,
): ToolService {
  const { server, path = DEFAULT_PATH, hosts = LOCAL, origins = LOCAL, authorize, ...bounds } = transport
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
  // Proxies cut an answer of which nothing has come for a minute: as an event stream, it has a comment every 15 s.
  const handler = createMcpHandler(factory, { ...shared, maxSubscriptions: maxRequests, responseMode: 'sse' })
  const send = toNodeHandler({ fetch: boundBodies(handler.fetch) }, shared)
  const [isHost, isOrigin] = [createHostMatcher(hosts), createHostMatcher(origins)]
  /** With the user, once it is known. */
  const running = new Map<ServerResponse, string>()
  const arriving = new Map<ServerResponse, () => void>()
  const arrive = (response: ServerResponse): void => {
    arriving.get(response)?.()
    arriving.delete(response)
  }
  const giveUp = (response: ServerResponse): void => {
    arrive(response)
    running.delete(response)
    refuse(response, 408, 'The request took too long to arrive')
  }
  const enter = (request: IncomingMessage, response: ServerResponse): boolean => {
    const [oldest] = arriving.keys()
    if (running.size >= maxRequests && oldest) giveUp(oldest)
    if (running.size >= maxRequests) return false
    running.set(response, '')
    const endWait = silence(ARRIVAL_TIMEOUT_MS, { keepsAlive: false }, () => giveUp(response))
    arriving.set(response, endWait)
    request.once('end', () => arrive(response))
    response.once('close', () => {
      arrive(response)
      running.delete(response)
    })
    return true
  }
  /** Of what nobody has, one user can take half, the next one half of the rest, and so on: there is always room for another one. */
  const isFair = (request: IncomingMessage & { readonly auth?: UserInfo }, response: ServerResponse): boolean => {
    const user = toUser(request.auth, request.headers.authorization)
    const own = [...running.values()].filter(each => each === user).length
    running.set(response, user)
    return user === '' || own <= maxRequests - running.size
  }
  const answer = async (request: IncomingMessage, response: ServerResponse, given?: unknown): Promise<void> => {
    const { ':authority': authority = '', host = String(authority), origin } = request.headers
    response.setHeader('vary', 'Origin')
    if (!isHost(host)) return refuse(response, 403, 'Invalid Host header: its name is not in "hosts"')
    // The SDK puts the target behind the host: with `*@name` it would parse another one, of any length.
    if (getRequestUrl(request).pathname === NO_PATH) return refuse(response, 400, 'The target is no path')
    const isAllowed = origin === undefined || isOrigin(ORIGIN.exec(origin)?.[1] ?? '')
    if (!isAllowed) return refuse(response, 403, 'Invalid Origin header: its name is not in "origins"')
    if (origin !== undefined && answerBrowser(request, response, origin)) return
    if (!enter(request, response)) return refuse(response, 503, 'Too many requests at a time')
    if (authorize && !isYes('authorize', (await authorize(request)) ?? false))
      return refuse(response, 401, 'Unauthorized')
    if (response.writableEnded) return
    if (!isFair(request, response)) return refuse(response, 429, 'Too many requests of this user at a time')
    const body = readParsed(request, given)
    if (body === UNREADABLE) return refuse(response, 400, 'The body was read before, and is no JSON')
    if (body !== undefined || request.readableEnded) arrive(response)
    const [incoming, outgoing] = [request as Parameters<typeof send>[0], response as Parameters<typeof send>[1]]
    await responses.run(response, () => send(incoming, outgoing, body))
  }
  const handle = (request: IncomingMessage, response: ServerResponse, body?: unknown): Promise<void> =>
    answer(request, response, body).catch((error: unknown) => {
      refuse(response, 500, 'Internal error')
      report(error instanceof Error ? error : new Error(describeThrown(error)))
    })
  if (server) servedPaths.get(server)?.set(toKey(path), handle)
  return {
    toolsChanged: () => handler.notify.toolsChanged(),
    handle,
    close: () => handler.close(),
  }
}

/** Lets a page read the answer. Returns true if its browser only asks whether the page can call, which it does without the page's token. */
function answerBrowser(request: IncomingMessage, response: ServerResponse, origin: string): boolean {
  response.setHeader('access-control-allow-origin', origin)
  response.setHeader('access-control-expose-headers', 'mcp-session-id, www-authenticate')
  const { 'access-control-request-method': method, 'access-control-request-headers': headers = '' } = request.headers
  if (request.method !== 'OPTIONS' || method === undefined) return false
  const rest = request.complete ? {} : { connection: 'close' }
  response.writeHead(204, { ...PREFLIGHT, 'access-control-allow-headers': headers, ...rest }).end()
  return true
}

/** @param names - without ports. All spellings of localhost are one */
function createHostMatcher(names: readonly string[]): (host: string) => boolean {
  const known = names.map(toOneLoopback)
  const toName = (host: string): string => toOneLoopback(parseForeignUrl(`http://${host}`)?.hostname ?? '')
  return host => HOST.test(host) && known.includes(toName(host))
}

/**
 * Returns what a parser has made of a body, or `undefined` for a request that nobody has read.
 * @param given - Express gives its function `next` to a handler that is mounted as it is
 */
function readParsed(request: IncomingMessage & { readonly body?: unknown }, given: unknown): unknown {
  if (!request.readableDidRead || request.method !== 'POST') return undefined
  const body = given === undefined || typeof given === 'function' ? request.body : given
  try {
    if (typeof body === 'string' || body instanceof Uint8Array) return JSON.parse(Buffer.from(body).toString())
  } catch {
    return UNREADABLE
  }
  return body ?? UNREADABLE
}

type Fetch = ReturnType<typeof createMcpHandler>['fetch']

function boundBodies(fetch: Fetch): Fetch {
  return async (request, given) => {
    let parsedBody: unknown
    try {
      parsedBody = parseBounded(Buffer.from(await request.clone().arrayBuffer()), MAX_VALUES)
      if ([parsedBody].flat().length > MAX_BATCH) throw new RangeError(`more than ${MAX_BATCH} messages`)
    } catch (error) {
      // The SDK has an answer for what is no JSON.
      if (error instanceof RangeError)
        return Response.json(toRefusal(`The body was refused: ${error.message}`), { status: 413 })
    }
    return fetch(request, { ...given, parsedBody })
  }
}

const toRefusal = (message: string): object => ({ jsonrpc: '2.0', error: { code: -32000, message }, id: null })

function refuse(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) return void response.end()
  // What has not arrived would be read before the next request.
  const rest = response.req.complete ? {} : { connection: 'close' }
  response.writeHead(status, { 'content-type': 'application/json', ...rest }).end(JSON.stringify(toRefusal(message)))
}
