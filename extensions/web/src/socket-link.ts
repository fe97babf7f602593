// A link over a WebSocket, for a browser and for Node: JSON frames are text messages, others binary, with the kind byte first. A large
// attachment is sent in parts, each a message whose kind byte says that another follows.
import { BusError } from '@sallyport/protocol/internal/errors'
import { concatBytes } from '@sallyport/protocol/internal/util'
import {
  type Frame,
  FRAME_KIND,
  INCOMPLETE_TIMEOUT_MS,
  isFrameKind,
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
  /** Stops reading. Messages that have arrived can still be delivered. */
  pause(): void
  resume(): void
  close(): void
}

/** Bytes that can be in the buffers of system and peer, invisible to this end. */
const UNSEEN_BYTES: number = 2 ** 20
const PART_KIND: number = FRAME_KIND.bytes | 0x80

export class SocketLink extends ReceivingLink implements Link {
  readonly #socket: SocketAdapter
  readonly #room = new RoomSignal()
  readonly #arrived: ReceivedFrame[] = []
  /** False until the peer can take frames. */
  #isStarted: boolean
  #isAwaitingDrain = false
  #fault: BusError | undefined
  #sent = 0
  #parts: Uint8Array[] = []
  #messageBytes = 0
  #heldBytes = 0
  readonly #maxReceivedBytes: number
  readonly #incomplete: IncompleteMessage | undefined
  maxMessageBytes: number | undefined

  /**
   * @param isStarted - false if the peer cannot take frames before `start`
   * @param maxReceivedBytes - maximum bytes of a received message with its attachments; more is a protocol violation
   * @param incomplete - counts the bytes of a message that arrives; a browser has no limits of what its server sends
   */
  constructor(
    socket: SocketAdapter,
    isStarted = true,
    maxReceivedBytes: number = Infinity,
    incomplete?: IncompleteMessage,
  ) {
    super()
    this.#socket = socket
    this.#isStarted = isStarted
    this.#maxReceivedBytes = maxReceivedBytes
    this.#incomplete = incomplete
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
    this.#endMessage()
    if (!this.isOver) this.#socket.close()
  }

  onText(body: string | Uint8Array): void {
    this.#take({ kind: FRAME_KIND.json, body })
  }

  onBinary(message: Uint8Array): void {
    const kind = message[0]
    const body = message.subarray(1)
    if (kind === PART_KIND && body.length === PART_BYTES) {
      if (this.isOpen && this.#isWithinLimit(body) && this.#hold(body)) this.#parts.push(body)
    } else if (isFrameKind(kind)) this.#take({ kind, body })
    else this.fail('invalid kind of frame')
  }

  /** Closes the link because of what the peer sent. */
  fail(problem: string): void {
    this.#end(new BusError('InvalidRequest', `The peer violated the protocol of the WebSocket: ${problem}`))
  }

  #end(fault: BusError): void {
    this.#fault ??= fault
    this.close()
  }

  onClosed(): void {
    this.#endMessage()
    this.#room.release()
    if (this.#fault) this.failDelivery(this.#fault)
    else this.endDelivery()
  }

  protected nextFrame(): ReceivedFrame | undefined {
    return this.#arrived.shift()
  }

  #take({ kind, body }: ReceivedFrame): void {
    if (!this.isOpen || !this.#isWithinLimit(body)) return
    const isAttachment = kind === FRAME_KIND.bytes
    if (isAttachment && !this.#hold(body as Uint8Array)) return
    const parts = this.#parts
    if (parts.length > 0 && !isAttachment) return this.fail('a frame in another one')
    if (!isAttachment) this.#endMessage()
    this.#parts = []
    this.#arrived.push({ kind, body: parts.length > 0 ? concatBytes([...parts, body as Uint8Array]) : body })
    this.deliver()
  }

  #hold({ length }: Uint8Array): boolean {
    this.#heldBytes += length
    const fault = this.#incomplete?.add(length)
    if (fault) this.#end(fault)
    return !fault
  }

  #endMessage(): void {
    this.#incomplete?.remove(this.#heldBytes)
    this.#heldBytes = 0
    this.#messageBytes = 0
    this.#parts = []
  }

  #isWithinLimit({ length }: string | Uint8Array): boolean {
    this.#messageBytes += length
    if (this.#messageBytes <= this.#maxReceivedBytes) return true
    this.fail(`a message of more than ${this.#maxReceivedBytes} bytes`)
    return false
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

  /** @param onStalled - called if the page sends nothing for INCOMPLETE_TIMEOUT_MS */
  open(onStalled: () => void): IncompleteMessage {
    let timer: NodeJS.Timeout | undefined
    return {
      add: bytes => {
        clearTimeout(timer)
        timer = setTimeout(onStalled, INCOMPLETE_TIMEOUT_MS)
        return this.#add(bytes)
      },
      remove: bytes => {
        clearTimeout(timer)
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
