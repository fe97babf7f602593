// The sending half of a link: cuts frames into messages of the size that the server accepts, as far as the peer's credit allows. Other
// frames wait here, uncut.
import {
  BusError,
  type Frame,
  FRAME_KIND,
  type FrameKind,
  MAX_BODY_BYTES,
  RoomSignal,
  SentBytes,
  STREAM_HEADER_BYTES,
  writeStreamHeader,
} from '@sallyport/protocol/internal'
import { allocateData, DATA_AT, getCost, getDataBytes } from './fragmentation.js'

interface QueuedFrame {
  kind: FrameKind
  body: Uint8Array
  /** Bytes of header and body that were sent. */
  at: number
}

export class PublishQueue {
  readonly #publish: (message: Buffer) => void
  readonly #getMaxPayload: () => number
  readonly #sent = new SentBytes()
  readonly #room = new RoomSignal()
  #waiting: QueuedFrame[] = []
  #waitingBytes = 0
  #isClosed = false

  /** @param publish - takes a message that is not sealed yet */
  constructor(publish: (message: Buffer) => void, getMaxPayload: () => number) {
    this.#publish = publish
    this.#getMaxPayload = getMaxPayload
  }

  get queued(): number {
    return this.#isClosed ? 0 : this.#sent.open + this.#waitingBytes
  }

  /** True while a frame waits for credit. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0
  }

  room(): Promise<void> | undefined {
    return this.isWaiting ? this.#room.promise : undefined
  }

  /** @throws {BusError} InvalidParams for a frame that the peer would reject as a protocol violation */
  send({ kind, body, borrowed = false }: Frame): void {
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
    if (length > MAX_BODY_BYTES) {
      throw new BusError('InvalidParams', `A frame of ${length} bytes exceeds the limit of ${MAX_BODY_BYTES}`)
    }
    const size = STREAM_HEADER_BYTES + length
    if (!this.isWaiting && !this.#sent.full && size <= getDataBytes(this.#getMaxPayload())) {
      return this.#sendUncut(kind, body, size)
    }
    const frame = { kind, body: typeof body === 'string' ? Buffer.from(body) : body, at: 0 }
    this.#waiting.push(frame)
    this.#waitingBytes += size
    this.#drain()
    // A body that is not transferred to the link can change while it waits.
    const isTransferred = kind === FRAME_KIND.bytes || kind === FRAME_KIND.sealed || typeof body === 'string'
    if ((!isTransferred || borrowed) && frame.at < size) frame.body = Uint8Array.from(frame.body)
  }

  /** Handles the peer's total of taken bytes. Returns false if the total is impossible. */
  handleCredit(total: number): boolean {
    if (!this.#sent.taken(total)) return false
    this.#drain()
    if (!this.isWaiting) this.#room.release()
    return true
  }

  /** Drops frames that wait. */
  close(): void {
    this.#isClosed = true
    this.#waiting = []
    this.#waitingBytes = 0
    this.#room.release()
  }

  #sendUncut(kind: FrameKind, body: string | Uint8Array, size: number): void {
    const message = allocateData(size)
    const at = DATA_AT + STREAM_HEADER_BYTES
    writeStreamHeader(message.subarray(DATA_AT), kind, size - STREAM_HEADER_BYTES)
    if (typeof body === 'string') message.write(body, at)
    else message.set(body, at)
    this.#sent.add(getCost(size))
    this.#publish(message)
  }

  #drain(): void {
    let count = 0
    while (count < this.#waiting.length && !this.#sent.full) {
      const frame = this.#waiting[count]!
      this.#sendFragment(frame)
      if (frame.at === STREAM_HEADER_BYTES + frame.body.byteLength) count++
    }
    this.#waiting.splice(0, count)
  }

  #sendFragment(frame: QueuedFrame): void {
    const left = STREAM_HEADER_BYTES + frame.body.byteLength - frame.at
    const size = Math.min(left, getDataBytes(this.#getMaxPayload()))
    const message = allocateData(size)
    const header = frame.at === 0 ? STREAM_HEADER_BYTES : 0
    if (header > 0) writeStreamHeader(message.subarray(DATA_AT), frame.kind, frame.body.byteLength)
    const from = frame.at + header - STREAM_HEADER_BYTES
    message.set(frame.body.subarray(from, from + size - header), DATA_AT + header)
    frame.at += size
    this.#waitingBytes -= size
    this.#sent.add(getCost(size))
    this.#publish(message)
  }
}
