// A link over a WebSocket, for a browser and for Node: JSON frames are text messages, others binary, with the kind byte first.
import type { Frame, Link, ReceivedFrame } from '@sallyport/protocol/internal'
import { BusError, FRAME_KIND, isFrameKind, ReceivingLink, RoomSignal } from '@sallyport/protocol/internal'

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

export class SocketLink extends ReceivingLink implements Link {
  readonly #socket: SocketAdapter
  readonly #room = new RoomSignal()
  readonly #arrived: ReceivedFrame[] = []
  /** False until the peer can take frames. */
  #isStarted: boolean
  #isAwaitingDrain = false
  #fault: BusError | undefined
  #sent = 0

  /** @param isStarted - false if the peer cannot take frames before `start` */
  constructor(socket: SocketAdapter, isStarted = true) {
    super()
    this.#socket = socket
    this.#isStarted = isStarted
  }

  get queued(): number {
    return this.isOver ? 0 : this.#socket.bufferedAmount + Math.min(this.#sent, UNSEEN_BYTES)
  }

  start(): void {
    this.#isStarted = true
    this.#room.release()
  }

  send({ kind, body }: Frame): void {
    if (!this.isOpen || this.isOver) return
    this.#sent += body.length
    if (kind === FRAME_KIND.json) return this.#socket.send(body, true)
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
    const message = new Uint8Array(1 + bytes.length)
    message[0] = kind
    message.set(bytes, 1)
    this.#socket.send(message, false)
  }

  room(): Promise<void> | undefined {
    if (this.isOver || (this.#isStarted && !this.#socket.isFull)) return undefined
    if (this.#isStarted && !this.#isAwaitingDrain) {
      this.#isAwaitingDrain = true
      this.#socket.onDrained(() => {
        this.#isAwaitingDrain = false
        this.#room.release()
      })
    }
    return this.#room.promise
  }

  override pause(): void {
    super.pause()
    this.#socket.pause()
  }

  override resume(): void {
    super.resume()
    this.#socket.resume()
  }

  close(): void {
    if (!this.isOpen) return
    this.closeDelivery()
    if (!this.isOver) this.#socket.close()
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

  onClosed(): void {
    this.#room.release()
    if (this.#fault) this.failDelivery(this.#fault)
    else this.endDelivery()
  }

  protected nextFrame(): ReceivedFrame | undefined {
    return this.#arrived.shift()
  }

  #take(frame: ReceivedFrame): void {
    if (!this.isOpen) return
    this.#arrived.push(frame)
    this.deliver()
  }
}
