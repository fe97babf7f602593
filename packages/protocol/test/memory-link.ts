import { CREDIT_WINDOW_BYTES } from '../src/wire/limits.js'
import { type Frame, type Link, type LinkReceiver, readFrame, writeFrame } from '../src/wire/link.js'
import { RoomSignal } from '../src/wire/flow.js'

/** A link within one thread, for tests. Frames become the same bytes as on any other link, and wait as they would there. */
class MemoryLink implements Link {
  peer!: MemoryLink
  #receiver: LinkReceiver | undefined
  #arrived: ArrayBuffer[] = []
  #arrivedBytes = 0
  /** Released when this end has taken enough of what the peer sent. */
  readonly #room = new RoomSignal()
  #paused = false
  /** True after `close` on this end, which drops what has arrived. */
  #closed = false
  /** True if nothing more will arrive. */
  #ended = false
  #notified = false

  get queued(): number {
    return this.#ended ? 0 : this.peer.#arrivedBytes
  }

  send(frame: Frame): void {
    if (this.#ended) return
    const { peer } = this
    const bytes = writeFrame(frame)
    peer.#arrived.push(bytes)
    peer.#arrivedBytes += bytes.byteLength
    queueMicrotask(() => peer.#deliver())
  }

  room(): Promise<void> | undefined {
    return this.queued < CREDIT_WINDOW_BYTES ? undefined : this.peer.#room.promise
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
    this.#ended = true
    queueMicrotask(() => {
      this.#deliver()
      this.peer.#ended = true
      this.#room.release()
      this.peer.#room.release()
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
    if (this.#arrivedBytes < CREDIT_WINDOW_BYTES) this.#room.release()
    if (!this.#receiver || !this.#ended || this.#notified || (this.#paused && !this.#closed)) return
    this.#notified = true
    this.#receiver.closed()
  }
}

export function createMemoryLinkPair(): [Link, Link] {
  const [near, far] = [new MemoryLink(), new MemoryLink()]
  near.peer = far
  far.peer = near
  return [near, far]
}
