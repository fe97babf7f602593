// The plaintext of a session's messages: a type byte, then a fragment of the stream of frames, or taken bytes as float64.
import type { CreditQueue, Frame, FrameKind } from '@sallyport/protocol/internal/wire'
import { BusError } from '@sallyport/protocol/internal/errors'
import { STREAM_HEADER_BYTES, writeStreamHeader } from '@sallyport/protocol/internal/link'
import { BUFFER_COST, FRAME_KIND, MAX_BODY_BYTES, MAX_FRAGMENT_BYTES } from '@sallyport/protocol/internal/wire'
import { allocateMessage, PLAIN_AT, PROTECTION_BYTES } from './protection.js'

export const MESSAGE = { data: 1, credit: 2, begin: 3, end: 4, ping: 5, pong: 6, close: 7 } as const

/** The header of a frame and a byte of its body. */
const MIN_DATA_BYTES: number = STREAM_HEADER_BYTES + 1

export const getDataBytes = (maxPayload: number): number =>
  Math.max(MIN_DATA_BYTES, Math.min(MAX_FRAGMENT_BYTES, maxPayload - PROTECTION_BYTES - 1))

export const getCost = (dataBytes: number): number => dataBytes + BUFFER_COST

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

/** A part of a frame's header and body, which is copied when it is sent. */
export interface Fragment {
  readonly frame: { readonly kind: FrameKind; body: Uint8Array }
  readonly start: number
  readonly end: number
}

/** Cuts a frame into fragments that the server accepts, and adds them to a queue. Throws if the peer would reject the frame. */
export function addFragments({ kind, body, borrowed }: Frame, queue: CreditQueue<Fragment>, maxPayload: number): void {
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
  if (length > MAX_BODY_BYTES) {
    throw new BusError('InvalidParams', `A frame of ${length} bytes exceeds the limit of ${MAX_BODY_BYTES}`)
  }
  const frame: Fragment['frame'] = { kind, body: typeof body === 'string' ? Buffer.from(body) : body }
  const size = STREAM_HEADER_BYTES + length
  const step = getDataBytes(maxPayload)
  for (let start = 0; start < size; start += step) queue.add({ frame, start, end: Math.min(start + step, size) })
  // A body that is not transferred to the link can change while it waits.
  const isTransferred = typeof body === 'string' || kind === FRAME_KIND.bytes || kind === FRAME_KIND.sealed
  if (queue.isWaiting && (borrowed || !isTransferred)) frame.body = Uint8Array.from(frame.body)
}

export function writeFragment({ frame: { kind, body }, start, end }: Fragment): Buffer {
  const message = allocateMessage(1 + end - start)
  message[PLAIN_AT] = MESSAGE.data
  const data = message.subarray(PLAIN_AT + 1)
  const header = start === 0 ? STREAM_HEADER_BYTES : 0
  if (header > 0) writeStreamHeader(data, kind, body.byteLength)
  data.set(body.subarray(start + header - STREAM_HEADER_BYTES, end - STREAM_HEADER_BYTES), header)
  return message
}
