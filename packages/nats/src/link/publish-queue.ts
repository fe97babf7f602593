// What goes out: frames, cut into messages as large as the wire lets through, and no more of them on their way than the window.
// The rest waits here, uncut, for the peer to take what came before.
import {
  BusError,
  type Frame,
  FRAME_KIND,
  type FrameKind,
  MAX_OUT_OF_BAND_BYTES,
  RoomSignal,
  SentBytes,
  STREAM_HEADER_BYTES,
  writeStreamHeader,
} from '@sallyport/protocol'
import { allocateData, getCost, DATA_AT, getDataBytes } from './fragmentation.js'

interface Waiting {
  kind: FrameKind
  body: Uint8Array
  /** How much of header and body has gone. */
  at: number
}

export class PublishQueue {
  readonly #post: (message: Buffer) => void
  readonly #maxPayload: () => number
  readonly #sent = new SentBytes()
  readonly #room = new RoomSignal()
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #ended = false

  /** @param post takes a message that is not sealed yet */
  constructor(post: (message: Buffer) => void, maxPayload: () => number) {
    this.#post = post
    this.#maxPayload = maxPayload
  }

  get queued(): number {
    return this.#ended ? 0 : this.#sent.open + this.#waitingBytes
  }

  /** Something waits for the peer. */
  get waits(): boolean {
    return this.#waiting.length > 0
  }

  room(): Promise<void> | undefined {
    return this.waits ? this.#room.promise : undefined
  }

  /** @throws BusError `InvalidParams` for what the peer would take for a fault */
  send({ kind, body }: Frame): void {
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
    if (length > MAX_OUT_OF_BAND_BYTES)
      throw new BusError('InvalidParams', `A frame of ${length} bytes is over the limit`)
    const size = STREAM_HEADER_BYTES + length
    if (!this.waits && !this.#sent.full && size <= getDataBytes(this.#maxPayload()))
      return this.#sendWhole(kind, body, size)
    const frame = { kind, body: typeof body === 'string' ? Buffer.from(body) : body, at: 0 }
    this.#waiting.push(frame)
    this.#waitingBytes += size
    this.#pump()
    // What is not the link's own may change while it waits.
    const given = kind === FRAME_KIND.bytes || kind === FRAME_KIND.sealed || typeof body === 'string'
    if (!given && frame.at < size) frame.body = Uint8Array.from(frame.body)
  }

  /** The peer has taken so many bytes in all. False where it can't have. */
  credit(total: number): boolean {
    if (!this.#sent.taken(total)) return false
    this.#pump()
    if (!this.waits) this.#room.release()
    return true
  }

  /** Nothing more goes out. */
  end(): void {
    this.#ended = true
    this.#waiting = []
    this.#waitingBytes = 0
    this.#room.release()
  }

  #sendWhole(kind: FrameKind, body: string | Uint8Array, size: number): void {
    const message = allocateData(size)
    const at = DATA_AT + STREAM_HEADER_BYTES
    writeStreamHeader(message.subarray(DATA_AT), kind, size - STREAM_HEADER_BYTES)
    if (typeof body === 'string') message.write(body, at)
    else message.set(body, at)
    this.#sent.add(getCost(size))
    this.#post(message)
  }

  #pump(): void {
    let gone = 0
    while (gone < this.#waiting.length && !this.#sent.full) {
      const frame = this.#waiting[gone]!
      this.#sendPiece(frame)
      if (frame.at === STREAM_HEADER_BYTES + frame.body.byteLength) gone++
    }
    this.#waiting.splice(0, gone)
  }

  #sendPiece(frame: Waiting): void {
    const size = Math.min(STREAM_HEADER_BYTES + frame.body.byteLength - frame.at, getDataBytes(this.#maxPayload()))
    const message = allocateData(size)
    const header = frame.at === 0 ? STREAM_HEADER_BYTES : 0
    if (header > 0) writeStreamHeader(message.subarray(DATA_AT), frame.kind, frame.body.byteLength)
    const from = frame.at + header - STREAM_HEADER_BYTES
    message.set(frame.body.subarray(from, from + size - header), DATA_AT + header)
    frame.at += size
    this.#waitingBytes -= size
    this.#sent.add(getCost(size))
    this.#post(message)
  }
}
