// JSON, the default codec. Envelopes are concatenated as text, so that only params and results pass through a serializer.
// Depth and number of values are bounded for untrusted JSON: a 64 MiB array of empty objects would take 1.5 GB to parse. A key named
// `__proto__` is refused, and so is a number that is parsed as Infinity, which JSON cannot encode again.
import { allocate, decodeUtf8, IS_NODE, toUtf8, utf8Length, writeUtf8 } from '#platform'
import { BusError } from '../errors/bus-error.js'
import { FRAME_KIND, type Message, UNNAMED_ARGUMENTS } from '../wire/messages.js'
import { MAX_DEPTH, MAX_FRAME_BYTES, MAX_NODES, MIN_ATTACHMENT_BYTES, SCAN_ABOVE_BYTES } from '../wire/limits.js'
import {
  type Codec,
  type EncodedMessage,
  type Framing,
  LENGTH_BYTES,
  type PackedMessage,
  TextWithBytes,
  WithBytes,
} from './codec.js'
import { checkLimits, checkParsed, refuseProtoKeys, scanJson, stringifyJson } from './json-checks.js'

interface JsonCodec extends Codec {
  join(messages: readonly EncodedMessage[]): string
  decode(body: string | Uint8Array, trusted?: boolean): unknown
}

export const jsonCodec: JsonCodec = {
  name: 'json',
  kind: FRAME_KIND.json,
  encode(message, checked = false) {
    const text = write(message, checked)
    // A UTF-16 code unit has at most three bytes in UTF-8.
    return checked && typeof text === 'string' && text.length * 3 > SCAN_ABOVE_BYTES ? checkJsonMessage(text) : text
  },
  encodeValue: stringifyJson,
  // No page joins values.
  encodeAround(message, value) {
    if (!IS_NODE) return ''
    const text = (write(message, false) as string).slice(0, -JSON_END.length)
    if (!(value instanceof WithBytes)) return `${text}${value as string}}}`
    return packJson(
      `${text}${value.encoded as string}}`,
      value,
      `/params/${Object.keys(message.params as object).at(-1)}`,
    )
  },
  join: messages => (messages.length === 1 ? (messages[0] as string) : `[${messages.join(',')}]`),
  decode(body, trusted = false) {
    try {
      // A page trusts its server.
      if (IS_NODE) checkBody(body, trusted)
      const text = typeof body === 'string' ? body : decodeUtf8(body)
      const value: unknown = JSON.parse(text)
      if (IS_NODE && !trusted) checkParsed(text, value)
      return value
    } catch (error) {
      throw new BusError('ParseError', `Parse error: ${withoutSource(error as Error)}`)
    }
  },
}

/** @throws errors of `scanJson`, and for a text that is too large or not well-formed */
function checkBody(body: string | Uint8Array, trusted: boolean): void {
  const isText = typeof body === 'string'
  const size = isText ? getLargeSize(body) : body.byteLength
  if (size > MAX_FRAME_BYTES) throw new RangeError(`a frame of ${size} bytes is over the limit`)
  if (!trusted && size > SCAN_ABOVE_BYTES) scanJson(isText ? toUtf8(body) : body)
  if (isText && !body.isWellFormed()) throw new TypeError('the text is not well-formed Unicode')
}

/** Returns the text of a message, checked as core checks it. @throws errors of `scanJson` */
export function checkJsonMessage(text: string): string {
  // A value and its comma are two characters.
  if (IS_NODE && text.length / 2 + MAX_DEPTH < MAX_NODES && hasFewBrackets(text)) return text
  // A text that is too large for a frame is refused by the outbox, with a better error.
  if (text.length > MAX_FRAME_BYTES || getLargeSize(text) <= SCAN_ABOVE_BYTES) return text
  if (IS_NODE) scanJson(toUtf8(text))
  else checkLimits(text)
  return text
}

/** True if no value can be nested too deeply. A scan takes a VM of QuickJS far longer. */
function hasFewBrackets(text: string): boolean {
  const brackets = text.matchAll(BRACKET)
  for (let count = 0; !brackets.next().done; count++) if (count === MAX_DEPTH) return false
  return true
}

