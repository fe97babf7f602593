// Bytes in JSON. The text has `null` in the place of each, and its member `bytes` has their lengths and the paths to them:
//
//   {"jsonrpc":"2.0","id":1,"method":"save","params":{"name":"a","data":null},"bytes":[[5,"params","data"]]}
//
// Small bytes follow the text in its frame. Large ones are attachments, in frames of their own before it.
import { allocate, utf8Length, writeUtf8 } from '#platform'
import { MIN_ATTACHMENT_BYTES } from '../wire/limits.js'
import { FRAME_KIND } from '../wire/link.js'
import type { EncodedMessage, Framing, PackedMessage, WithBytes } from './codec.js'

/** The length of the text, before it. */
export const HEAD_BYTES = 4
const CHUNK_BYTES = 16 * 1024
/** A text from this length on is measured first. A shorter one reserves three bytes for each code unit. */
const LONG_TEXT = 4096

/** A body is the length of the text, the text of one message or of an array, and the small bytes of all in order. */
const jsonBytes: Framing = { kind: FRAME_KIND.jsonBytes, join }

/**
 * Packs a message with bytes in one of its members.
 *
 * @param text - of the message, without its last brace
 * @param around - the path to the value in the message, as JSON
 * @param check - of the text
 */
export function packJson(
  text: string,
  { bytes, paths }: WithBytes,
  around: string,
  check?: (text: string) => string,
): PackedMessage {
  let attachments = NO_ATTACHMENTS
  let complete = `${text},"bytes":[`
  for (let at = 0; at < bytes.length; at++) {
    const part = bytes[at]!
    if (!isSmall(part)) attachments = [...attachments, part]
    complete += `${at === 0 ? '' : ','}[${part.byteLength},${around}`
    for (const step of paths[at]!) complete += typeof step === 'number' ? `,${step}` : `,${JSON.stringify(step)}`
    complete += ']'
  }
  complete += ']}'
  return { codec: jsonBytes, encoded: writeBody(check?.(complete) ?? complete, bytes), attachments, borrowed: true }
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

/** Returns the body after `used`, once its text and bytes are written, with the length of its text. */
function finish(length: number, end: number): Uint8Array {
  const start = used
  used = end
  for (let at = 0; at < HEAD_BYTES; at++) chunk[start + at] = length >>> (24 - 8 * at)
  return new Uint8Array(chunk.buffer, start, end - start)
}

function writeBody(text: string, bytes: readonly Uint8Array[]): Uint8Array {
  let size = HEAD_BYTES + (text.length < LONG_TEXT ? text.length * 3 : utf8Length(text))
  for (const part of bytes) if (isSmall(part)) size += part.length
  reserve(size)
  const length = writeUtf8(chunk, text, used + HEAD_BYTES, size - HEAD_BYTES)
  let at = used + HEAD_BYTES + length
  for (const part of bytes) {
    if (!isSmall(part)) continue
    chunk.set(part, at)
    at += part.length
  }
  return finish(length, at)
}

/** Returns where the text of a body ends. @throws {RangeError} if it is cut short */
export function getEndOfText(body: Uint8Array): number {
  if (body.length < HEAD_BYTES) throw new RangeError('the text is cut short')
  const end = HEAD_BYTES + body[0]! * 2 ** 24 + (body[1]! << 16) + (body[2]! << 8) + body[3]!
  if (end > body.length) throw new RangeError('the text is cut short')
  return end
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
 * Puts the small bytes behind the text of a body, and attachments, into their places in decoded messages, which no one has checked.
 *
 * @param at - where the small bytes begin
 * @throws {RangeError} or TypeError if the bytes, and what the messages say of them, do not match
 */
export function placeBytes(decoded: unknown, body: Uint8Array, at: number, attachments: readonly Uint8Array[]): void {
  // A Buffer would return a view.
  const bytes = body.constructor === Uint8Array ? body : new Uint8Array(body.buffer, body.byteOffset, body.length)
  let from = at
  let used = 0
  for (const message of Array.isArray(decoded) ? (decoded as unknown[]) : [decoded]) {
    const declared = (message as { bytes?: (string | number)[][] } | null)?.bytes
    if (declared === undefined) continue
    for (const place of declared) {
      const length = place[0] as number
      const isLarge = length >= MIN_ATTACHMENT_BYTES
      const part = isLarge ? attachments[used++] : bytes.slice(from, from + length)
      if (part?.byteLength !== length) throw new RangeError('bytes are missing or have another length')
      if (!isLarge) from += length
      const last = place.length - 1
      let holder = message as Record<string, unknown>
      for (let step = 1; step < last; step++) holder = getOwn(holder, place[step]!) as typeof holder
      if (last < 1 || getOwn(holder, place[last]!) !== null) throw new RangeError('bytes have no place')
      holder[place[last]!] = part
    }
    delete (message as { bytes?: unknown }).bytes
  }
  if (from !== body.length || used !== attachments.length) throw new RangeError('bytes have no place')
}

const getOwn = (holder: Record<string, unknown>, name: string | number): unknown =>
  Object.hasOwn(holder, name) ? holder[name] : undefined
