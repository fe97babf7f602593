// What has come: pieces of the stream of frames, until their owner takes the frames in them. It then gives their bytes back to
// the peer as credit: a receiver that is paused costs a window, and no more.
import {
  BUFFER_COST,
  CREDIT_WINDOW_BYTES,
  MAX_OUT_OF_BAND_BYTES,
  type ReceivedFrame,
  STREAM_HEADER_BYTES,
  StreamFrames,
  TakenBytes,
} from '@sallyport/protocol'
import { allocateMessage, PLAIN_AT, PROTECTION_BYTES } from './encryption.js'

// What a session's messages say, before they are protected: a byte for the type; after it a piece of the stream of frames, or
// for credit the bytes taken in all, as float64.

export const MESSAGE = { data: 1, credit: 2, begin: 3, end: 4, ping: 5, pong: 6, close: 7 } as const

/** Where the piece lies in a message of `allocateData`. */
export const DATA_AT: number = PLAIN_AT + 1
/** Bytes of a piece at most, also where the server would let larger messages through: others get their turn in between. */
export const MAX_DATA_BYTES: number = 2 ** 20
/** The least that a wire must let through: the header of a frame, and something of its body. */
const MIN_DATA_BYTES: number = STREAM_HEADER_BYTES + 1

export const getDataBytes = (maxPayload: number): number =>
  Math.max(MIN_DATA_BYTES, Math.min(MAX_DATA_BYTES, maxPayload - PROTECTION_BYTES - 1))

/** What a piece takes of the window, at both ends alike. */
export const getCost = (dataBytes: number): number => dataBytes + BUFFER_COST

export function allocateData(bytes: number): Buffer {
  const message = allocateMessage(1 + bytes)
  message[PLAIN_AT] = MESSAGE.data
  return message
}

export function signal(type: number): Buffer {
  const message = allocateMessage(1)
  message[PLAIN_AT] = type
  return message
}

export function creditMessage(total: number): Buffer {
  const message = allocateMessage(9)
  message[PLAIN_AT] = MESSAGE.credit
  message.writeDoubleBE(total, PLAIN_AT + 1)
  return message
}

/** NaN where it is no credit. */
export const readCredit = (plain: Buffer): number => (plain.length === 9 ? plain.readDoubleBE(1) : Number.NaN)

export class Reassembler {
  readonly #give: (total: number) => void
  readonly #frames = new StreamFrames(MAX_OUT_OF_BAND_BYTES)
  readonly #taken = new TakenBytes()
  #arrived: Buffer[] = []
  #arrivedBytes = 0
  /** What the piece costs whose frames are being taken. */
  #cost = 0

  /** @param give tells the peer how many bytes were taken in all */
  constructor(give: (total: number) => void) {
    this.#give = give
  }

  /** A frame has begun, and is not whole. */
  get within(): boolean {
    return this.#frames.within
  }

  /** False where the peer may not send it: an honest one sends nothing once it has filled the window. */
  add(piece: Buffer): boolean {
    if (piece.length === 0 || piece.length > MAX_DATA_BYTES || this.#arrivedBytes >= CREDIT_WINDOW_BYTES) return false
    this.#arrived.push(piece)
    this.#arrivedBytes += getCost(piece.length)
    return true
  }

  /** The next whole frame: what came before it is taken. @throws BusError `InvalidRequest` for what is none */
  next(): ReceivedFrame | undefined {
    for (;;) {
      const frame = this.#frames.next()
      if (frame) return frame
      if (this.#cost > 0) this.#takeBack()
      const piece = this.#arrived.shift()
      if (!piece) return undefined
      this.#cost = getCost(piece.length)
      this.#frames.add(piece)
    }
  }

  /** Nothing of it is wanted any more. */
  clear(): void {
    this.#arrived = []
  }

  #takeBack(): void {
    const cost = this.#cost
    this.#cost = 0
    this.#arrivedBytes -= cost
    const total = this.#taken.add(cost)
    if (total > 0) this.#give(total)
  }
}
