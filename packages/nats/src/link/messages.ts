// What a session's messages say, before they are protected: a byte for the type; after it a piece of the stream of frames, or
// for credit the bytes taken in all, as float64.
import { BUFFER_COST, STREAM_HEADER_BYTES } from '@sallyport/protocol'
import { allocateMessage, PLAIN_AT, PROTECTION_BYTES } from './protection.js'

export const MESSAGE = { data: 1, credit: 2, begin: 3, end: 4, ping: 5, pong: 6, close: 7 } as const

/** Where the piece lies in a message of `allocateData`. */
export const DATA_AT: number = PLAIN_AT + 1
/** Bytes of a piece at most, also where the server would let larger messages through: others get their turn in between. */
export const MAX_DATA_BYTES: number = 2 ** 20
/** The least that a wire must let through: the header of a frame, and something of its body. */
const MIN_DATA_BYTES: number = STREAM_HEADER_BYTES + 1

export const dataBytesOf = (maxPayload: number): number =>
  Math.max(MIN_DATA_BYTES, Math.min(MAX_DATA_BYTES, maxPayload - PROTECTION_BYTES - 1))

/** What a piece takes of the window, at both ends alike. */
export const costOf = (dataBytes: number): number => dataBytes + BUFFER_COST

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
