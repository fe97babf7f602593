// A link over a WebSocket, for a browser and for Node: JSON frames are text messages, others binary, with the kind byte first. A large
// attachment is sent in parts, each a message whose kind byte says that another follows.
import { countTurns, silence } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { concatBytes } from '@sallyport/protocol/internal/util'
import {
  type Frame,
  FRAME_KIND,
  type FrameKind,
  INCOMPLETE_TIMEOUT_MS,
  isFrameKind,
  keepOwn,
  type Link,
  PART_BYTES,
  type ReceivedFrame,
  ReceivingLink,
  RoomSignal,
} from '@sallyport/protocol/internal/wire'

export interface SocketAdapter {
  readonly bufferedAmount: number
  /** True if no more should be sent before `onDrained` calls back. */
  readonly isFull: boolean
  send(data: string | Uint8Array, isText: boolean): void
  onDrained(callback: () => void): void
  close(): void
}

/** A socket of the server. */
export interface PausableSocket extends SocketAdapter {
  /** Stops reading. Messages that have arrived can still be delivered. */
  pause(): void
  resume(): void
}

const PART_KIND = (FRAME_KIND.bytes | 0x80) as FrameKind

/** The end of the client, which trusts its server. */
export class WebSocketLink extends ReceivingLink implements Link {
  readonly #socket: SocketAdapter
  readonly #room = new RoomSignal()
  readonly #arrived: ReceivedFrame[] = []
  /** False until the peer can take frames. */
  #isStarted: boolean
  #isAwaitingDrain = false
  protected parts: Uint8Array[] = []
  maxMessageBytes: number | undefined

  /** @param isStarted - false if the peer cannot take frames before `start` */
  constructor(socket: SocketAdapter, isStarted = true) {
    super()
    this.#socket = socket
    this.#isStarted = isStarted
  }

  get queued(): number {
    return this.isOver ? 0 : this.#socket.bufferedAmount
  }

  start(): void {
    this.#isStarted = true
    this.#room.release()
  }

  send({ kind, body }: Frame): void {
    if (!this.isOpen || this.isOver) return
    if (kind === FRAME_KIND.json) return this.#socket.send(body, true)
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
    let at = 0
    if (kind === FRAME_KIND.bytes) {
      for (; bytes.length - at > PART_BYTES; at += PART_BYTES) {
        this.#sendBinary(PART_KIND, bytes.subarray(at, at + PART_BYTES))
      }
    }
    this.#sendBinary(kind, bytes.subarray(at))
  }

  #sendBinary(kind: number, bytes: Uint8Array): void {
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

  close(): void {
    if (!this.isOpen) return
    this.closeDelivery()
    if (!this.isOver) this.#socket.close()
  }

  onText(body: string | Uint8Array): void {
    this.onFrame(FRAME_KIND.json, body)
  }

  onBinary(message: Uint8Array): void {
    this.onFrame(message[0] as FrameKind, message.subarray(1))
  }

  onClosed(fault?: BusError): void {
    this.#room.release()
    if (fault) this.failDelivery(fault)
    else this.endDelivery()
  }

  protected onFrame(kind: FrameKind, body: string | Uint8Array): void {
    if (!this.isOpen) return
    if (kind === PART_KIND) return void this.parts.push(body as Uint8Array)
    const { parts } = this
    this.parts = []
    this.#arrived.push({ kind, body: parts.length > 0 ? concatBytes([...parts, body as Uint8Array]) : body })
    this.deliver()
  }

  protected nextFrame(): ReceivedFrame | undefined {
    return this.#arrived.shift()
  }
}

/** The end of the server, which bounds what a page sends. */
export class ServerLink extends WebSocketLink {
  readonly #socket: PausableSocket
  readonly #maxBytes: number
  readonly #incomplete: IncompleteMessage
  #messageBytes = 0
  #heldBytes = 0
  #fault: BusError | undefined

  /**
   * @param maxBytes - of a received message with its attachments; more is a protocol violation
   * @param incomplete - counts the bytes of a message that arrives
   */
  constructor(socket: PausableSocket, maxBytes: number, incomplete: IncompleteMessage) {
    super(socket)
    this.#socket = socket
    this.#maxBytes = maxBytes
    this.#incomplete = incomplete
  }

  override pause(): void {
    super.pause()
    this.#socket.pause()
  }

  override resume(): void {
    super.resume()
    this.#socket.resume()
  }

  override close(): void {
    if (this.isOpen) this.#endMessage()
    super.close()
  }

  /** Closes the link because of what the peer sent. */
  fail(problem: string): void {
    this.#end(new BusError('InvalidRequest', `The peer violated the protocol of the WebSocket: ${problem}`))
  }

  override onClosed(): void {
    this.#endMessage()
    super.onClosed(this.#fault)
  }

  protected override ended(fault: BusError | undefined): void {
    if (fault) this.#socket.close()
  }

  protected override onFrame(kind: FrameKind, body: string | Uint8Array): void {
    const isPart = kind === PART_KIND && body.length === PART_BYTES
    if (!isPart && !isFrameKind(kind)) return this.fail('invalid kind of frame')
    if (!this.isOpen) return
    this.#messageBytes += body.length
    if (this.#messageBytes > this.#maxBytes) return this.fail(`a message of more than ${this.#maxBytes} bytes`)
    if (isPart || kind === FRAME_KIND.bytes) {
      this.#heldBytes += body.length
      const fault = this.#incomplete.add(body.length)
      if (fault) return this.#end(fault)
    } else {
      if (this.parts.length > 0) return this.fail('a frame in another one')
      this.#endMessage()
    }
    super.onFrame(kind, typeof body === 'string' ? body : keepOwn(body))
  }

  #end(fault: BusError): void {
    this.#fault ??= fault
    this.close()
  }

  #endMessage(): void {
    this.#incomplete.remove(this.#heldBytes)
    this.#heldBytes = 0
    this.#messageBytes = 0
    this.parts = []
  }
}

export interface IncompleteMessage {
  /** Returns the fault of the page that exceeds the maximum of all pages of its label. */
  add(bytes: number): BusError | undefined
  remove(bytes: number): void
}

/** The bytes of incomplete messages that a server has received from all pages of a label: any number of tabs can each begin one. */
export class IncompleteMessages {
  #bytes = 0
  readonly #maxBytes: number

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /**
   * @param isHeld - true while nothing of the page is read, because core is busy
   * @param onStalled - called if the page sends nothing for INCOMPLETE_TIMEOUT_MS
   */
  open(isHeld: () => boolean, onStalled: () => void): IncompleteMessage {
    let parts = 0
    let endWait: (() => void) | undefined
    return {
      add: bytes => {
        parts++
        const signs = { readMs: countTurns(isHeld), readSign: () => parts }
        endWait ??= silence(INCOMPLETE_TIMEOUT_MS, signs, onStalled)
        return this.#add(bytes)
      },
      remove: bytes => {
        endWait?.()
        endWait = undefined
        this.#bytes -= bytes
      },
    }
  }

  #add(bytes: number): BusError | undefined {
    this.#bytes += bytes
    if (this.#bytes <= this.#maxBytes) return undefined
    const text = `Incomplete messages of all pages of a label exceeded ${this.#maxBytes} bytes (option "maxMessageBytes")`
    return new BusError('Overloaded', text)
  }
}
