// Gives a thread whose only network is a broker `fetch` and sockets that use it, and the placeholders of its secrets.
import { BROKER_OUTCOME, BROKER_REASON, deadline } from '@sallyport/protocol/internal/contract'
import { type LinkEndpoint, openLink, toStream } from '@sallyport/protocol/internal/link'
import { hasBoundedHost } from '@sallyport/protocol/internal/util'
import type { Socket } from 'node:net'
import { setSecrets } from '../../client/current-client.js'
import type { createHttpFetch } from './http-fetch.js'
import { createRefusal, openTunnel, replaceConnections, setBroker } from './broker-sockets.js'

/**
 * @param env - placeholders by the name of a variable
 * @param link - left out in a process, which has a stream
 * @param createNative - on Deno, whose own `fetch` has no way to a broker
 */
export function useBroker(
  env: Readonly<Record<string, string>>,
  link: LinkEndpoint | undefined,
  createNative?: typeof createHttpFetch,
): void {
  if (link) setBroker(() => toStream(openLink(link, true)))
  Object.assign(process.env, env)
  setSecrets(env)
  const native = createNative?.(connect) ?? globalThis.fetch
  const value = createFetch(native, Object.keys(env).length > 0)
  Object.defineProperty(globalThis, 'fetch', { value, writable: true, enumerable: true, configurable: true })
  replaceConnections()
}

/** Connections: half of those that the broker accepts, because Node counts some for a while after their end, and refuses those that are too many. */
const MAX_OPEN = 128
/** Connections to one host, so that one host that does not answer leaves some to others. */
const MAX_CONNECTIONS = 64
/** Milliseconds until a connection is open, as in Node's own `fetch`. An abort of the request does not end the connect. */
const CONNECT_TIMEOUT_MS = 10_000

interface Target {
  hostname: string
  /** Empty for that of the protocol. */
  port: string
  /** As in URLs. */
  protocol: string
}

type ConnectCallback = (error: Error | null, socket: unknown) => void
/** Of a request. Older versions of Node give it the header fields as bytes. */
interface Handler {
  onHeaders?(status: number, fields: readonly Uint8Array[], ...more: unknown[]): unknown
}
interface Agent {
  dispatch(options: unknown, handler: Handler): unknown
}
type AgentClass = new (options: {
  connections: number
  connect: (target: Target, callback: ConnectCallback) => void
}) => Agent

/** Returns Node's own `fetch` over connections that the broker opens, and encrypts. @param hasSecrets - whether the broker reads the requests, and answers those that it refuses */
export function createFetch(native: typeof fetch, hasSecrets: boolean): typeof fetch {
  let found: RequestInit | undefined
  return async function fetch(input, init) {
    found ??= createDispatcher()
    // A spread has no inherited members.
    const isPlain = init === undefined || init === null || Object.getPrototypeOf(init) === Object.prototype
    let response: Response
    try {
      response = isPlain
        ? await native(input, { ...found, ...init })
        : await native(new Request(input as Request, init), { ...found })
    } catch (error) {
      throw explain(error)
    }
    const outcome = hasSecrets ? response.headers.get(BROKER_OUTCOME) : null
    if (outcome === null) return response
    await response.body?.cancel()
    throw explain(new TypeError('fetch failed', { cause: createRefusal(outcome, response.headers.get(BROKER_REASON)) }))
  }
}

/**
 * Returns the option `dispatcher`, which types of browsers do not have. Returns no option if this version of Node has no such class: then `fetch`
 * connects by `node:net`, and encrypts in this thread.
 */
function createDispatcher(): RequestInit {
  // Node sets its default once one of its classes is used.
  Response.error()
  const defaults = Object.getOwnPropertySymbols(globalThis)
    .filter(({ description }) => description?.startsWith('undici.globalDispatcher.'))
    .map(symbol => (globalThis as unknown as Record<symbol, object>)[symbol]!.constructor)
  const AgentClass = defaults.find(({ name }) => name === 'Agent') as AgentClass | undefined
  if (!AgentClass) return {}
  const dispatcher = new AgentClass({ connections: MAX_CONNECTIONS, connect })
  const { dispatch } = dispatcher
  dispatcher.dispatch = (options, handler) =>
    dispatch.call(dispatcher, options, handler.onHeaders ? guard(handler) : handler)
  return { dispatcher } as object
}

/** Where a server redirects to becomes a `URL`, which versions of Node with this handler read in quadratic time. */
const guard = (handler: Handler): Handler =>
  Object.assign(Object.create(handler), {
    onHeaders(this: Handler, ...args: Parameters<Required<Handler>['onHeaders']>) {
      const [, fields] = args
      // `fetch` joins them with `, `, so that a host could be split over two.
      const location = fields.filter((_, index) => index % 2 === 1 && /^location$/i.test(String(fields[index - 1])))
      if (!hasBoundedHost(location.join(', ')))
        throw new TypeError(
          'The server redirects to a host name that is longer than 253 characters, or 63 between two dots',
        )
      return handler.onHeaders!.apply(this, args)
    },
  })

let open = 0
const waiting = new Set<() => void>()
const idle = new Set<Socket>()

/** Ends connections without a request if others wait, in a later turn: Node can be about to use one. */
const makeRoom = (): void =>
  void setImmediate(() => {
    for (const socket of [...idle].slice(0, waiting.size)) socket.destroy()
  })

function connect({ hostname, port, protocol }: Target, callback: ConnectCallback): void {
  const scheme = protocol.slice(0, -1)
  const { Socket } = process.getBuiltinModule('node:net')
  const options = { host: hostname, port: Number(port) || (scheme === 'https' ? 443 : 80) }
  const fail = (error: Error): void => callback(error, null)
  const socket = new Socket().once('error', fail)
  const end = deadline(CONNECT_TIMEOUT_MS, () => {
    waiting.delete(start)
    socket.destroy(createTimeout())
  })
  let isOpen = false
  const start = (): void => {
    isOpen = true
    open++
    openTunnel(socket, options, scheme)
    // Node calls these when a connection has no request any more, and when it has one again.
    Object.assign(socket, {
      ref: () => (idle.delete(socket), socket),
      unref() {
        if (!socket.destroyed) idle.add(socket)
        makeRoom()
        return socket
      },
    })
  }
  socket.once('close', () => {
    end()
    idle.delete(socket)
    if (!isOpen) return
    open--
    const [next] = waiting
    if (next && waiting.delete(next)) next()
  })
  socket.once('connect', () => {
    end()
    callback(null, socket.off('error', fail))
  })
  if (open < MAX_OPEN) return start()
  waiting.add(start)
  makeRoom()
}

const createTimeout = (): Error =>
  Object.assign(new Error(`Connect timed out after ${CONNECT_TIMEOUT_MS} ms`), { code: 'UND_ERR_CONNECT_TIMEOUT' })

/** What is denied is the error's own message: most code prints no causes. */
function explain(error: unknown): unknown {
  // A request can be aborted with any reason, also `null`.
  const { cause }: { cause?: NodeJS.ErrnoException } = Object(error)
  if (cause?.code !== 'ERR_ACCESS_DENIED') return error
  return Object.assign(new TypeError(cause.message, { cause }), { code: cause.code })
}
