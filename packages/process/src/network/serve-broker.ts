// Serves a broker over a pipe, whose other end is a frontend's.
import { createServer, type ServerHttp2Session } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Lookup } from '@sallyport/paths/internal/addresses'
import { BROKER_OUTCOME, BROKER_SCHEME } from '@sallyport/protocol/internal/contract'
import { writeAhead } from '@sallyport/protocol/internal/link'
import { Broker, type BrokerDenial, type BrokerOptions, MAX_HEADER_BYTES, respondFailure } from './broker.js'
import { createProxy } from './proxy.js'

/** Of a hostile frontend. `fetch` opens half of them. */
const MAX_STREAMS = 256
/** Bytes of one body that the frontend has not read yet. Several times the default, which would slow fast hosts down. */
const WINDOW_BYTES = 256 * 1024
/** Several times what both windows of a connection, and its frames, let wait. */
const WRITE_AHEAD_BYTES = 2 ** 20
/** Of HTTP/2 sessions, in MB: more than the windows of all streams of `fetch`. */
const MAX_SESSION_MB = 64
/**
 * Requests that a frontend aborts at once, and in a second. With Node's own limits, 1000 and 33, a frontend that aborts more has no network any
 * more, because its only connection ends. Node 20 has no options for these.
 */
const RESETS = { streamResetBurst: 10_000, streamResetRate: 1000 }

/**
 * Serves the network to the frontend at the other end of a pipe. Returns a function that ends all of its connections.
 *
 * @param lookup - resolves names, by default as Node does
 */
export function serveBroker(
  pipe: Duplex,
  options: BrokerOptions,
  onDenied: (denial: BrokerDenial) => void,
  lookup?: Lookup,
): () => void {
  const broker = new Broker(options, onDenied, lookup)
  // Placeholders are in the heads of requests.
  const reader = options.secrets.length > 0 ? createProxy(broker) : undefined
  const server = createServer({
    settings: {
      maxConcurrentStreams: MAX_STREAMS,
      maxHeaderListSize: MAX_HEADER_BYTES,
      initialWindowSize: WINDOW_BYTES,
    },
    maxSessionMemory: MAX_SESSION_MB,
    ...RESETS,
  })
  let session: ServerHttp2Session | undefined
  const ignore = (): void => {}
  server.on('session', opened => {
    session = opened.on('error', ignore)
  })
  server.on('sessionError', ignore)
  server.on('stream', (stream, headers) => {
    stream.on('error', ignore)
    // Reset by the chunk that opened it: nothing can be sent any more.
    if (stream.closed) return
    const { ':method': method, ':authority': authority, [BROKER_SCHEME]: scheme } = headers
    if (method !== 'CONNECT') return respondFailure(stream, 'Invalid request')
    if (!reader || scheme === undefined) return broker.serve(stream, headers, false)
    stream.respond({ ':status': 200, [BROKER_OUTCOME]: 'response' })
    const write: (chunk: unknown, done?: () => void) => boolean = stream.write.bind(stream)
    reader.accept(
      Object.assign(stream, {
        // `node:http` writes heads in Latin-1, and streams of HTTP/2 lose the content of such strings.
        write: (chunk: unknown, encoding: BufferEncoding, done?: () => void) =>
          write(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk, done),
      }),
      { ':scheme': String(scheme), ':authority': authority },
    )
  })
  writeAhead(pipe, WRITE_AHEAD_BYTES)
  server.emit('connection', pipe)
  return () => session?.destroy()
}
