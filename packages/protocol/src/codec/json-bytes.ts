// Bytes in JSON. The text has `null` in the place of each, and its member `bytes` has JSON Pointers (RFC 6901) to these places:
//
//   {"jsonrpc":"2.0","id":1,"method":"save","params":{"name":"a","data":null},"bytes":["/params/data"]}
//
// The length of each follows the text in its frame, with the bytes if they are small. Large ones are attachments, in frames of their own before it.
import { allocate, utf8Length, writeUtf8 } from '#platform'
import { MIN_ATTACHMENT_BYTES } from '../wire/limits.js'
import { FRAME_KIND } from '../wire/link.js'
import type { EncodedMessage, Framing, PackedMessage, WithBytes } from './codec.js'

/** A length, of the text or of bytes, before them. */
export const HEAD_BYTES = 4
const CHUNK_BYTES = 16 * 1024
/** A text from this length on is measured first. A shorter one reserves three bytes for each code unit. */
const LONG_TEXT = 4096
const MAX_KEPT_POINTER = 256

/** A body is the length of the text, the text of one message or of an array, and for all bytes in order their length, and they if they are small. */
const jsonBytes: Framing = { kind: FRAME_KIND.jsonBytes, join }

/**
 * Packs a message with bytes in one of its members.
 *
 * @param text - of the message, without its last brace
 * @param around - the pointer to the value in the message
 * @param check - of the text
 */
export function packJson(
  text: string,
  { bytes, pointers }: WithBytes,
  around: string,
  check?: (text: string) => string,
): PackedMessage {
  const complete = `${text},"bytes":[${pointers.length === 1 ? quote(around, pointers[0]!) : pointers.map(pointer => quote(around, pointer)).join()}]}`
  const attachments = bytes.every(isSmall) ? NO_ATTACHMENTS : bytes.filter(part => !isSmall(part))
  return { codec: jsonBytes, encoded: writeBody(check?.(complete) ?? complete, bytes), attachments, borrowed: true }
}

// The last pointers, written and read: most callers repeat themselves.
const lastWritten = { around: '', pointer: '', text: '""' }
let lastRead = ''
let lastSteps: readonly string[] = []

function quote(around: string, pointer: string): string {
  if (around !== lastWritten.around || pointer !== lastWritten.pointer)
    Object.assign(lastWritten, { around, pointer, text: JSON.stringify(around + pointer) })
  return lastWritten.text
}

/** Returns the names in a pointer. */
function parsePointer(pointer: string): readonly string[] {
  if (pointer === lastRead) return lastSteps
  const names = pointer.split('/').slice(1)
  const steps = pointer.includes('~') ? names.map(name => name.replaceAll('~1', '/').replaceAll('~0', '~')) : names
  // A sender chooses its length.
  if (pointer.length <= MAX_KEPT_POINTER) {
    lastRead = pointer
    lastSteps = steps
  }
  return steps
}

const NO_ATTACHMENTS: readonly Uint8Array[] = []

const isSmall = ({ byteLength }: Uint8Array): boolean => byteLength < MIN_ATTACHMENT_BYTES

// Consecutive bodies share a chunk of memory. Bytes that were handed out are never written again.
let chunk: Uint8Array = new Uint8Array(0)
let used = 0

/** Makes room for a body after `used`. */
function reserve(size: number): void {
  if (chunk.length - used >= size && chunk.length === CHUNK_BYTES) return
  chunk = allocate(Math.max(CHUNK_BYTES, size))
  used = 0
}

function writeLength(at: number, length: number): void {
  for (let byte = 0; byte < HEAD_BYTES; byte++) chunk[at + byte] = length >>> (24 - 8 * byte)
}

/** Returns the body after `used`, once its text and bytes are written, with the length of its text. */
function finish(length: number, end: number): Uint8Array {
  const start = used
  used = end
  writeLength(start, length)
  return new Uint8Array(chunk.buffer, start, end - start)
}

