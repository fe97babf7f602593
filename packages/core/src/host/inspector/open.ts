// The server behind `bus.inspectServer`: checks who asks, and serves the page, its style and script, its feed, and who may call
// what. Nothing in it changes the bus.
import { BusError } from '@sallyport/protocol'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { accessOf } from './access.js'
import { Feed } from './feed.js'
import { loadFiles, type PageFile } from './files.js'
import { refusalOf, type Door } from './guard.js'
import { HEADERS } from './headers.js'
import type { OpenInspector } from './inspector.js'
import type { BusView } from './view.js'

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

interface ServiceParts {
  view: BusView
  files: ReadonlyMap<string, PageFile>
  feed: Feed
  door: Door
}

function createService({ view, files, feed, door }: ServiceParts) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = urlOf(request)
    const refusal = refusalOf(request, searchParams, door)
    if (refusal) return answer(request, response, refusal.status, textFile(refusal.text))
    const file = files.get(pathname)
    if (file) return answer(request, response, 200, file)
    if (pathname === '/access') {
      const access = await accessOf(view, searchParams.get('label') ?? '')
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
function urlOf({ url = '' }: IncomingMessage): URL {
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
