// The MessagePack codec, for frontends that choose it: plain values, `undefined`, BigInt to 64 bits, Date and bytes. One pass in each direction converts values and enforces the bounds (docs/adr/0006-polling.md, "Codecs").
import { BusError } from '../errors/bus-error.js'
import { FRAME_KIND, type Message, type ResponseMessage, UNNAMED_ARGUMENTS } from '../wire/messages.js'
import { MAX_FRAME_BYTES } from '../wire/limits.js'
import { concatBytes } from '#platform'
import { type Codec, type PackedMessage, WithBytes } from './codec.js'
import { isShortString, Reader } from './msgpack-reader.js'
import { encoding } from './json-checks.js'
import { ATTACHMENT_EXTENSION, Writer } from './msgpack-writer.js'

// Writes and reads the envelopes of messages. Members have one order, so that everything but the id, the method and the payload is
// a constant. A message in any other form is read like any value.
//
//   map of n · jsonrpc: "2.0" · id · method · params · headers · channels    or    map of 3 · jsonrpc: "2.0" · id · result (or error)

// Names are short strings that begin with 0xa0 plus their length. They are written and compared in words of four bytes. The last
// word overlaps the one before it if the length is not a multiple of four.
const JSO = 0xa76a736f
const NRPC = 0x6e727063
const VERSION = 0xa3322e30
const ZERO_ID = 0x30a26964
const [METH, THOD] = [0xa66d6574, 0x74686f64]
const [PARA, RAMS] = [0xa6706172, 0x72616d73]
const [RESU, SULT] = [0xa6726573, 0x73756c74]
/** The size of the map's head, the version and the name of the id. */
const HEAD_BYTES = 16
const NAME_BYTES = 7

/** @param checked true to throw if `toJSON` turns the params into what receivers refuse */
function writeMessage(writer: Writer, message: Message, checked = false): void {
  const { stream } = message as { stream?: number }
  if (stream !== undefined) return writeStreamResponse(writer, message as ResponseMessage)
  if ('result' in message) {
    writeHead(writer, 3, message.id)
    writeName(writer, RESU, SULT)
    return writer.value(message.result, 1)
  }
  if ('error' in message) {
    writeHead(writer, 3, message.id)
    writer.string('error')
    return writer.value(message.error, 1)
  }
  const { id, method, params, headers, channels } = message
  let members = 2 + Number(id !== undefined) + Number(params !== undefined)
  members += Number(headers !== undefined) + Number(channels !== undefined)
  writeHead(writer, members, id)
  writeName(writer, METH, THOD)
  writer.string(method)
  if (params !== undefined) {
    writeName(writer, PARA, RAMS)
    const offset = writer.size
    writer.value(params, 1)
    if (checked && !isNamedOrBytes(writer, offset)) throw new TypeError(UNNAMED_ARGUMENTS)
  }
  if (headers !== undefined) {
    writer.string('headers')
    writer.value(headers, 1)
  }
  if (channels !== undefined) {
    writer.string('channels')
    writer.value(channels, 1)
  }
}

function writeStreamResponse(writer: Writer, { id, stream, ...outcome }: ResponseMessage): void {
  writeHead(writer, 4, id)
  const name = 'result' in outcome ? 'result' : 'error'
  writer.string('stream')
  writer.value(stream, 1)
  writer.string(name)
  writer.value((outcome as Record<string, unknown>)[name], 1)
}

function isNamedOrBytes(writer: Writer, offset: number): boolean {
  const token = writer.byteAt(offset)
  if (token >> 4 === 0x8 || token === 0xde) return true
  return (token >= 0xc4 && token <= 0xc6) || (token === 0xd6 && writer.byteAt(offset + 1) === ATTACHMENT_EXTENSION)
}

function writeHead(writer: Writer, members: number, id: unknown): void {
  writer.expect(2 * members)
  const { view, at } = writer
  writer.bytes[at] = 0x80 | members
  view.setUint32(at + 1, JSO)
  view.setUint32(at + 5, NRPC)
  view.setUint32(at + 9, VERSION)
  writer.at = at + 13
  if (id === undefined) return
  view.setUint32(at + 12, ZERO_ID)
  writer.at = at + HEAD_BYTES
  writer.value(id, 1)
}

function writeName(writer: Writer, first: number, last: number): void {
  writer.reserve(NAME_BYTES)
  writer.view.setUint32(writer.at, first)
  writer.view.setUint32(writer.at + 3, last)
  writer.at += NAME_BYTES
}

