// A pair of links within one thread, for tests: frames pass through the same bytes as on any other link.
import { readFrame, writeFrame, type Frame } from './frame.js'
import type { Link, LinkReceiver } from './link.js'

class MemoryLink implements Link {
  peer!: MemoryLink
  #receiver: LinkReceiver | undefined
  #arrived: ArrayBuffer[] = []
  /** Closed on this side: what has arrived is no longer wanted. */
  #closed = false
  /** Nothing more will arrive. */
  #over = false
  #told = false

  send(frame: Frame): void {
    if (this.#over) return
    const { peer } = this
    peer.#arrived.push(writeFrame(frame))
    queueMicrotask(() => peer.#deliver())
  }

  receive(receiver: LinkReceiver): void {
    this.#receiver = receiver
    queueMicrotask(() => this.#deliver())
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#over = true
    queueMicrotask(() => {
      this.#deliver()
      this.peer.#over = true
      this.peer.#deliver()
    })
  }

  #deliver(): void {
    while (this.#receiver && !this.#closed) {
      const bytes = this.#arrived.shift()
      if (!bytes) break
      const frame = readFrame(new Uint8Array(bytes))
      if (frame) this.#receiver.frame(frame)
    }
    if (!this.#receiver || !this.#over || this.#told) return
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
