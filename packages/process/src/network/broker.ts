// The broker of a frontend's network: it opens the connections, and makes the requests, that the frontend asks for, to hosts of a list. The
// frontend, which is untrusted, has no other way to the network.
import { lookup as lookupName } from 'node:dns'
import { type ClientRequest, type IncomingMessage, METHODS, request as requestHttp } from 'node:http'
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2'
import { request as requestHttps } from 'node:https'
import { connect, isIP, type LookupFunction, type Socket } from 'node:net'
import { type Duplex, pipeline } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { AddressFilter, type Lookup, PrivateAddressError, SEVERAL_ADDRESSES } from '@sallyport/paths/internal/addresses'
import {
  BROKER_OUTCOME,
  BROKER_REASON,
  BROKER_SCHEME,
  CONNECTION_HEADERS,
  silence,
} from '@sallyport/protocol/internal/contract'
import { formatTarget, HostList, type HostTarget, parseAuthority } from './host-list.js'
import { type Secret, SecretHeaders } from './secrets.js'

export interface BrokerOptions {
  readonly hosts: readonly string[]
  readonly secrets: readonly Secret[]
}

/** What the host is informed of: the frontend gets less. */
export interface BrokerDenial {
  readonly host: string
  readonly hint: string
}

export type BrokerStream = Duplex & {
  readonly headersSent: boolean
  respond(headers: OutgoingHttpHeaders, options?: { endStream?: boolean }): void
}

export const MAX_HEADER_BYTES: number = 64 * 1024
/** Milliseconds without data, also until a connection is open. */
const IDLE_MS = 300_000
const MAX_WAITING_LOOKUPS = 1000
const MAX_INFORMATION = 100
/** TRACE returns headers, with the values of secrets. CONNECT is handled before. */
const ALLOWED_METHODS = new Set(METHODS.filter(method => !['CONNECT', 'TRACE', 'TRACK'].includes(method)))

export class Broker {
  readonly #hosts: HostList
  readonly #secrets: SecretHeaders
  readonly #lookup: Lookup
  readonly #onDenied: (denial: BrokerDenial) => void
  readonly #lookups = new LookupQueue()

  constructor(
    { hosts, secrets }: BrokerOptions,
    onDenied: (denial: BrokerDenial) => void,
    lookup: Lookup = lookupName,
  ) {
    this.#hosts = new HostList(hosts)
    this.#secrets = new SecretHeaders(secrets)
    this.#lookup = lookup
    this.#onDenied = onDenied
  }

