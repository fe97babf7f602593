// A frame is the unit on a link: a kind byte, and a body that holds one message, a batch of them, or an attachment.
import { isArrayBuffer } from '../util/bytes.js'

/**
 * The kind byte of each frame. Zero is never used, so that cleared memory is no frame. `end` has no body: a frontend tells
 * its gate that nothing more comes, and the gate answers alike, after the last record. `bytes` is an attachment: raw bytes
 * that belong to a message of the next frame of kind `msgpack`.
 */
export const FRAME_KIND = { json: 1, msgpack: 2, sealed: 3, end: 4, bytes: 5 } as const

export type FrameKind = (typeof FRAME_KIND)[keyof typeof FRAME_KIND]

export interface Frame {
  kind: FrameKind
  /**
   * Text is for JSON alone, and becomes UTF-8 on the way; what a link receives is always bytes. Those of the kinds `sealed`
   * and `bytes` are given away: they are the link's from `send` on.
   */
  body: string | Uint8Array
  /**
   * What belongs to this frame is sent next, at once, and both may travel together. For the record of an attachment, whose
   * kind does not say so.
   */
  more?: boolean
}

export const isFrameKind = (kind: number | undefined): kind is FrameKind =>
  kind === 1 || kind === 2 || kind === 3 || kind === 4 || kind === 5

/** Bytes left free before each record: a link can put the frame's kind byte there, and give the buffer away. */
export const RECORD_HEADROOM = 1

/** True for bytes that fill an ArrayBuffer of their own, but for so many bytes before them. */
export const ownsWholeBuffer = (bytes: Uint8Array, headroom: number): bytes is Uint8Array<ArrayBuffer> =>
  bytes.byteOffset === headroom &&
  bytes.byteLength + headroom === bytes.buffer.byteLength &&
  isArrayBuffer(bytes.buffer)

/**
 * Writes a frame as kind byte and body into an ArrayBuffer of just that size, ready to be given away. A record brings its
 * own: there is room for the kind byte before it.
 */
export function writeFrame({ kind, body }: Frame): ArrayBuffer {
  if (kind === FRAME_KIND.sealed && typeof body !== 'string' && ownsWholeBuffer(body, RECORD_HEADROOM)) {
    new Uint8Array(body.buffer)[0] = kind
    return body.buffer
  }
  const size = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
  const frame = Buffer.allocUnsafeSlow(1 + size)
  frame[0] = kind
  if (typeof body === 'string') frame.write(body, 1)
  else frame.set(body, 1)
  return frame.buffer as ArrayBuffer
}

/** Reads what `writeFrame` wrote, without a copy; `undefined` where the kind byte is none. */
export function readFrame(bytes: Uint8Array): { kind: FrameKind; body: Uint8Array } | undefined {
  const kind = bytes[0]
  return isFrameKind(kind) ? { kind, body: bytes.subarray(1) } : undefined
}
