// `fetch` for a process whose only network is a broker: it sends each request to the broker, which connects to the host and encrypts.
import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2'
import type { Readable } from 'node:stream'
import { BROKER_OUTCOME, BROKER_REASON, CONNECTION_HEADERS } from '@sallyport/protocol/internal/contract'
import { getRefusal, requestBroker } from './broker-session.js'

type Body = Uint8Array | ReadableStream<Uint8Array> | null

/** One request over the network. */
interface Hop {
  readonly url: URL
  readonly method: string
  readonly headers: Headers
  readonly body: Body
}

const MAX_REDIRECTS = 20
const REDIRECTS = [301, 302, 303, 307, 308]
const WITHOUT_BODY = [101, 103, 204, 205, 304]
const SENSITIVE = ['authorization', 'cookie', 'proxy-authorization']
const OF_BODY = ['content-type', 'content-length', 'content-encoding', 'content-language', 'content-location']

/** Returns `fetch` over the broker. @param native - for URLs that need no network, such as `data:` */
export const createFetch = (native: typeof fetch): typeof fetch =>
  async function fetch(input, init) {
    const request = new Request(input as Request, init)
    const url = new URL(request.url)
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return native(request)
    const { signal, redirect } = request
    signal.throwIfAborted()
    const body = await readBody(request, input, init)
    let hop: Hop = { url, method: request.method, headers: new Headers(request.headers), body }
    for (let redirects = 0; ; redirects++) {
      const { stream, headers } = await send(hop, signal)
      const status = Number(headers[':status'])
      const { location } = headers
      if (!REDIRECTS.includes(status) || location === undefined || redirect === 'manual') {
        return createResponse(stream, headers, hop, redirects > 0, signal)
      }
      stream.close()
      if (redirect === 'error') throw createError(new Error('unexpected redirect'))
      if (redirects === MAX_REDIRECTS) throw createError(new Error('redirect count exceeded'))
      hop = getNextHop(hop, status, location)
    }
  }

/** A stream can be sent once. Other bodies are read first, so that a redirect can repeat them. */
async function readBody(request: Request, input: unknown, init: RequestInit | undefined): Promise<Body> {
  if (!request.body) return null
  const given: unknown = init?.body ?? undefined
  const isStream =
    given instanceof ReadableStream || (typeof given === 'object' && given !== null && Symbol.asyncIterator in given)
  if (isStream || (given === undefined && input instanceof Request)) return request.body
  return new Uint8Array(await request.arrayBuffer())
}

function getNextHop({ url, method, headers, body }: Hop, status: number, location: string): Hop {
  // Node reads headers as Latin-1, and servers send UTF-8.
  const target = Buffer.from(location, 'latin1').toString()
  if (!URL.canParse(target, url.href)) throw createError(new Error('invalid redirect'))
  const next = new URL(target, url)
  if (next.protocol !== 'http:' && next.protocol !== 'https:') throw createError(new Error('unknown scheme'))
  if (next.hash === '') next.hash = url.hash
  const isPost = (status === 301 || status === 302) && method === 'POST'
  const dropsBody = isPost || (status === 303 && method !== 'GET' && method !== 'HEAD')
  if (!dropsBody && body instanceof ReadableStream) throw createError(new Error('a stream cannot be sent again'))
  const kept = new Headers(headers)
  for (const name of next.origin === url.origin ? [] : SENSITIVE) kept.delete(name)
  for (const name of dropsBody ? OF_BODY : []) kept.delete(name)
  return { url: next, method: dropsBody ? 'GET' : method, headers: kept, body: dropsBody ? null : body }
}

/** Resolves with the head of the host's response. */
function send(
  { url, method, headers, body }: Hop,
  signal: AbortSignal,
): Promise<{ stream: ClientHttp2Stream; headers: IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    let stream: ClientHttp2Stream
    try {
      if (url.username !== '' || url.password !== '')
        throw new Error('the URL includes credentials. Send them in a header')
      stream = requestBroker({ ...getHeaders(url, method, headers, body) }, body === null)
    } catch (error) {
      return reject(createError(error as Error))
    }
    const abort = (): void => {
      stream.destroy()
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', abort)
    stream.on('error', error => reject(createError(error)))
    stream.once('close', () => {
      signal.removeEventListener('abort', abort)
      reject(createError(new Error('The connection was closed')))
    })
    stream.once('response', received => {
      const refusal = getRefusal(received)
      if (!refusal) return resolve({ stream, headers: received })
      stream.close()
      reject(createError(refusal))
    })
    if (body instanceof Uint8Array) stream.end(body)
    else if (body) {
      const { pipeline, Readable } = process.getBuiltinModule('node:stream')
      pipeline(Readable.fromWeb(body as never), stream, error => {
        if (error) reject(createError(error))
      })
    }
  })
}

