// MessagePack, for bytes and for those who choose it: plain values, `undefined`, BigInt to 64 bits, Date, and bytes.
// Other extensions are refused before msgpackr sees them (msgpack-scan.ts), so that what it builds is plain data.
import { addExtension, Packr } from 'msgpackr/pack'
import { AttachmentMark } from './attachments.js'
import type { Codec, EncodedMessage } from './codec.js'
import { MAX_FRAME_BYTES } from './bounds.js'
import { BusError } from './error.js'
import { FRAME_KIND } from './frame.js'
import { isBytes, type Message } from './message.js'
import { ATTACHMENT_EXTENSION, scanMsgpack } from './msgpack-scan.js'

// Maps are read as objects and bytes are copied out of the frame: no value keeps a frame, or its neighbours, alive.
const packr = new Packr({ useRecords: false, mapsAsObjects: true, copyBuffers: true })

/** Of the frame that is decoded now. Extensions are msgpackr's for all the thread: it has none of an instance alone. */
let attachments: readonly Uint8Array[] = []
let taken = 0

addExtension({
  Class: AttachmentMark,
  type: ATTACHMENT_EXTENSION,
  pack({ length }: AttachmentMark) {
    const bytes = Buffer.allocUnsafe(4)
    bytes.writeUInt32BE(length)
    return bytes
  },
  unpack(data: Uint8Array) {
    const next = attachments[taken++]
    const length = new DataView(data.buffer, data.byteOffset, data.byteLength).getUint32(0)
    if (next?.byteLength !== length) throw new RangeError('an attachment is missing, or of another length')
    return next
  },
})

function encode(message: Message): Uint8Array {
  const bytes = packr.pack(message)
  // The scan tells whether there are bytes at all, and refuses here what a receiver would.
  if (scanMsgpack(bytes)) refuseViews(message)
  return bytes
}

/**
 * Of a typed array that is not of bytes msgpackr 2.1 writes the elements, one byte each, and as many bytes more as it is
 * long: whatever stood in memory, perhaps a message to somebody else.
 *
 * @throws TypeError
 */
function refuseViews(root: unknown): void {
  const open: unknown[] = [root]
  while (open.length > 0) {
    const value = open.pop()
    if (typeof value !== 'object' || value === null || isBytes(value) || value instanceof Date) continue
    if (ArrayBuffer.isView(value)) {
      const type = Object.prototype.toString.call(value).slice(8, -1)
      throw new TypeError(`${type} has to be given as a Uint8Array of its bytes`)
    }
    for (const inner of insidesOf(value)) open.push(inner)
  }
}

/** Wherever msgpackr finds values: more rather than less. */
function insidesOf(value: object): Iterable<unknown> {
  if (value instanceof Set) return value
  if (value instanceof Map) return value.values()
  if (value instanceof Error) return [value.cause]
  const { toJSON } = value as { toJSON?: unknown }
  const own: unknown[] = Object.values(value)
  return typeof toJSON === 'function' ? [...own, (value as { toJSON(): unknown }).toJSON()] : own
}

/** An array's head and its elements are all there is to a msgpack array, so that encoded messages can be joined as they are. */
function join(messages: readonly EncodedMessage[]): Uint8Array {
  if (messages.length === 1) return messages[0] as Uint8Array
  const head = Buffer.allocUnsafe(5)
  head[0] = 0xdd
  head.writeUInt32BE(messages.length, 1)
  return Buffer.concat([head, ...(messages as readonly Uint8Array[])])
}

function decode(body: Uint8Array, trusted = false, attached: readonly Uint8Array[] = []): unknown {
  if (body.byteLength > MAX_FRAME_BYTES) {
    throw new BusError('ParseError', `Parse error: a frame of ${body.byteLength} bytes is over the limit`)
  }
  const bytes =
    Object.getPrototypeOf(body) === Uint8Array.prototype
      ? body
      : new Uint8Array(body.buffer, body.byteOffset, body.byteLength)
  try {
    if (!trusted) scanMsgpack(bytes)
    attachments = attached
    taken = 0
    const value: unknown = packr.unpack(bytes)
    if (taken !== attached.length) throw new RangeError('an attachment belongs to no message')
    return value
  } catch (error) {
    throw new BusError('ParseError', `Parse error: ${(error as Error).message}`)
  } finally {
    attachments = []
  }
}

export const msgpackCodec: Codec = {
  name: 'msgpack',
  kind: FRAME_KIND.msgpack,
  encode,
  join,
  decode,
}
