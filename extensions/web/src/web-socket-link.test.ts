// The link over a WebSocket against the behavior of every link, over sockets that deliver in a later tick.
import { linkBehaviour, settle } from '../../../packages/protocol/test/link-behaviour.js'
import { FRAME_KIND, INCOMPLETE_TIMEOUT_MS, PART_BYTES } from '@sallyport/protocol/internal/wire'
import { expect, onTestFinished, test, vi } from 'vitest'
import { IncompleteMessages, type PausableSocket, ServerLink, WebSocketLink } from './web-socket-link.js'

const open = (socket: PausableSocket, onStalled: () => void): ServerLink =>
  new ServerLink(
    socket,
    Infinity,
    new IncompleteMessages(Infinity).open(() => false, onStalled),
  )

/** One end of a pair of sockets in this thread. */
class Socket implements PausableSocket {
  readonly link: ServerLink = open(this, () => {})
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

const createPair = (): [ServerLink, ServerLink] => {
  const [near, far] = createSockets()
  return [near.link, far.link]
}
linkBehaviour('a link over a WebSocket', createPair, settle, true)

test('has no room before it is started', async () => {
  const [near] = createSockets()
  const link = new WebSocketLink(near, false)
  let hasRoom = false
  const room = link.room()!.then(() => (hasRoom = true))
  await Promise.resolve()
  expect(hasRoom).toBe(false)
  link.start()
  await room
  expect(link.room()).toBeUndefined()
})

test('sends a large attachment in parts, which arrive as one', async () => {
  const [near, far] = createSockets()
  const sizes: number[] = []
  const send = near.send.bind(near)
  near.send = (data, isText) => {
    sizes.push(data.length)
    send(data, isText)
  }
  const body = new Uint8Array(2 * PART_BYTES + 5).map((_byte, at) => at % 251)
  const received: unknown[] = []
  far.link.receive({ frame: frame => received.push(frame), closed: () => {} })
  near.link.send({ kind: FRAME_KIND.bytes, body })
  near.link.send({ kind: FRAME_KIND.msgpack, body: Uint8Array.of(0xc0) })
  await expect.poll(() => received.length).toBe(2)
  expect(sizes).toEqual([PART_BYTES + 1, PART_BYTES + 1, 6, 2])
  expect(Buffer.compare((received[0] as { body: Uint8Array }).body, body)).toBe(0)
})

test('a page that is not read, or was suspended with its server, completes its message later', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const [socket] = createSockets()
  const stalled = vi.fn<() => void>()
  let isHeld = true
  const link = new ServerLink(
    socket,
    Infinity,
    new IncompleteMessages(Infinity).open(() => isHeld, stalled),
  )
  link.onBinary(new Uint8Array(100).fill(FRAME_KIND.bytes, 0, 1))
  vi.advanceTimersByTime(10 * INCOMPLETE_TIMEOUT_MS)
  isHeld = false
  // Late, and before anything is read.
  for (let turn = 0; turn < 3; turn++) vi.advanceTimersToNextTimer()
  expect(stalled).not.toHaveBeenCalled()
  vi.advanceTimersByTime(INCOMPLETE_TIMEOUT_MS)
  expect(stalled).toHaveBeenCalledOnce()
})

test('reports a peer that does not complete a message', async () => {
  vi.useFakeTimers()
  try {
    const [socket] = createSockets()
    const stalled = vi.fn<() => void>()
    const link = open(socket, stalled)
    link.onBinary(new Uint8Array(100).fill(FRAME_KIND.bytes, 0, 1))
    vi.advanceTimersByTime(INCOMPLETE_TIMEOUT_MS - 1)
    expect(stalled).not.toHaveBeenCalled()
    vi.advanceTimersByTime(2)
    expect(stalled).toHaveBeenCalledOnce()
  } finally {
    vi.useRealTimers()
  }
})
