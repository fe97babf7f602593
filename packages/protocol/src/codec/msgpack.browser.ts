// `#msgpack` for browsers, for bytes next to JSON values: a page has the codec JSON, and reads only what core has written.
import { BusError } from '../errors/bus-error.js'
import { type Message, UNNAMED_ARGUMENTS } from '../message/message.js'
import { isArrayBuffer, isUint8Array, readUtf8, toReadable, toUtf8 } from '#platform'
import { MAX_DEPTH, MAX_NODES } from '../wire/limits.js'
import { FRAME_KIND } from '../wire/link.js'
import { ATTACHMENT_EXTENSION, AttachmentMark } from './attachments.js'
import { type Codec, joinMsgpack, protoKey, tooDeep, tooMany } from './codec.js'

/** Most bytes of a head, or of a number. */
const HEAD_BYTES = 16

class Writer {
  bytes: Uint8Array = new Uint8Array(256)
  at = 0
  #view = new DataView(this.bytes.buffer)
  #nodes = 0

  finish(): Uint8Array {
    return this.bytes.subarray(0, this.at)
  }

  value(value: unknown, depth: number): void {
    if (++this.#nodes > MAX_NODES) throw tooMany()
    if (depth > MAX_DEPTH) throw tooDeep()
    if (value === null) return this.#head(0xc0)
    if (typeof value === 'boolean') return this.#head(value ? 0xc3 : 0xc2)
    if (typeof value === 'number') return this.#number(value)
    if (typeof value === 'string') return this.#string(value)
    if (typeof value === 'object') return this.#object(value, depth)
    throw new TypeError(`a value of type ${typeof value} is not JSON`)
  }

  /** Writes a format byte, and 4 bytes of a length or a number. */
  #head(token: number, value?: number): void {
    this.#reserve(0)
    this.bytes[this.at++] = token
    if (value === undefined) return
    this.#view.setUint32(this.at, value)
    this.at += 4
  }

  #reserve(size: number): void {
    if (this.at + size + HEAD_BYTES <= this.bytes.length) return
    const next = new Uint8Array((this.at + size + HEAD_BYTES) * 2)
    next.set(this.bytes)
    this.bytes = next
    this.#view = new DataView(next.buffer)
  }

  /** Writes the head of what has a length. A length below `limit` is a part of the format byte `short`. */
  #length(length: number, short: number, limit: number, long: number): void {
    if (length < limit) this.#head(short | length)
    else this.#head(long, length)
  }

  #number(value: number): void {
    if (value >>> 0 === value) return this.#length(value, 0, 0x80, 0xce)
    this.#head(0xcb)
    this.#view.setFloat64(this.at, value)
    this.at += 8
  }

  #string(value: string): void {
    const bytes = toUtf8(value)
    this.#length(bytes.length, 0xa0, 0x20, 0xdb)
    this.#append(bytes)
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.bytes.set(bytes, this.at)
    this.at += bytes.length
  }

  #object(value: object, depth: number): void {
    if (isUint8Array(value) || isArrayBuffer(value)) {
      const bytes = new Uint8Array(value as ArrayBuffer)
      this.#head(0xc6, bytes.length)
      return this.#append(bytes)
    }
    if (value instanceof AttachmentMark) {
      this.#head(0xd6)
      return this.#head(ATTACHMENT_EXTENSION, value.length)
    }
    if (Array.isArray(value)) this.#array(value, depth)
    else this.#entries(Object.entries(value), depth)
  }

  #array(array: readonly unknown[], depth: number): void {
    this.#length(array.length, 0x90, 0x10, 0xdd)
    for (const element of array) this.value(element, depth + 1)
  }

  #entries(entries: readonly [string, unknown][], depth: number): void {
    if (entries.length > 0xffff) throw new RangeError(`an object of ${entries.length} members is too large`)
    this.#length(entries.length, 0x80, 0x10, 0xdf)
    for (const [key, value] of entries) {
      if (key === '__proto__') throw protoKey()
      this.value(key, depth)
      this.value(value, depth + 1)
    }
  }
}

