// A pair of links within one thread, for tests: frames pass through the same bytes as on any other link, and wait alike.
import { RoomSignal } from '../util/room-signal.js'
import { type Frame, readFrame, writeFrame } from '../wire/link.js'
import { CREDIT_WINDOW_BYTES } from '../wire/limits.js'
import type { Link, LinkReceiver } from '../wire/link.js'

class MemoryLink implements Link {
  peer!: MemoryLink
  #receiver: LinkReceiver | undefined
  #arrived: ArrayBuffer[] = []
  #arrivedBytes = 0
  /** Of the peer, which waits for this side to take something. */
  readonly #taken = new RoomSignal()
  #paused = false
  /** Closed on this side: what has arrived is no longer wanted. */
  #closed = false
  /** Nothing more will arrive. */
  #over = false
  #told = false

  get queued(): number {
    return this.#over ? 0 : this.peer.#arrivedBytes
  }

  send(frame: Frame): void {
    if (this.#over) return
    const { peer } = this
    const bytes = writeFrame(frame)
    peer.#arrived.push(bytes)
    peer.#arrivedBytes += bytes.byteLength
    queueMicrotask(() => peer.#deliver())
  }

  room(): Promise<void> | undefined {
    return this.queued < CREDIT_WINDOW_BYTES ? undefined : this.peer.#taken.promise
  }

  receive(receiver: LinkReceiver): void {
    this.#receiver = receiver
    queueMicrotask(() => this.#deliver())
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    queueMicrotask(() => this.#deliver())
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#over = true
    queueMicrotask(() => {
      this.#deliver()
      this.peer.#over = true
      this.#taken.release()
      this.peer.#taken.release()
      this.peer.#deliver()
    })
  }

  #deliver(): void {
    while (this.#receiver && !this.#closed && !this.#paused) {
      const bytes = this.#arrived.shift()
      if (!bytes) break
      this.#arrivedBytes -= bytes.byteLength
      const frame = readFrame(new Uint8Array(bytes))
      if (frame) this.#receiver.frame(frame)
    }
    if (this.#arrivedBytes < CREDIT_WINDOW_BYTES) this.#taken.release()
    if (!this.#receiver || !this.#over || this.#told || (this.#paused && !this.#closed)) return
    this.#told = true
    this.#receiver.closed()
  }
}

export function createMemoryLinkPair(): [Link, Link] {
  const [one, other] = [new MemoryLink(), new MemoryLink()]
  one.peer = other
  other.peer = one
  return [one, other]
}
