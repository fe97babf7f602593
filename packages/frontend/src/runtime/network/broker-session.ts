// The connection of this process to the broker of its network: HTTP/2 over a pipe. It is opened with the first request.
// Node's modules are loaded when they are needed: most frontends have no network.
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2'
import { BROKER_OUTCOME, BROKER_REASON, PROCESS_PIPES } from '@sallyport/protocol/internal/contract'

/** Bytes of one body that were received and not read. */
const WINDOW_BYTES = 256 * 1024
const MAX_HEADER_BYTES = 64 * 1024

let session: ClientHttp2Session | undefined

/** Sends a request to the broker. @throws errors of `node:http2` for invalid headers */
export function requestBroker(headers: OutgoingHttpHeaders, endStream: boolean): ClientHttp2Stream {
  session ??= openSession()
  return session.request(headers, { endStream })
}

function openSession(): ClientHttp2Session {
  const { Socket } = process.getBuiltinModule('node:net')
  const { connect } = process.getBuiltinModule('node:http2')
  const pipe = new Socket({ fd: PROCESS_PIPES.network })
  const opened = connect('http://broker', {
    createConnection: () => pipe,
    settings: { enablePush: false, initialWindowSize: WINDOW_BYTES, maxHeaderListSize: MAX_HEADER_BYTES },
  })
  // Each stream has an error of its own.
  return opened.on('error', () => {})
}

/** Returns why the broker has not made a request, or `undefined` if the response is the host's. */
export function getRefusal(headers: IncomingHttpHeaders): Error | undefined {
  const outcome = headers[BROKER_OUTCOME]
  if (outcome === 'response') return undefined
  const error = new Error(String(headers[BROKER_REASON] ?? 'The broker of the network has closed'))
  return Object.assign(error, { code: outcome === 'denied' ? 'ERR_ACCESS_DENIED' : 'ERR_NETWORK' })
}
