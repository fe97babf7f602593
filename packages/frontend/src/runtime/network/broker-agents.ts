// `node:http` and `node:https` for a process whose only network is a broker: agents connect through tunnels, and encrypt in this process.
import type { Agent } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions } from 'node:tls'
import { getRefusal, requestBroker } from './broker-session.js'

interface ConnectOptions {
  host?: string
  port?: number | string
  socketPath?: string
}

type CreateConnection = (this: Agent, options: ConnectOptions, callback?: (...args: unknown[]) => void) => Duplex

/** Replaces how agents of both modules connect, also those that packages have made. Sockets of the file system stay as they are. */
export function replaceConnections(): void {
  const { Agent: HttpAgent } = process.getBuiltinModule('node:http')
  const { Agent: HttpsAgent } = process.getBuiltinModule('node:https')
  const { connect } = process.getBuiltinModule('node:tls')
  replace(HttpAgent.prototype, openTunnel)
  replace(HttpsAgent.prototype, options =>
    connect({ ...(options as ConnectionOptions), path: undefined, socket: openTunnel(options) }),
  )
}

function replace(prototype: object, open: (options: ConnectOptions) => Duplex): void {
  const holder = prototype as { createConnection: CreateConnection }
  const { createConnection } = holder
  holder.createConnection = function (options, callback) {
    return options.socketPath ? createConnection.call(this, options, callback) : open(options)
  }
}

/** Returns a stream to a host, which has the methods of a socket that agents call. */
function openTunnel({ host = 'localhost', port = 80 }: ConnectOptions): Duplex {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const stream = requestBroker({ ':method': 'CONNECT', ':authority': authority }, false)
  const { Duplex } = process.getBuiltinModule('node:stream')
  // Not the stream itself: `node:http` writes strings in Latin-1, of which streams of HTTP/2 lose the content. A duplex writes buffers.
  const tunnel = new Duplex({
    read: () => void stream.resume(),
    write: (chunk: Buffer, _encoding, done) => void stream.write(chunk, done),
    final: done => void stream.end(done),
    destroy(error, done) {
      stream.destroy()
      done(error)
    },
  })
  stream.on('data', (chunk: Buffer) => {
    if (!tunnel.push(chunk)) stream.pause()
  })
  stream.once('end', () => tunnel.push(null))
  stream.on('error', error => tunnel.destroy(error))
  stream.once('close', () => tunnel.destroy())
  stream.once('response', headers => {
    const refusal = getRefusal(headers)
    if (refusal) tunnel.destroy(refusal)
  })
  const chain = (): Duplex => tunnel
  return Object.assign(tunnel, { setKeepAlive: chain, setNoDelay: chain, setTimeout: chain, ref: chain, unref: chain })
}
