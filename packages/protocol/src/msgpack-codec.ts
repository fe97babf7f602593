// MessagePack, for bytes and for those who choose it: plain values, `undefined`, BigInt to 64 bits, Date, and bytes. Written
// and read by the bus's own code: one pass each way does the work and holds the bounds.
import type { Codec, EncodedMessage } from './codec.js'
import { MAX_FRAME_BYTES } from './bounds.js'
import { BusError } from './error.js'
import { FRAME_KIND } from './frame.js'
import type { Message } from './message.js'
import { readMessage, writeMessage } from './msgpack-envelope.js'
import { Output } from './msgpack-output.js'
import { Reader } from './msgpack-read.js'
import { Writer } from './msgpack-write.js'

const NONE: readonly never[] = []

const output = new Output()
let writing = false

/** A getter in a value may encode something else meanwhile: that is written elsewhere. */
function write<T>(value: T, writeTo: (writer: Writer, out: Output, value: T) => void): Uint8Array {
  const out = writing ? new Output() : output
  const outermost = !writing
  writing = true
  out.begin()
  try {
    writeTo(new Writer(out), out, value)
    return out.end()
  } catch (error) {
    out.undo()
    throw error
  } finally {
    if (outermost) writing = false
  }
}

const encode = (message: Message, checked = false): Uint8Array => write(message, checked ? writeChecked : writeMessage)

const writeChecked = (writer: Writer, out: Output, message: Message): void => writeMessage(writer, out, message, true)

/**
 * A value alone, as it stands in a message.
 *
 * @throws what `Codec.encode` throws
 */
export const encodeMsgpackValue = (value: unknown): Uint8Array => write(value, writeValue)

const writeValue = (writer: Writer, _out: Output, value: unknown): void => writer.value(value, 0)

/** An array's head and its elements are all there is to a msgpack array, so that encoded messages can be joined as they are. */
function join(messages: readonly EncodedMessage[]): Uint8Array {
  if (messages.length === 1) return messages[0] as Uint8Array
  const head = Buffer.allocUnsafe(5)
  head[0] = 0xdd
  head.writeUInt32BE(messages.length, 1)
  return Buffer.concat([head, ...(messages as readonly Uint8Array[])])
}

function decode(body: Uint8Array, trusted = false, attachments: readonly Uint8Array[] = NONE): unknown {
  if (body.byteLength > MAX_FRAME_BYTES) {
    throw new BusError('ParseError', `Parse error: a frame of ${body.byteLength} bytes is over the limit`)
  }
  try {
    const reader = new Reader(body, trusted, attachments)
    const value = reader.elements(readMessage) ?? readMessage(reader)
    reader.end()
    return value
  } catch (error) {
    throw new BusError('ParseError', `Parse error: ${(error as Error).message}`)
  }
}

export const msgpackCodec: Codec = {
  name: 'msgpack',
  kind: FRAME_KIND.msgpack,
  encode,
  join,
  decode,
}
