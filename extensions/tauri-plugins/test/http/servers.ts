// Local servers for the tests: one that answers by handler and counts connections, and one that shows the bytes it receives.
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createRawServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterTests } from '../../../../scripts/testing.js'

const opened: { server: Server; sockets: Set<Socket> }[] = []
afterTests.each.push(async () => {
  for (const { server, sockets } of opened.splice(0)) {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  }
})

export interface LocalServer {
  readonly port: number
  /** `http://127.0.0.1:<port>`. */
  readonly origin: string
  /** Connections that are open now. */
  readonly sockets: ReadonlySet<Socket>
  /** Connections since the start. */
  readonly count: () => number
}

/** Starts a server, which ends with the test. */
export async function listen(server: Server, host = '127.0.0.1'): Promise<LocalServer> {
  const sockets = new Set<Socket>()
  let count = 0
  server.on('connection', socket => {
    count++
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => server.listen(0, host, resolve))
  opened.push({ server, sockets })
  const { port } = server.address() as AddressInfo
  return { port, origin: `http://127.0.0.1:${port}`, sockets, count: () => count }
}

/** Starts a server that answers by `handler`, and tunnels by `tunnel`. */
export const serve = (
  handler: RequestListener,
  tunnel?: (request: IncomingMessage, socket: Duplex) => void,
): Promise<LocalServer> => {
  const server = createServer(handler)
  if (tunnel) server.on('connect', tunnel)
  return listen(server)
}

/** Starts a server that answers each connection with `answer`, and collects the bytes that it receives. */
export async function serveRaw(answer: string): Promise<LocalServer & { received: () => string }> {
  let received = ''
  const server = createRawServer(socket => {
    socket.on('data', bytes => {
      received += bytes.toString('latin1')
      if (received.includes('\r\n\r\n')) socket.end(answer)
    })
  })
  return { ...(await listen(server)), received: () => received }
}

/** Starts a server that passes each connection to `accept`. */
export const serveSockets = (accept: (socket: Socket) => void): Promise<LocalServer> => listen(createRawServer(accept))