  /** @param headers - as in HTTP/2. @param isEnd - whether it has no body */
  serve(stream: BrokerStream, headers: IncomingHttpHeaders, isEnd: boolean): void {
    stream.on('error', () => {})
    const { ':method': method = '', ':scheme': scheme = '', ':authority': authority = '' } = headers
    const isTunnel = method === 'CONNECT'
    const target = parseAuthority(authority, isTunnel ? undefined : PORTS.get(scheme))
    const isValid = isTunnel || (ALLOWED_METHODS.has(method) && PORTS.has(scheme))
    if (!target || !isValid) return respondFailure(stream, 'Invalid request')
    if (!this.#hosts.allows(target)) {
      const entry = JSON.stringify(formatTarget(target))
      return this.#deny(
        stream,
        target,
        `Add ${entry} to "net" of its sandbox`,
        `Allow it with ${entry} in "net" of its sandbox.`,
      )
    }
    try {
      const lookup = this.#getLookup(target, stream)
      if (isTunnel) this.#tunnel(stream, target, lookup, headers[BROKER_SCHEME] === 'https')
      else this.#forward(stream, headers, isEnd, target, lookup)
    } catch (error) {
      this.#fail(stream, target, error as Error)
    }
  }

  /** @throws {PrivateAddressError} */
  #getLookup(target: HostTarget, stream: BrokerStream): LookupFunction {
    const addresses = new AddressFilter([], this.#lookups.limit(this.#lookup, stream))
    return addresses.getLookup(target.hostname, this.#hosts.namesAddress(target))
  }

  #tunnel(stream: BrokerStream, target: HostTarget, lookup: LookupFunction, isEncrypted: boolean): void {
    const { hostname: host, port } = target
    // The host can end first: what it has sent before is still on its way, and the stream ends later.
    const options = { host, port, lookup, ...SEVERAL_ADDRESSES, allowHalfOpen: true }
    const servername = isIP(host) === 0 ? host : ''
    const socket = isEncrypted ? connectTls({ ...options, servername, ALPNProtocols: ['http/1.1'] }) : connect(options)
    watchIdle(socket)
    stream.once('close', () => socket.destroy())
    socket.on('error', error => this.#fail(stream, target, error))
    socket.once(isEncrypted ? 'secureConnect' : 'connect', () => {
      if (stream.destroyed || stream.closed) return
      stream.respond({ ':status': 200, [BROKER_OUTCOME]: 'response' })
      pipeline(stream, socket, () => {})
      pipeline(socket, stream, () => {})
    })
  }

  #forward(
    stream: BrokerStream,
    { ':method': method, ':scheme': scheme, ':path': path = '', ...received }: IncomingHttpHeaders,
    isEnd: boolean,
    target: HostTarget,
    lookup: LookupFunction,
  ): void {
    if (!path.startsWith('/')) return respondFailure(stream, 'Invalid request')
    const isEncrypted = scheme === 'https'
    const headers = frameBody(getHeaders(received), isEnd)
    const misplaced = this.#secrets.findMisplaced(headers, path, target, isEncrypted)
    if (misplaced !== undefined) {
      const name = JSON.stringify(misplaced)
      const remedy = isEncrypted ? `Add the host to "secrets" of its sandbox if ${name} is meant for it` : 'Use https:'
      const hint = `The request has the placeholder of the secret ${name}. ${remedy}`
      return this.#deny(stream, target, hint, `The secret ${name} is for other hosts.`)
    }
    const filled = this.#secrets.fill(headers, MAX_HEADER_BYTES)
    if (!filled) return respondFailure(stream, `The head of the request is longer than ${MAX_HEADER_BYTES} bytes`)
    // A host can take what follows a body that was cut off for a part of it. Then a secret in a next head would be in a body, which hosts quote
    // and store. So each request has a connection of its own.
    const request = (isEncrypted ? requestHttps : requestHttp)({
      ...{ method, path, lookup, ...SEVERAL_ADDRESSES, agent: false, insecureHTTPParser: false },
      ...{ hostname: target.hostname, port: target.port, maxHeaderSize: MAX_HEADER_BYTES },
      headers: filled,
    })
    watch(stream, request, error => this.#fail(stream, target, error))
    if (isEnd) request.end()
    else pipeline(stream, request, () => {})
  }

  #fail(stream: BrokerStream, target: HostTarget, error: Error): void {
    if (stream.headersSent) return void stream.destroy(error)
    if (error instanceof PrivateAddressError) {
      const hint = `${error.message}. Name the IP address, or localhost, in "net" of its sandbox if this is intended`
      return this.#deny(stream, target, hint, 'It has a private address.')
    }
    const { code, message, syscall }: NodeJS.ErrnoException = error
    // The message of an error of one address, and the errors of several, have the addresses.
    const isConnect = syscall === 'connect' || error instanceof AggregateError
    const why = isConnect ? `connect ${code ?? 'failed'}` : message
    const text = code === undefined || why.includes(code) ? why : `${why} (${code})`
    respondFailure(stream, isConnect || syscall === 'getaddrinfo' ? text + explainProxy() : text)
  }

  /** @param hint - for the host. @param reason - for the frontend, which must not learn of addresses */
  #deny(stream: BrokerStream, target: HostTarget, hint: string, reason: string): void {
    const host = formatTarget(target)
    this.#onDenied({ host, hint })
    refuse(stream, 'denied', `The sandbox denied the network to ${host}. ${reason}`)
  }
}

/**
 * Resolutions of names of one frontend. Node cannot cancel them, and runs two at a time, those of the host among them: a frontend whose names are never
 * answered would delay the host. So one runs at a time for all frontends of a thread, which take turns.
 */
class LookupQueue {
  static readonly #turns = new Set<LookupQueue>()
  static #isRunning = false
  #waiting: Resolution[] = []

