// The socket between a frontend's process and the thread that reads its frames, or writes those for it. The relay listens in a directory of
// its own, the thread connects, and the relay hands its end to the process. Each end has one owner, and the relay reads no frame.
// The thread connects, rather than the relay: only a socket that connects can be read into a buffer that is used again.
import { mkdtempSync, rmdirSync, rmSync } from 'node:fs'
import type { Socket, SocketConstructorOpts } from 'node:net'
import { join } from 'node:path'
import type { MessagePort } from 'node:worker_threads'
import { BusError } from '../errors/bus-error.js'
import { SocketLink } from './socket-link.js'

/** The thread's end: a number that is unique in the process, and a port to the relay, which closes when the socket has closed. */
export interface DirectSocket {
  id: number
  port: MessagePort
}

/** Loaded with the first socket: most hosts have no process. */
const getNet = (): typeof import('node:net') => process.getBuiltinModule('node:net')

/** An end of a link over a direct socket, as a message can hold it. */
export type DirectEndpoint = { kind: 'direct'; id: number }

/** Ends of this thread that have not been opened, by id. */
const unopened = new Map<number, SocketLink>()

/** Bytes of a path that every system takes, without those that follow the directory. */
const MAX_DIRECTORY_BYTES = 80

/** True if a relay can listen in a directory below this one. Otherwise it forwards frames itself. */
export const canListenBelow = (directory: string): boolean =>
  process.platform !== 'win32' && Buffer.byteLength(directory) <= MAX_DIRECTORY_BYTES

/**
 * Connects this thread's end as soon as the relay listens. What is sent earlier waits.
 *
 * @param onBegun - called when the relay can go on without this thread: it connects, or never will
 */
export function connectDirect({ id, port }: DirectSocket, onBegun: () => void = () => {}): void {
  const net = getNet()
  let socket!: Socket
  const link = new SocketLink(options => (socket = new net.Socket(options as SocketConstructorOpts)))
  // Node refuses to write to a socket that does not connect yet.
  socket.cork()
  unopened.set(id, link)
  socket.once('connect', () => socket.uncork())
  socket.once('close', () => {
    unopened.delete(id)
    port.close()
  })
  port.on('message', (path: string) => {
    if (!socket.destroyed) socket.connect({ path })
    onBegun()
  })
  // The relay has ended. What its process has sent is still read.
  port.once('close', () => {
    if (socket.connecting || socket.pending || unopened.has(id)) socket.destroy()
    onBegun()
  })
  port.unref()
}

/** Takes an end, once: further calls return a link that is closed. */
export function openDirectLink({ id }: DirectEndpoint): SocketLink {
  const link = unopened.get(id)
  unopened.delete(id)
  if (link) return link
  return new SocketLink(() => new (getNet().Socket)().destroy())
}

/** Closes an end of this thread that has not been opened. */
export const closeDirectSocket = ({ id }: DirectEndpoint): void => unopened.get(id)?.close()

/**
 * Lets a thread connect to each of the ports, and returns the sockets for the process. The directory is removed.
 *
 * @param temporary - where a directory for the sockets is created
 * @throws {BusError} Disconnected if one of the ports closes before; errors of the file system, and of a socket
 */
export async function acceptDirect(ports: readonly MessagePort[], temporary: string): Promise<Socket[]> {
  // Only this user can enter it.
  const directory = mkdtempSync(join(temporary, 'sallyport-'))
  const accepted = await Promise.allSettled(ports.map((port, index) => accept(port, join(directory, String(index)))))
  try {
    rmdirSync(directory)
  } catch {
    rmSync(directory, { recursive: true, force: true })
  }
  const sockets = accepted.flatMap(each => (each.status === 'fulfilled' ? [each.value] : []))
  if (sockets.length === ports.length) return sockets
  for (const socket of sockets) socket.destroy()
  throw accepted.find(each => each.status === 'rejected')!.reason
}

const accept = (port: MessagePort, path: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const server = getNet().createServer({ pauseOnConnect: true })
    const onClose = (): void => {
      server.close()
      reject(new BusError('Disconnected', 'The thread for the frames of a process has ended'))
    }
    port.once('close', onClose)
    server.once('error', error => {
      port.off('close', onClose)
      server.close()
      reject(error)
    })
    server.once('connection', (socket: Socket) => {
      port.off('close', onClose)
      // Removes the path, too.
      server.close()
      server.on('connection', further => further.destroy())
      socket.on('error', () => {})
      resolve(socket)
    })
    server.listen(path, () => port.postMessage(path))
  })