function readMessage(reader: Reader): unknown {
  const { at, left } = reader
  const message = readUsual(reader)
  if (message !== undefined) return message
  reader.at = at
  reader.left = left
  return reader.value(0)
}

/** Returns `undefined` if the message has another form. Only an id and a method have been read by then. */
function readUsual(reader: Reader): object | undefined {
  const { bytes, view, at } = reader
  if (bytes.length - at < HEAD_BYTES + 1) return undefined
  const members = bytes[at]! - 0x80
  const isUsual =
    (members === 3 || members === 4) &&
    view.getUint32(at + 1) === JSO &&
    view.getUint32(at + 5) === NRPC &&
    view.getUint32(at + 9) === VERSION &&
    view.getUint32(at + 12) === ZERO_ID
  if (!isUsual) return undefined
  reader.at = at + 1
  reader.expect(2 * members)
  reader.at = at + HEAD_BYTES
  const id = readId(reader)
  if (id === undefined) return undefined
  if (members === 3) return takeName(reader, RESU, SULT) ? { jsonrpc: '2.0', id, result: reader.value(1) } : undefined
  if (!takeName(reader, METH, THOD) || !isShortString(bytes[reader.at])) return undefined
  const method = reader.name()
  return takeName(reader, PARA, RAMS) ? { jsonrpc: '2.0', id, method, params: reader.value(1) } : undefined
}

/** Reads an id of the form that the bus's own counters have. */
function readId(reader: Reader): unknown {
  const token = reader.bytes[reader.at]!
  return token < 0x80 || (token >= 0xcc && token <= 0xce) ? reader.value(1) : undefined
}

function takeName(reader: Reader, first: number, last: number): boolean {
  const { bytes, view, at } = reader
  if (bytes.length - at < NAME_BYTES || view.getUint32(at) !== first || view.getUint32(at + 3) !== last) return false
  reader.at = at + NAME_BYTES
  return true
}

const NO_ATTACHMENTS: readonly never[] = []

const sharedWriter = new Writer()

/** Writes with the shared writer, or with a writer of its own if a getter of another value, which is being encoded, encodes this one. */
function write<T>(value: T, writeTo: (writer: Writer, value: T) => void): Uint8Array | WithBytes {
  const before = encoding.isActive
  const writer = before ? new Writer() : sharedWriter
  encoding.isActive = true
  writer.begin()
  try {
    writeTo(writer, value)
    const { attachments, lengths } = writer
    if (attachments.length === 0) return writer.end()
    // A getter of the value can resize a buffer.
    if (attachments.some(({ byteLength }, at) => byteLength !== lengths[at]))
      throw new BusError('InvalidParams', 'A getter of the message has resized bytes in it. Copy them before')
    return new WithBytes(writer.end(), attachments)
  } catch (error) {
    writer.undo()
    throw error
  } finally {
    encoding.isActive = before
  }
}

const pack = (encoded: Uint8Array | WithBytes): Uint8Array | PackedMessage =>
  encoded instanceof WithBytes
    ? { codec: msgpackCodec, encoded: encoded.encoded, attachments: encoded.bytes, borrowed: true }
    : encoded

const writeChecked = (writer: Writer, message: Message): void => writeMessage(writer, message, true)

const writeValue = (writer: Writer, value: unknown): void => writer.value(value, 0)

/** Encodes a message with its large bytes in it, for a transport that has no attachments. @throws what `Codec.encode` throws */
export const encodeInline = (message: Message): Uint8Array => write(message, writeInline) as Uint8Array

function writeInline(writer: Writer, message: Message): void {
  writer.minAttachment = Infinity
  writeMessage(writer, message, true)
}

function decode(body: Uint8Array, trusted = false, attachments: readonly Uint8Array[] = NO_ATTACHMENTS): unknown {
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
  encode: (message, checked = false) => pack(write(message, checked ? writeChecked : writeMessage)),
  encodeValue: value => write(value, writeValue),
  encodeAround(message, value) {
    // Nothing follows the last member, and null is one byte.
    const start = (write(message, writeMessage) as Uint8Array).subarray(0, -1)
    return value instanceof WithBytes
      ? pack(new WithBytes(concatBytes([start, value.encoded as Uint8Array]), value.bytes))
      : concatBytes([start, value as Uint8Array])
  },
  join(messages) {
    const { length } = messages
    if (length === 1) return messages[0] as Uint8Array
    // An array is a head followed by its elements.
    const head = Uint8Array.of(0xdd, length >>> 24, length >>> 16, length >>> 8, length)
    return concatBytes([head, ...(messages as readonly Uint8Array[])])
  },
  decode,
}
