// The server behind `bus.inspectServer`: checks who asks, and serves the page, its style and script, its feed, and who may call
// what. Nothing in it changes the bus.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BusError } from '@sallyport/protocol'
import { Feed } from './feed.js'
import { drawDiagrams, getPage } from './page.js'
import { getAccess } from './snapshot.js'
import type { BusView, OpenInspector } from './view.js'

// What the page is made of, by the paths that it is asked for.

export interface PageFile {
  type: string
  text: string
}

/** @param token which each of the page's own requests carries too */
async function loadFiles(token: string, machines: BusView['machines']): Promise<Map<string, PageFile>> {
  const { style, script } = await import('#inspector-files')
  return new Map<string, PageFile>([
    ['/', { type: 'text/html; charset=utf-8', text: getPage(token, drawDiagrams(machines)) }],
    ['/inspector.css', { type: 'text/css; charset=utf-8', text: style }],
    ['/inspector.js', { type: 'text/javascript; charset=utf-8', text: script }],
  ])
}

// Who is answered at all. The address is this machine's own, but others are on it: pages of other sites in the same browser, by
// their own names or by one that was bent to 127.0.0.1 (DNS rebinding), and other users' programs.

export interface Refusal {
  status: number
  text: string
}

export interface RequestPolicy {
  token: string
  port: number
}

const METHODS: readonly unknown[] = ['GET', 'HEAD']

/** @returns `undefined` for whom the page is for */
function getRefusal(
  { method, headers }: IncomingMessage,
  query: URLSearchParams,
  { token, port }: RequestPolicy,
): Refusal | undefined {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`]
  if (!hosts.includes(headers.host ?? '')) return refused('This is no name of the inspector.')
  if (headers.origin !== undefined && headers.origin !== `http://${headers.host}`) return refused(ELSEWHERE)
  if (!['same-origin', 'none', undefined].includes(headers['sec-fetch-site'] as string)) return refused(ELSEWHERE)
  if (!METHODS.includes(method)) return { status: 405, text: 'The inspector only shows: GET and HEAD.' }
  const given = query.getAll('token')
  if (given.length !== 1 || !isSame(given[0]!, token)) return { status: 401, text: NO_TOKEN }
  return undefined
}

const ELSEWHERE = 'No other site may ask the inspector. Open its URL from the address bar.'
const NO_TOKEN = 'The inspector wants the token that is in the URL of bus.inspectServer(). A new one has a new token.'

const refused = (text: string): Refusal => ({ status: 403, text })

/** In a time that tells nothing of either. */
const isSame = (given: string, token: string): boolean => timingSafeEqual(digest(given), digest(token))

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

// What each answer says to a browser: nothing but the page's own files runs or is loaded, nothing is kept, nobody frames it, and
// no text becomes HTML (Trusted Types).

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
  // The token is in the URL.
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/** Connections, answered or not; a page needs two. */
const MAX_CONNECTIONS = 64
const MAX_HEADERS_MS = 5000
const MAX_FIND = 200

export async function openInspector(view: BusView, port: number): Promise<OpenInspector> {
  const token = randomBytes(32).toString('base64url')
  const files = await loadFiles(token, view.machines)
  const server = createServer({ headersTimeout: MAX_HEADERS_MS, connectionsCheckingInterval: MAX_HEADERS_MS })
  server.maxConnections = MAX_CONNECTIONS
  // It keeps no program from ending.
  server.on('connection', socket => void socket.unref())
  const door = { token, port: await listen(server.unref(), port) }
  // A connection that could not be taken is no reason to end the host.
  server.on('error', () => {})
  const feed = new Feed(view)
  const serve = createService({ view, files, feed, door })
  server.on('request', (request, response) => void serve(request, response).catch(() => response.destroy()))
  const closed = once(server, 'close').then(() => {})
  const end = async (why: string): Promise<void> => {
    if (!server.listening) return closed
    server.close()
    feed.end(why)
    // What was written has gone to the system; whoever does not read it is not waited for.
    await new Promise(resolve => setImmediate(resolve))
    server.closeAllConnections()
    await closed
  }
  const close = (): Promise<void> => end('The inspector was closed.')
  return {
    url: `http://127.0.0.1:${door.port}/?token=${token}`,
    end,
    close,
    closed,
    [Symbol.asyncDispose]: close,
  }
}

interface ServiceDeps {
  view: BusView
  files: ReadonlyMap<string, PageFile>
  feed: Feed
  door: RequestPolicy
}

function createService({ view, files, feed, door }: ServiceDeps) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = getUrl(request)
    const refusal = getRefusal(request, searchParams, door)
    if (refusal) return answer(request, response, refusal.status, textFile(refusal.text))
    const file = files.get(pathname)
    if (file) return answer(request, response, 200, file)
    if (pathname === '/access') {
      const access = await getAccess(view, searchParams.get('label') ?? '')
      return answer(request, response, 200, jsonFile(access))
    }
    if (pathname !== '/feed') return answer(request, response, 404, textFile('There is no such page.'))
    if (feed.isFull) return answer(request, response, 503, textFile('Too many pages are open.'))
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' })
    if (request.method === 'HEAD') response.end()
    else feed.add(response, (searchParams.get('find') ?? '').slice(0, MAX_FIND))
  }
}

/** @returns the port, which the system chooses for 0 */
async function listen(server: Server, port: number): Promise<number> {
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening')
    return (server.address() as AddressInfo).port
  } catch (cause) {
    const text = `bus.inspectServer: port ${port} can’t be had: ${(cause as Error).message}`
    throw new BusError('InvalidParams', text, { cause })
  }
}

/** What is no URL is the way to nothing. */
function getUrl({ url = '' }: IncomingMessage): URL {
  const base = 'http://inspector'
  return URL.canParse(url, base) ? new URL(url, base) : new URL('/nothing', base)
}

function answer({ method }: IncomingMessage, response: ServerResponse, status: number, { type, text }: PageFile): void {
  const length = Buffer.byteLength(text)
  const allow = status === 405 ? { allow: 'GET, HEAD' } : {}
  response.writeHead(status, { ...HEADERS, ...allow, 'content-type': type, 'content-length': length })
  response.end(method === 'HEAD' ? undefined : text)
}

const textFile = (text: string): PageFile => ({ type: 'text/plain; charset=utf-8', text: `${text}\n` })
const jsonFile = (value: unknown): PageFile => ({ type: 'application/json', text: JSON.stringify(value) })