function getHeaders(url: URL, method: string, headers: Headers, body: Body): Record<string, string> {
  const sent: Record<string, string> = {
    ...{ accept: '*/*', 'accept-language': '*', 'user-agent': 'node', 'accept-encoding': 'gzip, deflate, br' },
  }
  for (const [name, value] of headers)
    if (!CONNECTION_HEADERS.has(name) && name !== 'content-length') sent[name] = value
  if (body instanceof Uint8Array) sent['content-length'] = String(body.byteLength)
  else if (!body && ['POST', 'PUT', 'PATCH'].includes(method)) sent['content-length'] = '0'
  const target = { ':method': method, ':scheme': url.protocol.slice(0, -1), ':authority': url.host }
  return { ...sent, ...target, ':path': url.pathname + url.search }
}

function createResponse(
  stream: ClientHttp2Stream,
  received: IncomingHttpHeaders,
  { url, method }: Hop,
  redirected: boolean,
  signal: AbortSignal,
): Response {
  const headers = new Headers()
  for (const [name, value] of Object.entries(received)) {
    if (name.startsWith(':') || name === BROKER_OUTCOME || name === BROKER_REASON || value === undefined) continue
    for (const each of [value].flat()) headers.append(name, each)
  }
  const status = Number(received[':status'])
  const hasBody = method !== 'HEAD' && !WITHOUT_BODY.includes(status)
  if (!hasBody) stream.resume()
  const body = hasBody ? readResponse(stream, headers.get('content-encoding'), signal) : null
  const { STATUS_CODES } = process.getBuiltinModule('node:http')
  const response = new Response(body, { status, statusText: STATUS_CODES[status] ?? '', headers })
  const { href } = url
  return describe(response, href.replace(/#.*$/s, ''), redirected)
}

/** Gives a response, and its clones, what only `fetch` itself can set. */
function describe(response: Response, url: string, redirected: boolean): Response {
  const { clone } = response
  const get = <T>(value: T): PropertyDescriptor => ({ value, configurable: true, enumerable: true })
  return Object.defineProperties(response, {
    url: get(url),
    redirected: get(redirected),
    type: get('basic'),
    clone: { ...get(() => describe(clone.call(response), url, redirected)), enumerable: false },
  })
}

/** Returns the body, decompressed as it is read. A body that is cut off is an error. */
function readResponse(stream: ClientHttp2Stream, encoding: string | null, signal: AbortSignal): ReadableStream {
  const source = decompress(stream, encoding)
  let settle = (): void => {}
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const fail = (error: unknown): void => {
        settle()
        controller.error(error)
        stream.destroy()
      }
      const abort = (): void => fail(signal.reason)
      const close = (): void => fail(createTerminated(stream.rstCode))
      signal.addEventListener('abort', abort)
      settle = () => {
        settle = () => {}
        signal.removeEventListener('abort', abort)
        for (const [name, listener] of Object.entries(listeners)) source.off(name, listener as () => void)
        stream.off('close', closeEarly)
        source.on('error', () => {})
      }
      const closeEarly = (): void => {
        if (stream.rstCode !== 0) close()
      }
      const listeners = {
        data(chunk: Buffer) {
          controller.enqueue(new Uint8Array(chunk))
          if ((controller.desiredSize ?? 0) <= 0) source.pause()
        },
        end() {
          // A stream that is reset ends, too.
          if (stream.rstCode !== 0) return close()
          settle()
          controller.close()
        },
        error: fail,
      }
      for (const [name, listener] of Object.entries(listeners)) source.on(name, listener as () => void)
      stream.on('close', closeEarly)
      source.pause()
    },
    pull: () => void source.resume(),
    cancel() {
      settle()
      stream.destroy()
    },
  })
}

const createTerminated = (code: number | undefined): TypeError =>
  new TypeError('terminated', { cause: new Error(`The connection was closed (HTTP/2 code ${code})`) })

function decompress(stream: ClientHttp2Stream, encoding: string | null): Readable {
  const decompressors = (encoding ?? '').split(',').map(name => createDecompressor(name.trim().toLowerCase()))
  if (!decompressors.every(step => step !== undefined)) return stream
  const { pipeline } = process.getBuiltinModule('node:stream')
  return pipeline([stream, ...decompressors.toReversed()] as never, () => {}) as unknown as Readable
}

function createDecompressor(encoding: string): NodeJS.ReadWriteStream | undefined {
  const zlib = process.getBuiltinModule('node:zlib')
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return zlib.createGunzip({ flush: zlib.constants.Z_SYNC_FLUSH, finishFlush: zlib.constants.Z_SYNC_FLUSH })
    case 'deflate':
      return zlib.createInflate()
    case 'br':
      return zlib.createBrotliDecompress()
    default:
      return undefined
  }
}

/** What is denied is the error's own message: most code prints no causes. */
function createError(cause: Error): Error {
  const { code } = cause as NodeJS.ErrnoException
  const isDenied = code === 'ERR_ACCESS_DENIED'
  return Object.assign(new TypeError(isDenied ? cause.message : 'fetch failed', { cause }), isDenied && { code })
}