const BRACKET = /[[{]/g

/** The last param, and the ends of the params and the message. */
const JSON_END = 'null}}'

function write(message: Message, checked: boolean): string | PackedMessage {
  const { id } = message
  const jsonId = typeof id === 'number' ? String(id) : JSON.stringify(id)
  let head = id === undefined ? '{"jsonrpc":"2.0"' : `{"jsonrpc":"2.0","id":${jsonId}`
  const { stream } = message as { stream?: number }
  if (stream !== undefined) head += `,"stream":${stream}`
  if ('result' in message) {
    const result = member(',"result":', message.result, checked)
    return result instanceof WithBytes
      ? pack(head, result, 'result', '', checked)
      : `${head}${result || ',"result":null'}}`
  }
  if ('error' in message) {
    const error = member(',"error":', message.error, checked)
    return error instanceof WithBytes ? pack(head, error, 'error', '', checked) : `${head}${error}}`
  }
  const { method, params, headers, channels } = message
  if (method !== lastMethod) {
    lastMember = `,"method":${JSON.stringify(method)}`
    lastMethod = method
  }
  const text = head + lastMember
  const named = params === undefined ? '' : member(',"params":', params, checked, checked)
  let end = ''
  if (headers !== undefined) end = member(',"headers":', headers, checked) as string
  if (channels !== undefined) end += member(',"channels":', channels, checked) as string
  return named instanceof WithBytes ? pack(text, named, 'params', end, checked) : `${text}${named}${end}}`
}

const pack = (head: string, member: WithBytes, name: string, end: string, checked: boolean): PackedMessage =>
  packJson(`${head}${member.encoded as string}${end}`, member, `/${name}`, checked ? checkJsonMessage : undefined)

// The method of the last call, and its text: most callers repeat themselves.
let lastMethod = ''
let lastMember = ',"method":""'

/**
 * Returns '' if JSON has no text for the value. Checks the text before it concatenates, because each check of a concatenated text makes V8
 * copy it.
 *
 * @param isNamed - whether to refuse what a `toJSON` can turn params into: core takes only named arguments, and bytes
 */
function member(name: string, value: unknown, checked: boolean, isNamed = false): string | WithBytes {
  const encoded = stringifyJson(value)
  if (encoded === undefined) {
    if (isNamed) throw new TypeError(UNNAMED_ARGUMENTS)
    return ''
  }
  const isText = typeof encoded === 'string'
  const text = isText ? encoded : (encoded.encoded as string)
  if (isNamed && !text.startsWith('{') && (isText || encoded.pointers[0] !== '')) throw new TypeError(UNNAMED_ARGUMENTS)
  if (checked && text.includes('__p') && text.includes('__proto__')) refuseProtoKeys(JSON.parse(text))
  if (isText) return name + text
  encoded.encoded = name + text
  return encoded
}

/** Encodes a value for core alone. Returns `undefined` if JSON has no text for it, or if it has bytes. @throws what `encode` throws if it is `checked` */
export function encodeJsonValue(value: unknown): string | undefined {
  const text = member('', value, true)
  return text === '' || text instanceof WithBytes ? undefined : text
}

/** Code units that can have three bytes in UTF-8; all others have at most two. V8 finds none in a text of one byte a character at once. */
const WIDE = /[\u0800-\uffff]/

/** Returns the bytes of a text in UTF-8, or 0 if they are certainly not more than are parsed without a scan. */
function getLargeSize(text: string): number {
  const { length } = text
  if (length * 3 <= SCAN_ABOVE_BYTES) return 0
  return IS_NODE && length * 2 <= SCAN_ABOVE_BYTES && !WIDE.test(text) ? 0 : utf8Length(text)
}

/** Removes the unparsable source that V8 quotes: a peer sent it, and the message is logged. */
const withoutSource = ({ message }: Error): string =>
  !IS_NODE ? message : message.replace(/, (?:\.\.\.)?".*"(?:\.\.\.)? is not valid JSON$/s, ' in JSON')

// Bytes in JSON. The text has `null` in the place of each, and its member `bytes` has JSON Pointers (RFC 6901) to these places:
//
//   {"jsonrpc":"2.0","id":1,"method":"save","params":{"name":"a","data":null},"bytes":["/params/data"]}
//
// The length of each follows the text in its frame, with the bytes if they are small. Large ones are attachments, in frames of their own before it.

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
  const places = pointers.map(pointer => JSON.stringify(around + pointer))
  const complete = `${text},"bytes":[${places.join()}]}`
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

function parsePointer(pointer: string): string[] {
  const names = pointer.split('/').slice(1)
  return pointer.includes('~') ? names.map(name => name.replaceAll('~1', '/').replaceAll('~0', '~')) : names
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
  if (IS_NODE && end > body.length) throw new RangeError('the text is cut short')
  return end
}

function readLength(body: Uint8Array, at: number): number {
  if (IS_NODE && at + LENGTH_BYTES > body.length) throw new RangeError('a length is cut short')
  return body[at]! * 2 ** 24 + (body[at + 1]! << 16) + (body[at + 2]! << 8) + body[at + 3]!
}

/**
 * Puts the bytes behind the text of a body, and attachments, into their places in decoded messages, which no one has checked. A page trusts its server.
 *
 * @param at - where the text ends
 * @throws {RangeError} or TypeError if the bytes, and what the messages say of them, do not match
 */
export function placeBytes(decoded: unknown, body: Uint8Array, at: number, attachments: readonly Uint8Array[]): void {
  // A Buffer would return a view.
  const isPlain = !IS_NODE || body.constructor === Uint8Array
  const bytes = isPlain ? body : new Uint8Array(body.buffer, body.byteOffset, body.length)
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
      if (IS_NODE && part?.byteLength !== length) throw new RangeError('bytes are missing or have another length')
      if (!isLarge) from += length
      const steps = parsePointer(pointer)
      const name = steps.pop() ?? ''
      let holder = message as Record<string, unknown>
      for (const step of steps) holder = getOwn(holder, step) as typeof holder
      if (IS_NODE && (pointer === '' || getOwn(holder, name) !== null)) throw new RangeError('bytes have no place')
      holder[name] = part
    }
    delete (message as { bytes?: unknown }).bytes
  }
  if (IS_NODE && (from !== body.length || used !== attachments.length)) throw new RangeError('bytes have no place')
}

const getOwn = (holder: Record<string, unknown>, name: string): unknown =>
  Object.hasOwn(holder, name) ? holder[name] : undefined
