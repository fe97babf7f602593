// MessagePack, for bytes and for those who choose it: plain values, `undefined`, BigInt to 64 bits, Date, and bytes.
// Other extensions are refused before msgpackr sees them (msgpack-scan.ts), so that what it builds is plain data.
import { Packr } from 'msgpackr/pack'
import type { Codec, EncodedMessage } from './codec.js'
import { MAX_FRAME_BYTES } from './bounds.js'
import { BusError } from './error.js'
import { FRAME_KIND } from './frame.js'
import { isBytes, type Message } from './message.js'
import { scanMsgpack } from './msgpack-scan.js'

// Maps are read as objects and bytes are copied out of the frame: no value keeps a frame, or its neighbours, alive.
const packr = new Packr({ useRecords: false, mapsAsObjects: true, copyBuffers: true })

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

function decode(body: Uint8Array, trusted = false): unknown {
  if (body.byteLength > MAX_FRAME_BYTES) {
    throw new BusError('ParseError', `Parse error: a frame of ${body.byteLength} bytes is over the limit`)
  }
  const bytes =
    Object.getPrototypeOf(body) === Uint8Array.prototype
      ? body
      : new Uint8Array(body.buffer, body.byteOffset, body.byteLength)
  try {
    if (!trusted) scanMsgpack(bytes)
    return packr.unpack(bytes)
  } catch (error) {
    throw new BusError('ParseError', `Parse error: ${(error as Error).message}`)
  }
}

export const msgpackCodec: Codec = {
  name: 'msgpack',
  kind: FRAME_KIND.msgpack,
  encode,
  check() {},
  join,
  decode,
}
