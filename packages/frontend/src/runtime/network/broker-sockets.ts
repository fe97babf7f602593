// Sockets of `node:net` and `node:tls` for a thread whose only network is a broker: they are tunnels, and encrypt in this thread. `node:http`,
// `node:https`, `WebSocket` of Node and packages that connect by these modules use them, too. The connection to the broker is HTTP/2 over a
// stream of the process, or a link of the worker, and opened with the first request.
// Node's modules are loaded when they are needed: most frontends have no network.
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2'
import type { Socket, SocketConstructorOpts } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { BROKER_OUTCOME, BROKER_REASON, BROKER_SCHEME, every, silence } from '@sallyport/protocol/internal/contract'
import { writeAhead } from '@sallyport/protocol/internal/link'

interface ConnectOptions extends SocketConstructorOpts {
  host?: string | undefined
  port?: number | undefined
  /** A socket of the file system. */
  path?: string | undefined
  /** Milliseconds. */
  timeout?: number | undefined
  /** The one that is encrypted. */
  socket?: Socket | undefined
}

type Connect<This, Result> = (this: This, ...args: unknown[]) => Result
type Done = (error?: Error | null) => void

/** What `node:stream` documents for its implementers, and `node:net` for itself. */
interface SocketInternals {
  _undestroy(): void
  _unrefTimer(): void
  _destroy(error: Error | null, done: Done): void
}

/** Replaces how all of these connect, also for sockets and agents that packages have made. Sockets of the file system stay as they are. */
export function replaceConnections(): void {
  const { Socket } = process.getBuiltinModule('node:net')
  const tls = process.getBuiltinModule('node:tls')
  const prototype = Socket.prototype as unknown as { connect: Connect<Socket, Socket> }
  const { connect } = prototype
  prototype.connect = function (...args) {
    // `net.connect` passes on an array.
    const parameters = Array.isArray(args[0]) ? (args[0] as unknown[]) : args
    const options = toOptions(parameters)
    if (!isRemote(options) || this instanceof tls.TLSSocket) return connect.apply(this, args)
    const callback = parameters.at(-1)
    if (typeof callback === 'function') this.once('connect', callback as () => void)
    return openTunnel(this, options)
  }
  const encrypted = tls as unknown as { connect: Connect<unknown, TLSSocket> }
  const { connect: connectTls } = encrypted
  encrypted.connect = (...args) => {
    const options = toOptions(args)
    const { socket, timeout, allowHalfOpen } = options
    const base = socket ?? (isRemote(options) ? openTunnel(new Socket({ allowHalfOpen }), options) : undefined)
    if (!base) return connectTls(...args)
    const opened = connectTls({ ...options, path: undefined, socket: base })
    // Node emits the error of `base` here, and then another one for what was being written, unless this one is destroyed.
    base.once('error', () => void opened.destroy())
    // oxlint-disable-next-line sallyport/no-own-timers -- that of the program, which it has set
    if (!socket && timeout) opened.setTimeout(timeout)
    const callback = args.at(-1)
    if (typeof callback === 'function') opened.once('secureConnect', callback as () => void)
    // Node waits until a socket without a handle connects, which this one has done.
    if (opened.connecting && base.readyState === 'open') {
      Object.assign(opened, { connecting: false })
      opened.emit('connect')
    }
    return opened
  }
  process.getBuiltinModule('node:module').syncBuiltinESMExports()
}

function toOptions([first, second, third]: readonly unknown[]): ConnectOptions {
  if (typeof first === 'object') return { ...first }
  if (typeof first === 'string' && !/^\d+$/.test(first)) return { path: first }
  const host = typeof second === 'string' ? second : undefined
  const more = typeof second === 'object' ? second : typeof third === 'object' ? third : undefined
  return { ...more, ...(host !== undefined && { host }), port: Number(first) }
}

const isRemote = ({ path, socket }: ConnectOptions): boolean => !path && !socket

