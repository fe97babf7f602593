// `fetch` over `node:http`, for Deno, whose own has no way to a broker. It follows redirects, decodes bodies and can be aborted, and sends the whole
// body of a request at once.
import { BODY_FIELDS, ORIGIN_FIELDS, parseForeignUrl } from '@sallyport/protocol/internal/util'
import type { Agent, ClientRequest, IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'

/** Opens a connection that the broker encrypts if `protocol` says so. */
type Connect = (
  target: { hostname: string; port: string; protocol: string },
  callback: (error: Error | null, socket: unknown) => void,
) => void

const MAX_REDIRECTS = 20
const MAX_CONNECTIONS = 64
const REDIRECTS = new Set([301, 302, 303, 307, 308])
const WITHOUT_BODY = new Set([204, 205, 304])
const DEFAULTS = { accept: '*/*', 'user-agent': 'node', 'accept-encoding': 'gzip, deflate, br' }

export function createHttpFetch(connect: Connect): typeof fetch {
  const { request: open } = process.getBuiltinModule('node:http')
  const agents = new Map(['http:', 'https:'].map(protocol => [protocol, createAgent(protocol, connect)]))

  function send(url: URL, method: string, headers: Headers, body: Uint8Array | undefined, signal: AbortSignal) {
    const agent = agents.get(url.protocol)
    if (!agent) throw new Error(`The scheme ${url.protocol} is not supported`)
    if (body) headers.set('content-length', String(body.byteLength))
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
    // The default agent's protocol is `http:`, and the broker encrypts.
    const fields = { ...DEFAULTS, ...Object.fromEntries(headers), host: url.host }
    return new Promise<IncomingMessage>((resolve, reject) => {
      const sent = open({ agent, host, port, method, path: url.pathname + url.search, headers: fields }, resolve)
      sent.on('error', reject)
      destroyOnAbort(sent, signal)
      sent.end(body)
    })
  }

  return async function fetch(input, init) {
    const request = new Request(input, init)
    const { signal, redirect } = request
    const headers = new Headers(request.headers)
    let { method } = request
    const first = parseForeignUrl(request.url)
    if (!first) throw new TypeError('The URL has a host name that is longer than 253 characters')
    let url = first
    try {
      let body = request.body ? new Uint8Array(await request.arrayBuffer()) : undefined
      for (let redirects = 0; ; redirects++) {
        signal.throwIfAborted()
        const answer = await send(url, method, headers, body, signal)
        const { statusCode: status = 0 } = answer
        const { location } = answer.headers
        if (!REDIRECTS.has(status) || location === undefined || redirect === 'manual') {
          return toResponse(answer, method, url, redirects > 0)
        }
        answer.resume()
        if (redirect === 'error') throw new Error('unexpected redirect')
        if (redirects === MAX_REDIRECTS) throw new Error('redirect count exceeded')
        const from = url.origin
        const next = parseForeignUrl(location, url)
        if (!next) throw new Error('The server redirects to a host name that is longer than 253 characters, or no URL')
        url = next
        const isGet = method === 'GET' || method === 'HEAD'
        if ((status === 303 && !isGet) || (status < 303 && method === 'POST')) {
          method = 'GET'
          body = undefined
          for (const name of BODY_FIELDS) headers.delete(name)
        }
        if (url.origin !== from) for (const name of ORIGIN_FIELDS) headers.delete(name)
      }
    } catch (cause) {
      // Any value can be the reason.
      if (signal.aborted) throw signal.reason
      throw new TypeError('fetch failed', { cause })
    }
  }
}

function createAgent(protocol: string, connect: Connect): Agent {
  const { Agent } = process.getBuiltinModule('node:http')
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS })
  const createConnection = ({ host, port }: { host: string; port: number }, done: Parameters<Connect>[1]): void =>
    connect({ hostname: host, port: String(port), protocol }, done)
  return Object.assign(agent, { createConnection })
}

function destroyOnAbort(stream: ClientRequest | IncomingMessage, signal: AbortSignal): void {
  const abort = (): void => void stream.destroy(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  stream.once('close', () => signal.removeEventListener('abort', abort))
}

function toResponse(answer: IncomingMessage, method: string, url: URL, redirected: boolean): Response {
  const { statusCode: status = 0, statusMessage: statusText, rawHeaders } = answer
  const headers = new Headers()
  for (let index = 0; index < rawHeaders.length; index += 2) headers.append(rawHeaders[index]!, rawHeaders[index + 1]!)
  const hasBody = method !== 'HEAD' && !WITHOUT_BODY.has(status)
  if (!hasBody) answer.resume()
  const { Readable } = process.getBuiltinModule('node:stream')
  const body = hasBody ? (Readable.toWeb(decode(answer, headers.get('content-encoding'))) as ReadableStream) : null
  const response = new Response(body, { status, statusText: statusText ?? '', headers })
  url.hash = ''
  return Object.defineProperties(response, { url: { value: url.href }, redirected: { value: redirected } })
}

function decode(answer: IncomingMessage, encoding: string | null): Readable {
  const zlib = process.getBuiltinModule('node:zlib')
  const decoders = {
    gzip: zlib.createGunzip,
    'x-gzip': zlib.createGunzip,
    deflate: zlib.createInflate,
    br: zlib.createBrotliDecompress,
  }
  const create = Object.hasOwn(decoders, encoding ?? '') ? decoders[encoding as keyof typeof decoders] : undefined
  if (!create) return answer
  const decoder = create()
  // Whoever reads the body gets the error.
  process.getBuiltinModule('node:stream').pipeline(answer, decoder, () => {})
  return decoder
}
