// Connections of `node:net`, `node:tls`, `node:http` and `node:https` for a process whose only network is a broker: they are tunnels, and encrypt in this
// process. `WebSocket` of Node and packages that connect by these functions use them, too.
import type { Agent } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions } from 'node:tls'
import { getRefusal, requestBroker } from './broker-session.js'

interface ConnectOptions {
  host?: string | undefined
  port?: number | undefined
  /** A socket of the file system. */
  path?: string | undefined
  socketPath?: string | undefined
  allowHalfOpen?: boolean | undefined
  /** Milliseconds. */
  timeout?: number | undefined
}

type Connect<This = unknown> = (this: This, ...args: unknown[]) => Duplex

/** Replaces how all of these connect, also for agents that packages have made. Sockets of the file system stay as they are. */
export function replaceConnections(): void {
  const net = process.getBuiltinModule('node:net') as unknown as Record<'connect' | 'createConnection', Connect>
  const tls = process.getBuiltinModule('node:tls') as unknown as Record<'connect', Connect>
  const { Agent: HttpAgent } = process.getBuiltinModule('node:http')
  const { Agent: HttpsAgent } = process.getBuiltinModule('node:https')
  const { connect: connectTls } = process.getBuiltinModule('node:tls')
  const encrypt = (options: ConnectOptions & ConnectionOptions): Duplex =>
    connectTls({ ...options, path: undefined, socket: openTunnel(options) })
  for (const name of ['connect', 'createConnection'] as const) net[name] = replace(net[name], openTunnel)
  tls.connect = replace(tls.connect, encrypt)
  const agents = [HttpAgent, HttpsAgent].map(
    ({ prototype }) => prototype as unknown as { createConnection: Connect<Agent> },
  )
  for (const [index, open] of [openTunnel, encrypt].entries()) {
    agents[index]!.createConnection = replace(agents[index]!.createConnection, open, false)
  }
  process.getBuiltinModule('node:module').syncBuiltinESMExports()
}

/** @param calls - whether the last argument is called once it is connected. That of an agent gets the socket, which is returned too */
function replace<This>(
  original: Connect<This>,
  open: (options: ConnectOptions) => Duplex,
  calls = true,
): Connect<This> {
  return function (...args) {
    const options = toOptions(args)
    if (!options) return original.apply(this, args)
    const socket = open(options)
    const callback = args.at(-1)
    if (calls && typeof callback === 'function') {
      socket.once(open === openTunnel ? 'connect' : 'secureConnect', callback as () => void)
    }
    return socket
  }
}

/** Returns the options of `connect(options)`, `(port, host)` and `(port, host, options)`, or `undefined` if there is nothing to connect to. */
function toOptions([first, second, third]: readonly unknown[]): ConnectOptions | undefined {
  if (typeof first === 'number' || (typeof first === 'string' && /^\d+$/.test(first))) {
    const host = typeof second === 'string' ? second : undefined
    const more = typeof second === 'object' ? second : typeof third === 'object' ? third : undefined
    return { ...more, ...(host !== undefined && { host }), port: Number(first) }
  }
  if (typeof first !== 'object' || first === null) return undefined
  const options = first as ConnectOptions & { socket?: unknown }
  const isOther = options.socketPath || options.socket || (options.path && options.port === undefined)
  return isOther ? undefined : options
}

/** Returns a stream to a host, which has the methods of a socket that packages call. */
function openTunnel({ host, port = 80, allowHalfOpen = false, timeout = 0 }: ConnectOptions): Duplex {
  const name = host || 'localhost'
  const authority = `${name.includes(':') ? `[${name}]` : name}:${port}`
  const stream = requestBroker({ ':method': 'CONNECT', ':authority': authority }, false)
  const { Duplex } = process.getBuiltinModule('node:stream')
  // Not the stream itself: `node:http` writes strings in Latin-1, of which streams of HTTP/2 lose the content. A duplex writes buffers.
  const tunnel = new Duplex({
    allowHalfOpen,
    read: () => void stream.resume(),
    write(chunk: Buffer, _encoding, done) {
      timer?.refresh()
      stream.write(chunk, done)
    },
    final: done => void stream.end(done),
    destroy(error, done) {
      clearTimeout(timer)
      stream.destroy()
      done(error)
    },
  })
  let timer: NodeJS.Timeout | undefined
  /** Emits `timeout` when nothing was read or written for as long. */
  function setIdleTimeout(ms: number, callback?: () => void): Duplex {
    clearTimeout(timer)
    timer = ms > 0 ? setTimeout(() => tunnel.emit('timeout'), ms).unref() : undefined
    if (callback) tunnel[ms > 0 ? 'once' : 'off']('timeout', callback)
    return tunnel
  }
  setIdleTimeout(timeout)
  stream.on('data', (chunk: Buffer) => {
    timer?.refresh()
    if (!tunnel.push(chunk)) stream.pause()
  })
  stream.once('end', () => tunnel.push(null))
  stream.on('error', error => tunnel.destroy(error))
  // What was not read yet is kept if both sides have ended.
  stream.once('close', () => {
    if (!stream.readableEnded || stream.rstCode !== 0) tunnel.destroy()
  })
  stream.once('response', headers => {
    const refusal = getRefusal(headers)
    if (refusal) return void tunnel.destroy(refusal)
    socket.connecting = false
    socket.emit('connect')
    socket.emit('ready')
  })
  const chain = (): Duplex => tunnel
  const socket = Object.assign(tunnel, {
    connecting: true,
    ...{ setKeepAlive: chain, setNoDelay: chain, setTimeout: setIdleTimeout, ref: chain, unref: chain },
    destroySoon: () => void tunnel.end(() => tunnel.destroy()),
    remoteAddress: undefined,
  })
  return socket
}
