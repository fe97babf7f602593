// The connection of this thread to the broker of its network: HTTP/2 over a pipe of the process, or a link of the worker. It is opened with the first request.
// Node's modules are loaded when they are needed: most frontends have no network.
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2'
import type { Duplex } from 'node:stream'
import { type LinkEndpoint, openLink, toStream } from '@sallyport/protocol/internal/link'
import { BROKER_OUTCOME, BROKER_REASON, BROKER_SCHEME, PROCESS_PIPES } from '@sallyport/protocol/internal/contract'

/** Bytes of one body that were received and not read. */
const WINDOW_BYTES = 256 * 1024
const MAX_HEADER_BYTES = 64 * 1024
/** In MB: no limit. Node goes on to count what was being written when a stream is reset, and by its default of 10 would refuse all streams later. */
const MAX_SESSION_MB = 1_000_000

let endpoint: LinkEndpoint | undefined
let session: ClientHttp2Session | undefined

/** Returns a stream to a host, or `undefined` if the broker has closed. @param scheme - of the requests that follow, which the broker encrypts, if they are those of `fetch` */
export function connectByBroker(authority: string, scheme?: string): ClientHttp2Stream | undefined {
  session ??= openSession()
  if (session.destroyed || session.closed) return undefined
  const headers = { ':method': 'CONNECT', ':authority': authority, ...(scheme && { [BROKER_SCHEME]: scheme }) }
  return session.request(headers, { endStream: false })
}

/** @param link - left out in a process, which has a pipe */
export const setBroker = (link: LinkEndpoint | undefined): void => void (endpoint = link)

function openPipe(): Duplex {
  const { Socket } = process.getBuiltinModule('node:net')
  return new Socket({ fd: PROCESS_PIPES.network })
}

function openSession(): ClientHttp2Session {
  const { connect } = process.getBuiltinModule('node:http2')
  const pipe = endpoint ? toStream(openLink(endpoint, true)) : openPipe()
  const opened = connect('http://broker', {
    createConnection: () => pipe,
    maxSessionMemory: MAX_SESSION_MB,
    settings: { enablePush: false, initialWindowSize: WINDOW_BYTES, maxHeaderListSize: MAX_HEADER_BYTES },
  })
  // Each stream has an error of its own.
  return opened.on('error', () => {})
}

/** Returns why the broker has not opened a connection, or `undefined` if it has. */
export const getRefusal = ({
  [BROKER_OUTCOME]: outcome,
  [BROKER_REASON]: reason,
}: IncomingHttpHeaders): Error | undefined => (outcome === 'response' ? undefined : createRefusal(outcome, reason))

/** Returns the error of a broker that has closed, unless it has answered. */
export function createRefusal(outcome?: unknown, reason?: unknown): Error {
  const error = new Error(String(reason ?? 'The broker of the network has closed'))
  return Object.assign(error, { code: outcome === 'denied' ? 'ERR_ACCESS_DENIED' : 'ERR_NETWORK' })
}
