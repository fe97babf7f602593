// Bytes in JSON. The text has `null` in the place of each, and its member `bytes` has JSON Pointers (RFC 6901) to these places:
//
//   {"jsonrpc":"2.0","id":1,"method":"save","params":{"name":"a","data":null},"bytes":["/params/data"]}
//
// The length of each follows the text in its frame, with the bytes if they are small. Large ones are attachments, in frames of their own before it.
import { allocate, utf8Length, writeUtf8 } from '#platform'
import { MIN_ATTACHMENT_BYTES } from '../wire/limits.js'
import { FRAME_KIND } from '../wire/link.js'
import type { EncodedMessage, Framing, PackedMessage, WithBytes } from './codec.js'
import { LENGTH_BYTES, TextWithBytes } from './codec.js'

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
  const lengths: number[] = []
  const small: Uint8Array[] = []
  const attachments: Uint8Array[] = []
  for (const part of bytes) {
    lengths.push(part.byteLength)
    if (part.byteLength < MIN_ATTACHMENT_BYTES) small.push(new Uint8Array(part))
    else attachments.push(part)
  }
  const encoded = new TextWithBytes(check?.(complete) ?? complete, lengths, small)
  return { codec: jsonBytes, encoded, attachments, borrowed: true }
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

function join(messages: readonly EncodedMessage[]): Uint8Array {
  const all = messages as readonly TextWithBytes[]
  const text = all.length === 1 ? all[0]!.text : `[${all.map(message => message.text).join()}]`
  const textBytes = utf8Length(text)
  const size = all.reduce(
    (sum, { length, text: own }) => sum + length - own.length - LENGTH_BYTES,
    LENGTH_BYTES + textBytes,
  )
  const body = allocate(size)
  writeLength(body, 0, textBytes)
  writeUtf8(body, text, LENGTH_BYTES, textBytes)
  let at = LENGTH_BYTES + textBytes
  for (const { lengths, small } of all) {
    let next = 0
    for (const length of lengths) {
      writeLength(body, at, length)
      at += LENGTH_BYTES
      if (length >= MIN_ATTACHMENT_BYTES) continue
      body.set(small[next++]!, at)
      at += length
    }
  }
  return body
}

function writeLength(body: Uint8Array, at: number, length: number): void {
  for (let byte = 0; byte < LENGTH_BYTES; byte++) body[at + byte] = length >>> (24 - 8 * byte)
}

/** Returns where the text of a body ends. @throws {RangeError} if it is cut short */
export function getEndOfText(body: Uint8Array): number {
  const end = LENGTH_BYTES + readLength(body, 0)
  if (end > body.length) throw new RangeError('the text is cut short')
  return end
}

/** @throws {RangeError} if it is cut short */
function readLength(body: Uint8Array, at: number): number {
  if (at + LENGTH_BYTES > body.length) throw new RangeError('a length is cut short')
  return body[at]! * 2 ** 24 + (body[at + 1]! << 16) + (body[at + 2]! << 8) + body[at + 3]!
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
      from += LENGTH_BYTES
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
