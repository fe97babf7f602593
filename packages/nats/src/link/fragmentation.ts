// The plaintext of a session's messages, and the reassembly of frames from their fragments. A message is a type byte, followed by a
// fragment of the stream of frames, or by the total of taken bytes as float64.
import {
  BUFFER_COST,
  CREDIT_WINDOW_BYTES,
  MAX_BODY_BYTES,
  type ReceivedFrame,
  STREAM_HEADER_BYTES,
  StreamFrames,
  TakenBytes,
} from '@sallyport/protocol/internal'
import { allocateMessage, PLAIN_AT, PROTECTION_BYTES } from './protection.js'

export const MESSAGE = { data: 1, credit: 2, begin: 3, end: 4, ping: 5, pong: 6, close: 7 } as const

/** Offset of the fragment in a message of `allocateData`. */
export const DATA_AT: number = PLAIN_AT + 1
/** Upper bound of a fragment, even if the server accepts larger messages, so that other sessions are interleaved. */
export const MAX_DATA_BYTES: number = 2 ** 20
/** The header of a frame and a byte of its body. */
const MIN_DATA_BYTES: number = STREAM_HEADER_BYTES + 1

export const getDataBytes = (maxPayload: number): number =>
  Math.max(MIN_DATA_BYTES, Math.min(MAX_DATA_BYTES, maxPayload - PROTECTION_BYTES - 1))

/** Returns the credit that a fragment costs, at both ends. */
export const getCost = (dataBytes: number): number => dataBytes + BUFFER_COST

export function allocateData(bytes: number): Buffer {
  const message = allocateMessage(1 + bytes)
  message[PLAIN_AT] = MESSAGE.data
  return message
}

export function createSignal(type: number): Buffer {
  const message = allocateMessage(1)
  message[PLAIN_AT] = type
  return message
}

export function createCredit(total: number): Buffer {
  const message = allocateMessage(9)
  message[PLAIN_AT] = MESSAGE.credit
  message.writeDoubleBE(total, PLAIN_AT + 1)
  return message
}

/** Returns NaN for a malformed message. */
export const readCredit = (plain: Buffer): number => (plain.length === 9 ? plain.readDoubleBE(1) : Number.NaN)

/**
 * Queues fragments until the link delivers the frames in them, and then returns their bytes to the peer as credit: a paused receiver
 * holds at most one window.
 */
export class Reassembler {
  readonly #sendCredit: (total: number) => void
  readonly #frames = new StreamFrames(MAX_BODY_BYTES)
  readonly #taken = new TakenBytes()
  #fragments: Buffer[] = []
  #queuedBytes = 0
  /** Cost of the fragment whose frames are being delivered. */
  #currentCost = 0

  /** @param sendCredit - sends the total of taken bytes to the peer */
  constructor(sendCredit: (total: number) => void) {
    this.#sendCredit = sendCredit
  }

  /** True after a part of a frame. */
  get isWithinFrame(): boolean {
    return this.#frames.isWithinFrame
  }

  /** Returns false for a protocol violation: the peer must not send once it has filled the window. */
  add(fragment: Buffer): boolean {
    const isTooLarge = fragment.length === 0 || fragment.length > MAX_DATA_BYTES
    if (isTooLarge || this.#queuedBytes >= CREDIT_WINDOW_BYTES) return false
    this.#fragments.push(fragment)
    this.#queuedBytes += getCost(fragment.length)
    return true
  }

  /** Returns the next complete frame, and credits the fragments before it. @throws {BusError} InvalidRequest for a malformed frame */
  next(): ReceivedFrame | undefined {
    for (;;) {
      const frame = this.#frames.next()
      if (frame) return frame
      if (this.#currentCost > 0) this.#creditCurrent()
      const fragment = this.#fragments.shift()
      if (!fragment) return undefined
      this.#currentCost = getCost(fragment.length)
      this.#frames.add(fragment)
    }
  }

  clear(): void {
    this.#fragments = []
  }

  #creditCurrent(): void {
    const cost = this.#currentCost
    this.#currentCost = 0
    this.#queuedBytes -= cost
    const total = this.#taken.add(cost)
    if (total > 0) this.#sendCredit(total)
  }
}
