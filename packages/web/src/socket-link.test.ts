// The link over a WebSocket against the behavior of every link, over sockets that deliver in a later tick.
import { linkBehaviour } from '../../protocol/test/link-behaviour.js'
import { expect, test } from 'vitest'
import { type SocketAdapter, SocketLink } from './socket-link.js'

/** One end of a pair of sockets in this thread. */
class Socket implements SocketAdapter {
  readonly link: SocketLink = new SocketLink(this)
  peer!: Socket
  readonly #arrived: [data: string | Uint8Array, isText: boolean][] = []
  #isPaused = false
  #isClosed = false
  #onDrained: () => void = () => {}

  get bufferedAmount(): number {
    return this.peer.#arrived.reduce((sum, [data]) => sum + data.length, 0)
  }

  get isFull(): boolean {
    return this.bufferedAmount > 2 ** 16
  }

  send(data: string | Uint8Array, isText: boolean): void {
    this.peer.#arrived.push([data, isText])
    setImmediate(() => this.peer.#deliver())
  }

  onDrained(callback: () => void): void {
    this.#onDrained = callback
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    setImmediate(() => this.#deliver())
  }

  close(): void {
    for (const end of [this, this.peer]) {
      end.#isClosed = true
      setImmediate(() => end.#deliver())
    }
  }

  #deliver(): void {
    while (!this.#isPaused && this.#arrived.length > 0) {
      const [data, isText] = this.#arrived.shift()!
      if (isText) this.link.onText(data)
      else this.link.onBinary(data as Uint8Array)
    }
    if (!this.peer.isFull) this.peer.#onDrained()
    if (this.#isClosed && (this.#arrived.length === 0 || !this.#isPaused)) this.link.onClosed()
  }
}

function createSockets(): [Socket, Socket] {
  const [near, far] = [new Socket(), new Socket()]
  near.peer = far
  far.peer = near
  return [near, far]
}

linkBehaviour('a link over a WebSocket', () => {
  const [near, far] = createSockets()
  return [near.link, far.link]
})

test('has no room before it is started', async () => {
  const [near] = createSockets()
  const link = new SocketLink(near, false)
  let hasRoom = false
  const room = link.room()!.then(() => (hasRoom = true))
  await Promise.resolve()
  expect(hasRoom).toBe(false)
  link.start()
  await room
  expect(link.room()).toBeUndefined()
})