/** Connects a socket, which has no handle of Node, to a host. @param scheme - as of `connectByBroker` */
export function openTunnel(socket: Socket, { host, port = 80 }: ConnectOptions, scheme?: string): Socket {
  const name = host || 'localhost'
  const authority = `${name.includes(':') ? `[${name}]` : name}:${port}`
  const stream = connectByBroker(authority, scheme)
  const internals = socket as unknown as SocketInternals
  // As when Node connects a socket again.
  if (socket.destroyed) internals._undestroy()
  if (!stream) {
    // The caller, such as `node:tls`, has no listeners yet.
    process.nextTick(() => socket.destroy(createRefusal()))
    return Object.assign(socket, { connecting: true })
  }
  const { _destroy: destroy }: SocketInternals = Object.getPrototypeOf(socket)
  const chain = (): Socket => socket
  let isOver = false
  /**
   * As with sockets of Node, an end comes in a later turn of the event loop than the data before it. If both come in one, the body of a `fetch`
   * never ends. Unless the socket has been connected again.
   */
  const later = (run: () => void): void => void setImmediate(() => isOver || run())
  /** Without an error, those who connect would wait, and a body without a length would seem to be whole. */
  const end = (error?: Error): void =>
    later(() => socket.destroy(error && !socket.connecting ? error : createRefusal(undefined, error?.message)))
  Object.assign(socket, {
    ...{ connecting: true, ref: chain, unref: chain },
    _read: () => void stream.resume(),
    _write(chunk: Buffer | string, encoding: BufferEncoding, done: Done) {
      internals._unrefTimer()
      // Streams of HTTP/2 lose the content of strings in Latin-1, which `node:http` writes.
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk
      const put = (at: number): void => {
        const end = at + PART_BYTES
        const next = (error?: Error | null): void => (error || end >= bytes.length ? done(error) : put(end))
        stream.write(bytes.subarray(at, end), next)
      }
      put(0)
    },
    _writev: undefined,
    _final: (done: Done) => void stream.end(done),
    _destroy(error: Error | null, done: Done) {
      isOver = true
      // Node 20 allows few resets, and a refused stream needs none. After one without an error, the broker would wait until the host has read.
      if (stream.endAfterHeaders) stream.end()
      else stream.destroy(error ?? createRefusal())
      destroy.call(socket, error, done)
    },
  })
  stream.on('data', (chunk: Buffer) => {
    internals._unrefTimer()
    if (!socket.push(chunk)) stream.pause()
  })
  stream.once('end', () => later(() => void (stream.aborted || socket.push(null))))
  stream.on('error', end)
  // What was not read yet is kept if both sides have ended.
  stream.once('close', () => {
    if (socket.connecting || stream.aborted || !stream.readableEnded || stream.rstCode !== 0) end()
  })
  stream.once('response', headers => {
    const refusal = getRefusal(headers)
    if (refusal) return void socket.destroy(refusal)
    Object.assign(socket, { connecting: false })
    socket.emit('connect')
    socket.emit('ready')
  })
  return socket
}

/** Of one write: from Node 22 on, all that a stream has is sent before anything of another one. */
const PART_BYTES = 2 ** 16
const WINDOW_BYTES = 256 * 1024
/** As the broker's. */
const WRITE_AHEAD_BYTES = 2 ** 20
const PING_MS = 10_000
const SILENT_MS = 60_000
const MAX_HEADER_BYTES = 64 * 1024
/** In MB: no limit. Node goes on to count what was being written when a stream is reset, and by its default of 10 would refuse all streams later. */
const MAX_SESSION_MB = 1_000_000

let openPipe: (() => Duplex) | undefined
let session: ClientHttp2Session | undefined
let openStreams = 0

/** Returns a stream to a host, or `undefined` if the broker has closed. @param scheme - of the requests that follow, which the broker encrypts, if they are those of `fetch` */
function connectByBroker(authority: string, scheme?: string): ClientHttp2Stream | undefined {
  session ??= openSession()
  if (session.destroyed || session.closed) return undefined
  const headers = { ':method': 'CONNECT', ':authority': authority, ...(scheme && { [BROKER_SCHEME]: scheme }) }
  const stream = session.request(headers, { endStream: false })
  openStreams++
  return stream.once('close', () => openStreams--)
}

/** @param open - opens the pipe to the broker, once it is needed */
export const setBroker = (open: () => Duplex): void => void (openPipe = open)

function openSession(): ClientHttp2Session {
  const { connect } = process.getBuiltinModule('node:http2')
  const pipe = openPipe!()
  writeAhead(pipe, WRITE_AHEAD_BYTES)
  const opened = connect('http://broker', {
    createConnection: () => pipe,
    maxSessionMemory: MAX_SESSION_MB,
    settings: { enablePush: false, initialWindowSize: WINDOW_BYTES, maxHeaderListSize: MAX_HEADER_BYTES },
  })
  watch(opened)
  // Each stream has an error of its own.
  return opened.on('error', () => {})
}

/** Ends a session whose broker does not answer while a request waits: its requests fail, and do not wait for ever. */
function watch(opened: ClientHttp2Session): void {
  let answers = 0
  let isAsked = false
  const stopAsking = every(PING_MS, () => {
    if (isAsked || openStreams === 0) return
    isAsked = opened.ping(() => {
      isAsked = false
      answers++
    })
  })
  const readSign = (): unknown => (openStreams === 0 ? {} : answers)
  const late = (): void => opened.destroy(createRefusal(undefined, `The broker did not answer for ${SILENT_MS} ms`))
  const stopWatching = silence(SILENT_MS, { readSign, keepsAlive: false }, late)
  opened.once('close', () => {
    stopAsking()
    stopWatching()
  })
}

const getRefusal = ({ [BROKER_OUTCOME]: outcome, [BROKER_REASON]: reason }: IncomingHttpHeaders): Error | undefined =>
  outcome === 'response' ? undefined : createRefusal(outcome, reason)

/** Returns the error of a broker that has closed, unless it has answered. */
export function createRefusal(outcome?: unknown, reason?: unknown): Error {
  const error = new Error(String(reason ?? 'The broker of the network has closed'))
  return Object.assign(error, { code: outcome === 'denied' ? 'ERR_ACCESS_DENIED' : 'ERR_NETWORK' })
}