function writeBody(text: string, bytes: readonly Uint8Array[]): Uint8Array {
  let size = HEAD_BYTES + (text.length < LONG_TEXT ? text.length * 3 : utf8Length(text))
  for (const part of bytes) size += HEAD_BYTES + (isSmall(part) ? part.length : 0)
  reserve(size)
  const length = writeUtf8(chunk, text, used + HEAD_BYTES, size - HEAD_BYTES)
  let at = used + HEAD_BYTES + length
  for (const part of bytes) {
    writeLength(at, part.length)
    at += HEAD_BYTES
    if (!isSmall(part)) continue
    chunk.set(part, at)
    at += part.length
  }
  return finish(length, at)
}

/** Returns where the text of a body ends. @throws {RangeError} if it is cut short */
export function getEndOfText(body: Uint8Array): number {
  const end = HEAD_BYTES + readLength(body, 0)
  if (end > body.length) throw new RangeError('the text is cut short')
  return end
}

/** @throws {RangeError} if it is cut short */
function readLength(body: Uint8Array, at: number): number {
  if (at + HEAD_BYTES > body.length) throw new RangeError('a length is cut short')
  return body[at]! * 2 ** 24 + (body[at + 1]! << 16) + (body[at + 2]! << 8) + body[at + 3]!
}

const [OPEN, COMMA, CLOSE] = [0x5b, 0x2c, 0x5d]

function join(messages: readonly EncodedMessage[]): EncodedMessage {
  const bodies = messages as readonly Uint8Array[]
  if (bodies.length === 1) return bodies[0]!
  const ends = bodies.map(getEndOfText)
  const texts = ends.reduce((sum, end) => sum + end - HEAD_BYTES + 1, 1)
  const all = bodies.reduce((sum, body) => sum + body.length - HEAD_BYTES + 1, 1)
  reserve(HEAD_BYTES + all)
  let at = used + HEAD_BYTES
  let smallAt = at + texts
  for (const [index, body] of bodies.entries()) {
    const end = ends[index]!
    chunk[at++] = index === 0 ? OPEN : COMMA
    chunk.set(body.subarray(HEAD_BYTES, end), at)
    chunk.set(body.subarray(end), smallAt)
    at += end - HEAD_BYTES
    smallAt += body.length - end
  }
  chunk[at] = CLOSE
  return finish(texts, smallAt)
}

/**
 * Puts the bytes behind the text of a body, and attachments, into their places in decoded messages, which no one has checked.
 *
 * @param at - where the text ends
 * @throws {RangeError} or TypeError if the bytes, and what the messages say of them, do not match
 */
export function placeBytes(decoded: unknown, body: Uint8Array, at: number, attachments: readonly Uint8Array[]): void {
  // A Buffer would return a view.
  const bytes = body.constructor === Uint8Array ? body : new Uint8Array(body.buffer, body.byteOffset, body.length)
  let from = at
  let used = 0
  for (const message of Array.isArray(decoded) ? (decoded as unknown[]) : [decoded]) {
    const pointers = (message as { bytes?: string[] } | null)?.bytes
    if (pointers === undefined) continue
    for (const pointer of pointers) {
      const length = readLength(bytes, from)
      from += HEAD_BYTES
      const isLarge = length >= MIN_ATTACHMENT_BYTES
      const part = isLarge ? attachments[used++] : bytes.slice(from, from + length)
      if (part?.byteLength !== length) throw new RangeError('bytes are missing or have another length')
      if (!isLarge) from += length
      const steps = parsePointer(pointer)
      const last = steps.length - 1
      let holder = message as Record<string, unknown>
      for (let step = 0; step < last; step++) holder = getOwn(holder, steps[step]!) as typeof holder
      if (last < 0 || getOwn(holder, steps[last]!) !== null) throw new RangeError('bytes have no place')
      holder[steps[last]!] = part
    }
    delete (message as { bytes?: unknown }).bytes
  }
  if (from !== body.length || used !== attachments.length) throw new RangeError('bytes have no place')
}

const getOwn = (holder: Record<string, unknown>, name: string): unknown =>
  Object.hasOwn(holder, name) ? holder[name] : undefined