  /** Returns a function that resolves names when it is the turn of this queue, for as long as a stream is open. */
  limit(lookup: Lookup, stream: BrokerStream): Lookup {
    return (name, options, callback) => {
      if (this.#waiting.length >= MAX_WAITING_LOOKUPS)
        return callback(new Error('Too many names are being resolved'), [])
      const run = (): void =>
        lookup(name, options, (...found) => {
          LookupQueue.#isRunning = false
          LookupQueue.#next()
          callback(...found)
        })
      this.#waiting.push({ stream, run })
      LookupQueue.#turns.add(this)
      LookupQueue.#next()
    }
  }

  static #next(): void {
    for (const queue of LookupQueue.#turns) {
      if (LookupQueue.#isRunning) return
      LookupQueue.#turns.delete(queue)
      const [first, ...others] = queue.#waiting.filter(({ stream }) => !stream.destroyed)
      queue.#waiting = others
      if (!first) continue
      LookupQueue.#isRunning = true
      if (others.length > 0) LookupQueue.#turns.add(queue)
      first.run()
    }
  }
}

interface Resolution {
  readonly stream: BrokerStream
  run(): void
}

const PROXY_VARIABLES = ['HTTPS_PROXY', 'HTTP_PROXY', 'https_proxy', 'http_proxy']

/** In a network that is left through a proxy alone, no host of a list is reached. The name of a variable is no secret. */
function explainProxy(): string {
  const name = PROXY_VARIABLES.find(each => process.env[each])
  return name === undefined ? '' : `: hosts of a list are reached directly, and not through the proxy of ${name}`
}

const PORTS: ReadonlyMap<string, number> = new Map([
  ['http', 80],
  ['https', 443],
])
const IDLE = `No data for ${IDLE_MS} ms`

function getHeaders(received: IncomingHttpHeaders): Record<string, string | string[]> {
  const headers = Object.entries(received).filter(([name]) => !name.startsWith(':') && !CONNECTION_HEADERS.has(name))
  return Object.fromEntries(headers.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}

/** Makes sure that a host knows where a request ends. Node frames no body of methods that have none by default. */
function frameBody(
  { 'content-length': length, ...headers }: Record<string, string | string[]>,
  isEnd: boolean,
): Record<string, string | string[]> {
  if (isEnd) return headers
  return { ...headers, ...(length === undefined ? { 'transfer-encoding': 'chunked' } : { 'content-length': length }) }
}

function watchIdle(socket: Socket): void {
  const readSign = (): unknown => socket.bytesRead + socket.bytesWritten
  const end = silence(IDLE_MS, { readSign, keepsAlive: false }, () => socket.destroy(new Error(IDLE)))
  socket.once('close', end)
}

/** Answers a stream with the response to a request, which ends with the stream. */
function watch(stream: BrokerStream, request: ClientRequest, onError: (error: Error) => void): void {
  stream.once('close', () => request.destroy())
  request.on('error', onError)
  request.on('socket', watchIdle)
  request.on('upgrade', (_response, socket) => {
    socket.destroy()
    respondFailure(stream, 'The host switched protocols')
  })
  let information = 0
  request.on('information', () => {
    if (++information > MAX_INFORMATION) request.destroy(new Error('The response has too many informational heads'))
  })
  request.on('response', response => respond(stream, response))
}

function respond(stream: BrokerStream, response: IncomingMessage): void {
  response.on('error', () => {})
  if (stream.destroyed) return void response.destroy()
  try {
    const headers = getHeaders(response.headers)
    stream.respond({ ...headers, ':status': response.statusCode, [BROKER_REASON]: '', [BROKER_OUTCOME]: 'response' })
  } catch (error) {
    response.destroy()
    return respondFailure(stream, `The host sent an invalid response: ${(error as Error).message}`)
  }
  // Some requests and statuses have no body, and HTTP/2 ends them with their head.
  if (stream.writableEnded) return void response.resume()
  // It destroys the stream with the error of a response that is cut off. `close` before that would leave the stream open.
  pipeline(response, stream, () => {})
}

export const respondFailure = (stream: BrokerStream, reason: string): void => refuse(stream, 'failed', reason)

function refuse(stream: BrokerStream, outcome: 'denied' | 'failed', reason: string): void {
  if (stream.destroyed || stream.closed || stream.headersSent) return
  const text = reason.replaceAll(/[^\x20-\x7e]+/g, ' ').trim()
  stream.respond(
    { ':status': outcome === 'denied' ? 403 : 502, [BROKER_OUTCOME]: outcome, [BROKER_REASON]: text },
    { endStream: true },
  )
  // The rest of a body is dropped. Node 26 would drop the response too, if the stream were closed now.
  stream.resume()
}
