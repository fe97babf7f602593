// A link over a socket that this thread owns. All of them are read into one buffer of the thread: large bodies are copied once, straight
// to their memory, and small ones not at all. The peer can be hostile: each pass is bounded, so that one that floods cannot starve others.
import type { Socket } from 'node:net'
import { onNextTick } from '#platform'
import { later } from '../util/timers.js'
import { SOCKET_FRAMES_PER_PASS } from '../wire/limits.js'
import type { LinkReceiver, ReceivedFrame } from '../wire/link.js'
import { READ_AHEAD_BYTES, StreamLink } from './stream-link.js'

/** More than the system buffers of a socket, so that one call reads all that has arrived. */
const READ_BUFFER_BYTES: number = 2 ** 18
/** After this many reads that have filled the buffer, other sockets are served: libuv itself would go on to the 32nd. */
const FULL_READS_PER_PASS = 4

/** Options of a socket that is read into memory that is used again. The types of Node have them under names that differ by version. */
interface ReadOptions {
  onread: { buffer: Buffer; callback(count: number): boolean }
}

let readBuffer: Buffer | undefined
/** The buffer of this thread. Node calls back with it at once after each read, so that sockets can share it. */
const getReadBuffer = (): Buffer => (readBuffer ??= Buffer.allocUnsafeSlow(READ_BUFFER_BYTES))

export class SocketLink extends StreamLink {
  #budget = SOCKET_FRAMES_PER_PASS
  #fullReads = 0
  /** True until the next pass, which the event loop starts after it has served the others. */
  #isYielding = false

  constructor(open: (options: ReadOptions) => Socket) {
    const buffer = getReadBuffer()
    let read = (_count: number): boolean => false
    super(open({ onread: { buffer, callback: count => read(count) } }))
    read = count => this.#read(buffer, count)
  }

  override receive(receiver: LinkReceiver): void {
    this.frames.readsImmediately = receiver.readsImmediately === true
    super.receive(receiver)
  }

  protected override startReading(): void {
    this.stream.resume()
  }

  /** The end is reported once all is written: a peer that does not close its end must not delay what follows here. */
  override close(): void {
    const wasOpen = this.isOpen
    super.close()
    if (wasOpen && !this.isOver) this.stream.once('finish', () => this.endDelivery())
  }

  /** Ends this link once it has read all that the peer has sent, which has exited. */
  finish(): void {
    closeOnceRead(this.stream as Socket, () => this.#canRead)
  }

  #read(buffer: Buffer, count: number): boolean {
    this.#fullReads = count === buffer.length ? this.#fullReads + 1 : 0
    // What arrives after this end has closed is dropped.
    if (this.isOpen) {
      this.frames.lend(buffer, count)
      this.deliver()
      this.frames.keep()
    }
    if (this.#fullReads >= FULL_READS_PER_PASS) this.#yield()
    return this.#canRead
  }

  #yield(): void {
    if (this.#isYielding) return
    this.#isYielding = true
    onNextTick(() => {
      this.#isYielding = false
      this.#fullReads = 0
      this.#budget = SOCKET_FRAMES_PER_PASS
      if (this.isReady) this.deliver()
      if (this.#canRead) this.stream.resume()
    })
  }

  get #canRead(): boolean {
    return !this.#isYielding && (!this.isOpen || this.frames.unread < READ_AHEAD_BYTES)
  }

  protected override nextFrame(): ReceivedFrame | undefined {
    // The rest of what a socket has left when it ended is bounded.
    if (this.#budget === 0 && !this.isOver) {
      this.#yield()
      return undefined
    }
    const frame = this.frames.next()
    if (frame) this.#budget--
    // Does nothing if the socket is being read.
    else if (!this.#isYielding) this.stream.resume()
    return frame
  }
}

/** More than the buffer of a socket, which an administrator can make larger. */
const MAX_LEFT_BYTES: number = 2 ** 24
const UNREAD_CHECK_MS = 20
/** Windows can report the exit first. */
const WINDOWS_CHECK_MS = 500
const checkLater = (check: () => void): void =>
  void (process.platform === 'win32' ? later(WINDOWS_CHECK_MS, check) : onNextTick(check))

/**
 * Closes a socket or a pipe to a process that has exited, which another one can hold open for as long as it runs: what was sent is read once a
 * whole poll phase of the event loop has found nothing, or more than a system buffer. What waits for its reader is kept.
 */
export function closeOnceRead(
  socket: Socket,
  // A stream that is read by `read()` counts as paused.
  isRead = (): boolean => (!socket.isPaused() || socket.listenerCount('readable') > 0) && socket.readableLength === 0,
): void {
  const first = socket.bytesRead
  let read = -1
  const check = (): void => {
    const { bytesRead } = socket
    if (socket.destroyed) return
    if (!isRead()) return void later(UNREAD_CHECK_MS, check)
    if (bytesRead === read || bytesRead - first > MAX_LEFT_BYTES) {
      // Otherwise who reads it would get an error.
      socket.push(null)
      return void socket.destroy()
    }
    read = bytesRead
    checkLater(check)
  }
  // The phase that is running can have polled already.
  checkLater(check)
}
