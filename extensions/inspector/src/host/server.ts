// The server behind `bus.openInspector`: checks each request, and serves the page, its feed, and what a frontend may call. Nothing in it
// changes the bus.
import { onNextTick } from '@sallyport/protocol/internal/util'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  getRequestUrl,
  isEqualSecret,
  LOCAL_HEADERS,
  startLocalServer,
  toOneLoopback,
} from '@sallyport/protocol/internal/local-server'
import type { InspectedBus, OpenInspector } from '@sallyport/core/internal'
import { Feed } from './feed.js'
import { explainAccess } from './snapshot.js'

/** Connections, answered or not; a page needs two. */
const MAX_CONNECTIONS = 64
const MAX_FIND_LENGTH = 200

/** Nothing but the page's own files runs or is loaded, no other page frames it, and no text becomes HTML (Trusted Types). */
const CONTENT_POLICY = [
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

const HEADERS = { ...LOCAL_HEADERS, 'content-security-policy': CONTENT_POLICY }

/**
 * Serves the page of a bus on 127.0.0.1.
 *
 * @param options.editor - the URL of a place in an editor, with `{file}`, `{line}` and `{column}`
 * @throws {BusError} InvalidParams if the port is not available
 */
export async function openInspector(
  bus: InspectedBus,
  { port, editor }: { port: number; editor: string },
): Promise<OpenInspector> {
  const token = randomBytes(32).toString('base64url')
  const files = await loadFiles(token)
  const { server, port: usedPort } = await startLocalServer('bus.openInspector', port, MAX_CONNECTIONS)
  const feed = new Feed(bus, editor)
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = getRequestUrl(request)
    const refusal = getRefusal(request, usedPort, searchParams.getAll('token'), token)
    if (refusal) return answer(request, response, refusal.status, toTextFile(refusal.text))
    const file = files.get(pathname)
    if (file) return answer(request, response, 200, file)
    if (pathname === '/access') {
      const access = await explainAccess(bus, searchParams.get('label') ?? '')
      return answer(request, response, 200, { type: 'application/json', text: JSON.stringify(access) })
    }
    if (pathname !== '/feed') return answer(request, response, 404, toTextFile('There is no such page.'))
    if (feed.isFull) return answer(request, response, 503, toTextFile('Too many pages are open.'))
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' })
    if (request.method === 'HEAD') response.end()
    else feed.add(response, { find: getText(searchParams, 'find') ?? '', of: getText(searchParams, 'of') })
  }
  server.on('request', (request, response) => void serve(request, response).catch(() => response.destroy()))
  const closed = once(server, 'close').then(() => {})
  const end = async (reason: string): Promise<void> => {
    if (!server.listening) return closed
    server.close()
    feed.end(reason)
    // The last event is in the system's buffers then. Pages that do not read it are not waited for.
    await new Promise<void>(onNextTick)
    server.closeAllConnections()
    await closed
  }
  const close = (): Promise<void> => end('The inspector was closed.')
  return { url: `http://127.0.0.1:${usedPort}/?token=${token}`, end, close, closed, [Symbol.asyncDispose]: close }
}

type PageFile = { type: string; text: string }

/** Loads the files of the page, by path. Each of the page's own requests carries the token. */
async function loadFiles(token: string): Promise<Map<string, PageFile>> {
  const { html, style, script } = await import('#inspector-files')
  return new Map<string, PageFile>([
    ['/', { type: 'text/html; charset=utf-8', text: html.replaceAll('{{token}}', token) }],
    ['/inspector.css', { type: 'text/css; charset=utf-8', text: style }],
    ['/inspector.js', { type: 'text/javascript; charset=utf-8', text: script }],
  ])
}

const getText = (query: URLSearchParams, name: string): string | undefined => query.get(name)?.slice(0, MAX_FIND_LENGTH)

const refuse = (what: string, seen = '') => {
  return { status: 403, text: `The ${what} ${JSON.stringify(seen.slice(0, 200))} is not allowed. ${OPEN_URL}` }
}
const OPEN_URL = 'Open the URL of the inspector from the address bar.'
const OTHER_SITE = `Requests of other sites are not allowed. ${OPEN_URL}`
const WRONG_TOKEN =
  'The token is missing or wrong. Open the URL of bus.openInspector(); each inspector has a new token.'

/**
 * Returns why a request is refused, or `undefined`. The address is this machine's own, but other users' programs can reach it. Pages
 * of other sites in the same browser can too, even by a name that resolves to 127.0.0.1 (DNS rebinding).
 */
function getRefusal(
  { method = '', headers }: IncomingMessage,
  port: number,
  tokens: readonly string[],
  token: string,
): { status: number; text: string } | undefined {
  const host = `localhost:${port}`
  const site: string | undefined = headers['sec-fetch-site']
  if (toOneLoopback(headers.host ?? '') !== host) return refuse('Host header', headers.host)
  if (headers.origin !== undefined && toOneLoopback(headers.origin) !== `http://${host}`)
    return refuse('origin', headers.origin)
  if (!['same-origin', 'none', undefined].includes(site)) return { status: 403, text: OTHER_SITE }
  if (!['GET', 'HEAD'].includes(method)) return { status: 405, text: 'The inspector is read-only: use GET or HEAD.' }
  if (tokens.length !== 1 || !isEqualSecret(tokens[0]!, token)) return { status: 401, text: WRONG_TOKEN }
  return undefined
}

function answer({ method }: IncomingMessage, response: ServerResponse, status: number, { type, text }: PageFile): void {
  const length = Buffer.byteLength(text)
  const allow = status === 405 ? { allow: 'GET, HEAD' } : {}
  response.writeHead(status, { ...HEADERS, ...allow, 'content-type': type, 'content-length': length })
  response.end(method === 'HEAD' ? undefined : text)
}

const toTextFile = (text: string): PageFile => ({ type: 'text/plain; charset=utf-8', text: `${text}\n` })
