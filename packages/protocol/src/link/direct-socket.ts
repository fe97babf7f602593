// The socket between a frontend's process and the thread that reads its frames, or writes those for it. The relay listens in a directory of
// its own, the thread connects, and the relay hands its end to the process. Each end has one owner, and the relay reads no frame.
// The thread connects, rather than the relay: only a socket that connects can be read into a buffer that is used again.
// Code of the same user can connect to the path, too, or listen in its place. So the relay first sends a secret, which the thread has from the port.
// That does not keep out code that does both, and forwards the secret: it has to find the directory before the thread connects.
import { closeSync, fstatSync, lstatSync, mkdtempSync, openSync, readSync, rmdirSync, rmSync } from 'node:fs'
import type { Socket, SocketConstructorOpts } from 'node:net'
import { join } from 'node:path'
import type { MessagePort } from 'node:worker_threads'
import { BusError } from '../errors/bus-error.js'
import { silence } from '../util/timers.js'
import { SocketLink } from './socket-link.js'

/** The thread's end: a number that is unique in the process, and a port to the relay, which closes with the process or the socket. */
export interface DirectSocket {
  id: number
  port: MessagePort
}

/** Loaded with the first socket: most hosts have no process. */
const getNet = (): typeof import('node:net') => process.getBuiltinModule('node:net')

/** An end of a link over a direct socket, as a message can hold it. */
export type DirectEndpoint = { kind: 'direct'; id: number }

interface Invitation {
  path: string
  secret: Uint8Array
}

/** Thread → relay: true once it got the secret over the socket. Otherwise the code of the socket's error, or '' if it got something else, or nothing. */
type Answer = true | string

const SECRET_BYTES = 16
const TAKEN_SOCKET =
  'The frontend process was not started: another process connected to its socket. Find the code of this user that opens files in the temporary directory'
const SECRET_TIMEOUT_MS = 30_000

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
  let secret: Uint8Array | undefined
  let received = 0
  let isVerified = false
  let errorCode = ''
  let endWait = (): void => {}
  let socket!: Socket
  const link = new SocketLink(({ onread: { buffer, callback } }) => {
    const read = (count: number): boolean => (isVerified ? callback(count) : verify(buffer.subarray(0, count)))
    return (socket = new net.Socket({ onread: { buffer, callback: read } } as SocketConstructorOpts))
  })
  /** The relay sends nothing more before it has the answer, and starts the process after it. */
  function verify(bytes: Buffer): boolean {
    const expected = secret?.subarray(received, received + bytes.length)
    received += bytes.length
    if (!expected || !bytes.equals(expected)) return !socket.destroy()
    isVerified = received === SECRET_BYTES
    if (!isVerified) return true
    endWait()
    socket.uncork()
    port.postMessage(true satisfies Answer)
    onBegun()
    return true
  }
  // Nothing is sent to another peer. Node also refuses to write to a socket that does not connect yet.
  socket.cork()
  unopened.set(id, link)
  socket.once('connect', () => {
    endWait = silence(SECRET_TIMEOUT_MS, {}, () => socket.destroy())
    socket.resume()
  })
  socket.once('error', ({ code }: NodeJS.ErrnoException) => (errorCode = code ?? ''))
  socket.once('close', () => {
    endWait()
    unopened.delete(id)
    if (!isVerified && !socket.writableEnded) port.postMessage(errorCode satisfies Answer)
    port.close()
  })
  port.on('message', (invitation: Invitation) => {
    secret = invitation.secret
    if (!socket.destroyed) socket.connect({ path: invitation.path })
  })
  // The process has exited, and the relay with it.
  port.once('close', () => {
    if (socket.pending || socket.writableEnded || unopened.has(id)) socket.destroy()
    else link.finish()
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
 * @throws {BusError} Disconnected if one of the ports closes before; InvalidRequest if another process connects; errors of the file system, and of a
 *   socket
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

/** From the kernel: Web Crypto takes 2 ms and 0.5 MiB of a thread that has not used it. @throws errors of the file system */
function createSecret(): Uint8Array {
  const secret = new Uint8Array(SECRET_BYTES)
  const descriptor = openSync('/dev/urandom', 'r')
  try {
    readSync(descriptor, secret, 0, SECRET_BYTES, null)
  } finally {
    closeSync(descriptor)
  }
  return secret
}

/** Returns what tells the sockets of this machine apart, by which a process knows one that it has inherited. 0 if there is none. */
export function getSocketInode(descriptor: number): number {
  try {
    // As a BigInt: after one with numbers, Node 20 resolves no links in paths of modules.
    return Number(fstatSync(descriptor, { bigint: true }).ino)
  } catch {
    return 0
  }
}

/** Returns the inode of the file at a path, which no other file gets while the first one is open. Undefined if it cannot be read. */
function getInode(path: string): number | undefined {
  try {
    return lstatSync(path).ino
    // Stryker disable next-line BlockStatement: a function without a result returns undefined, too
  } catch {
    return undefined
  }
}

/**
 * Returns the error of a connection that the thread did not get.
 *
 * @param isTaken - true if somebody connected to the relay, or the path is no longer that of its socket. If not, the kernel had no descriptor for the
 *   relay's end, and closed the connection without an event. To ask for a descriptor now would prove nothing: others close theirs meanwhile.
 */
function explainRefusal(answer: Answer, isTaken: boolean): Error {
  if (answer === 'EMFILE' || !isTaken) return Object.assign(new Error('EMFILE'), { code: 'EMFILE' })
  return new BusError('InvalidRequest', TAKEN_SOCKET)
}

const accept = (port: MessagePort, path: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const server = getNet().createServer({ pauseOnConnect: true })
    const secret = createSecret()
    let accepted: Socket | undefined
    let inode: number | undefined
    const end = (error?: Error): void => {
      port.off('close', onClose).off('message', onAnswer)
      // Removes the path, too.
      server.close()
      if (!error) return resolve(accepted!)
      accepted?.destroy()
      reject(error)
    }
    const onClose = (): void => end(new BusError('Disconnected', 'The thread for the frames of a process has ended'))
    const onAnswer = (answer: Answer): void => {
      const isTaken = accepted !== undefined || inode === undefined || getInode(path) !== inode
      end(answer === true && accepted ? undefined : explainRefusal(answer, isTaken))
    }
    port.on('close', onClose).on('message', onAnswer)
    server.once('error', end)
    server.on('connection', (socket: Socket) => {
      if (accepted) return socket.destroy()
      accepted = socket.on('error', () => {})
      socket.write(secret)
    })
    server.listen(path, () => {
      inode = getInode(path)
      port.postMessage({ path, secret } satisfies Invitation)
    })
  })