export function encodeMsgpackValue(value: unknown): Uint8Array {
  const writer = new Writer()
  writer.value(value, 0)
  return writer.finish()
}

/** Writes members that are not `undefined`, in the order of the message. */
function encode(message: Message, checked = false): Uint8Array {
  const writer = new Writer()
  const members = Object.entries(message).filter(([, value]) => value !== undefined)
  writer.bytes[writer.at++] = 0x80 | members.length
  for (const [name, value] of members) {
    writer.value(name, 0)
    const start = writer.at
    writer.value(value, 1)
    if (checked && name === 'params' && !isNamedOrBytes(writer.bytes[start]!)) throw new TypeError(UNNAMED_ARGUMENTS)
  }
  return writer.finish()
}

/** True for the first byte of a map, of bytes and of an attachment. */
const isNamedOrBytes = (token: number): boolean =>
  token >> 4 === 8 || token === 0xdf || token === 0xc6 || token === 0xd6

/** Reads one value. `DataView` throws for one that is cut short. */
function decode(body: Uint8Array, _trusted?: boolean, attachments: readonly Uint8Array[] = []): unknown {
  const bytes = toReadable(body)
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  let at = 0
  let used = 0
  const skip = (length: number): number => {
    at += length
    return at - length
  }
  const readUint = (size: number): number => {
    const from = skip(size)
    return size === 1 ? view.getUint8(from) : size === 2 ? view.getUint16(from) : view.getUint32(from)
  }
  const slice = (length: number): Uint8Array => {
    const from = skip(length)
    if (at > bytes.length) throw new RangeError('the value is cut short')
    return bytes.subarray(from, at)
  }
  const readString = (length: number): string => readUtf8(slice(length), 0, length)
  const readArray = (length: number): unknown[] => {
    const array: unknown[] = []
    while (array.length < length) array.push(read())
    return array
  }
  const readMap = (length: number): unknown => {
    const object: Record<string, unknown> = {}
    for (let n = 0; n < length; n++) {
      const key = String(read())
      if (key === '__proto__') throw protoKey()
      object[key] = read()
    }
    return object
  }
  const readExtension = (length: number): unknown => {
    const type = readUint(1)
    skip(length)
    const attachment = type === ATTACHMENT_EXTENSION ? attachments[used++] : undefined
    if (!attachment) throw new TypeError(`the extension type ${type} is not allowed`)
    return attachment
  }
  const read = (): unknown => {
    const token = readUint(1)
    if (token < 0x80) return token
    if (token < 0x90) return readMap(token & 15)
    if (token < 0xa0) return readArray(token & 15)
    if (token < 0xc0) return readString(token & 31)
    if (token >= 0xe0) return token - 0x100
    if (token < 0xc4) return token === 0xc0 ? null : token === 0xc3
    if (token < 0xc7) return new Uint8Array(slice(readUint(1 << (token - 0xc4))))
    if (token < 0xca) return readExtension(readUint(1 << (token - 0xc7)))
    if (token === 0xcb) return view.getFloat64(skip(8)) + 0
    if (token < 0xcf) return readUint(1 << (token - 0xcc))
    if (token === 0xd0) return view.getInt8(skip(1))
    if (token === 0xd1) return view.getInt16(skip(2))
    if (token === 0xd2) return view.getInt32(skip(4))
    if (token < 0xd9) return readExtension(1 << (token - 0xd4))
    if (token < 0xdc) return readString(readUint(1 << (token - 0xd9)))
    if (token < 0xde) return readArray(readUint(2 << (token - 0xdc)))
    return readMap(readUint(2 << (token - 0xde)))
  }
  try {
    return read()
  } catch (error) {
    throw new BusError('ParseError', `Parse error: ${(error as Error).message}`)
  }
}

export const msgpackCodec: Codec = {
  name: 'msgpack',
  kind: FRAME_KIND.msgpack,
  encode,
  join: joinMsgpack,
  decode,
}
