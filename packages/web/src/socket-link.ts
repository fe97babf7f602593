// A link over a WebSocket, for a browser and for Node: JSON frames are text messages, all others are binary messages that begin with the
// kind byte of the frame.
import {
  BusError,
  deliverFrame,
  type Frame,
  FRAME_KIND,
  isFrameKind,
  type Link,
  type LinkReceiver,
  MAX_BODY_BYTES,
  type ReceivedFrame,
  RoomSignal,
} from '@sallyport/protocol/internal'

/** A WebSocket as the link uses it. */
export interface SocketAdapter {
  /** Bytes that wait in this process. */
  readonly bufferedAmount: number
  /** True if no more should be sent before `onDrained` calls back. */
  readonly isFull: boolean
  send(data: string | Uint8Array, isText: boolean): void
  onDrained(callback: () => void): void
  /** Stops reading. Messages that have arrived can still be delivered. */
  pause(): void
  resume(): void
  close(): void
}

/** Bytes that can be in the buffers of system and peer, invisible to this end. */
const UNSEEN_BYTES: number = 2 ** 20

export class SocketLink implements Link {
  readonly #socket: SocketAdapter
  readonly #room = new RoomSignal()
  #receiver: LinkReceiver | undefined
  /** False until the peer can take frames. */
  #isStarted: boolean
  #isAwaitingDrain = false
  /** False after `close` on this end, and after a protocol violation. */
  #isOpen = true
  /** True after the socket has closed. */
  #isOver = false
  #hasEnded = false
  #isPaused = false
  #fault: BusError | undefined
  #sent = 0
  /** Frames that wait for `resume`. */
  #arrived: ReceivedFrame[] = []

  /** @param isStarted - false if the peer cannot take frames before `start` */
  constructor(socket: SocketAdapter, isStarted = true) {
    this.#socket = socket
    this.#isStarted = isStarted
  }

  get queued(): number {
    return this.#isOver ? 0 : this.#socket.bufferedAmount + Math.min(this.#sent, UNSEEN_BYTES)
  }

  start(): void {
    this.#isStarted = true
    this.#room.release()
  }

  send({ kind, body }: Frame): void {
    if (!this.#isOpen || this.#isOver) return
    this.#sent += body.length
    if (kind === FRAME_KIND.json) return this.#socket.send(body, true)
    if (body.length > MAX_BODY_BYTES)
      throw new BusError('InvalidParams', `A frame of ${body.length} bytes is over the limit`)
    const message = new Uint8Array(1 + body.length)
    message[0] = kind
    message.set(body as Uint8Array, 1)
    this.#socket.send(message, false)
  }

  room(): Promise<void> | undefined {
    if (this.#isOver || (this.#isStarted && !this.#socket.isFull)) return undefined
    if (this.#isStarted && !this.#isAwaitingDrain) {
      this.#isAwaitingDrain = true
      this.#socket.onDrained(() => {
        this.#isAwaitingDrain = false
        this.#room.release()
      })
    }
    return this.#room.promise
  }

  receive(receiver: LinkReceiver): void {
    this.#receiver = receiver
    if (this.#hasEnded) return queueMicrotask(() => receiver.closed(this.#fault))
    if (!this.#isPaused) this.#continue()
  }

  pause(): void {
    if (this.#isPaused) return
    this.#isPaused = true
    this.#socket.pause()
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#continue()
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#arrived = []
    if (this.#isOver) return queueMicrotask(() => this.#end())
    this.#socket.close()
  }

  /** Takes a text message, as a string or its bytes. */
  onText(body: string | Uint8Array): void {
    this.#take({ kind: FRAME_KIND.json, body })
  }

  onBinary(message: Uint8Array): void {
    const kind = message[0]
    if (isFrameKind(kind)) this.#take({ kind, body: message.subarray(1) })
    else this.fail('invalid kind of frame')
  }

  /** Closes the link because of what the peer sent. */
  fail(problem: string): void {
    this.#fault ??= new BusError('InvalidRequest', `The peer violated the protocol of the WebSocket: ${problem}`)
    this.close()
  }

  /** The socket has closed. */
  onClosed(): void {
    this.#isOver = true
    this.#room.release()
    if (!this.#isPaused) this.#continue()
    else if (!this.#isOpen) this.#end()
  }

  #take(frame: ReceivedFrame): void {
    if (!this.#isOpen) return
    if (this.#isPaused || !this.#receiver || this.#arrived.length > 0) this.#arrived.push(frame)
    else deliverFrame(frame, this.#receiver)
  }

  /** Delivers what has arrived in a later microtask. */
  #continue(): void {
    queueMicrotask(() => {
      if (!this.#receiver) return
      let delivered = 0
      while (this.#isOpen && !this.#isPaused && delivered < this.#arrived.length) {
        deliverFrame(this.#arrived[delivered++]!, this.#receiver)
      }
      this.#arrived.splice(0, delivered)
      if (this.#isPaused) return
      if (this.#isOver) this.#end()
      else this.#socket.resume()
    })
  }

  #end(): void {
    if (this.#hasEnded || !this.#receiver) return
    this.#isOpen = false
    this.#hasEnded = true
    this.#receiver.closed(this.#fault)
  }
}
