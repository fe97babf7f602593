// JSON, the default codec. Envelopes are concatenated as text, so that only params and results pass through a serializer.
// Depth and number of values are bounded for untrusted JSON: a 64 MiB array of empty objects would take 1.5 GB to parse. A key named
// `__proto__` is refused, and so is a number that is parsed as Infinity, which JSON cannot encode again.
import { BusError } from '../errors/bus-error.js'
import { type Message, type RequestId, UNNAMED_ARGUMENTS } from '../message/message.js'
import { isDevelopment } from '../util/development.js'
import { decodeUtf8, IS_NODE, toUtf8, utf8Length } from '#platform'
import { MAX_FRAME_BYTES, SCAN_ABOVE_BYTES } from '../wire/limits.js'
import { FRAME_KIND } from '../wire/link.js'
import type { Codec } from './codec.js'
import { mayHaveProtoKey, refuseInfinity, refuseProtoKeys, replaceNegativeZeros, scanJson } from './json-checks.js'
import { stringifyJson } from './stringify-json.js'

interface JsonCodec extends Codec {
  decode(body: string | Uint8Array, trusted?: boolean): unknown
}

export const jsonCodec: JsonCodec = {
  name: 'json',
  kind: FRAME_KIND.json,
  encode(message, checked = false) {
    const text = write(message, checked)
    return checked ? checkJsonMessage(text) : text
  },
  join: messages => (messages.length === 1 ? messages[0]! : `[${messages.join(',')}]`),
  decode(body, trusted = false) {
    try {
      return read(body, trusted)
    } catch (error) {
      throw new BusError('ParseError', `Parse error: ${withoutSource((error as Error).message)}`)
    }
  },
}

/** Returns the text of a message, checked as core checks it. @throws errors of `scanJson` */
export function checkJsonMessage(text: string): string {
  // A text that is too large for a frame is refused by the outbox, with a better error.
  if (isLarge(text) && text.length <= MAX_FRAME_BYTES) scanJson(toUtf8(text))
  return text
}

function write(message: Message, checked: boolean): string {
  if ('result' in message) {
    return `{"jsonrpc":"2.0","id":${quote(message.id)}${member(',"result":', message.result, checked) || ',"result":null'}}`
  }
  if ('error' in message) {
    return `{"jsonrpc":"2.0","id":${quote(message.id)}${member(',"error":', message.error, checked)}}`
  }
  const { id, method, params, headers, channels } = message
  const head = getHead(method)
  let text = id === undefined ? `{"jsonrpc":"2.0"${head}` : `{"jsonrpc":"2.0","id":${quote(id)}${head}`
  if (params !== undefined) text += member(',"params":', params, checked, true)
  if (headers !== undefined) text += member(',"headers":', headers, checked)
  if (channels !== undefined) text += member(',"channels":', channels, checked)
  return text + '}'
}

const quote = (id: RequestId | null): string => (typeof id === 'number' ? String(id) : JSON.stringify(id))

// The text of the last call's method: most callers repeat themselves.
let lastMethod = ''
let lastHead = ',"method":""'

function getHead(method: string): string {
  if (method !== lastMethod) {
    lastHead = `,"method":${JSON.stringify(method)}`
    lastMethod = method
  }
  return lastHead
}

/**
 * Returns '' if JSON has no text for the value. Checks the text before it concatenates, because each check of a concatenated text makes V8
 * copy it.
 *
 * @param isNamed - whether to refuse what a `toJSON` can turn params into: core takes only named arguments. Bytes never travel in JSON
 */
function member(name: string, value: unknown, checked: boolean, isNamed = false): string {
  // Directly, because every message passes here.
  const text = isDevelopment() ? stringifyJson(value) : JSON.stringify(value)
  if (checked && isNamed && !text?.startsWith('{')) throw new TypeError(UNNAMED_ARGUMENTS)
  if (text === undefined) return ''
  if (checked && mayHaveProtoKey(text)) refuseProtoKeys(text, JSON.parse(text))
  return name + text
}

/** Encodes a value for core alone. Returns `undefined` if JSON has no text for it. @throws what `encode` throws if it is `checked` */
export function encodeJsonValue(value: unknown): string | undefined {
  const text = member('', value, true)
  return text === '' ? undefined : text
}

function read(body: string | Uint8Array, trusted: boolean): unknown {
  if (typeof body === 'string') checkText(body, trusted)
  else checkFrame(body, trusted)
  const text = typeof body === 'string' ? body : decodeUtf8(body)
  const value: unknown = JSON.parse(text)
  if (!trusted) {
    refuseProtoKeys(text, value)
    // A page reads frames of core alone.
    if (IS_NODE) {
      refuseInfinity(text, value)
      replaceNegativeZeros(text, value)
    }
  }
  return value
}

/** Code units that can have three bytes in UTF-8; all others have at most two. V8 finds none in a text of one byte a character at once. */
const WIDE = /[\u0800-\uffff]/

function isLarge(text: string): boolean {
  const { length } = text
  if (length * 3 <= SCAN_ABOVE_BYTES || (length * 2 <= SCAN_ABOVE_BYTES && !WIDE.test(text))) return false
  return utf8Length(text) > SCAN_ABOVE_BYTES
}

/** Checks a text that came as a string as it would be checked as bytes. */
function checkText(text: string, trusted: boolean): void {
  if (isLarge(text)) checkFrame(toUtf8(text), trusted)
  if (!text.isWellFormed()) throw new TypeError('the text is not well-formed Unicode')
}

function checkFrame(body: Uint8Array, trusted: boolean): void {
  if (body.byteLength > MAX_FRAME_BYTES) throw new RangeError(`a frame of ${body.byteLength} bytes is over the limit`)
  if (!trusted && body.byteLength > SCAN_ABOVE_BYTES) scanJson(body)
}

/** Removes the unparsable source that V8 quotes: a peer sent it, and the message is logged. */
const withoutSource = (message: string): string =>
  message.replace(/, (?:\.\.\.)?".*"(?:\.\.\.)? is not valid JSON$/s, ' in JSON')
