// JSON, the default codec. Envelopes are concatenated as text, so that only params and results pass through a serializer.
// Depth and number of values are bounded for untrusted JSON: a 64 MiB array of empty objects would take 1.5 GB to parse. A key named
// `__proto__` is refused, and so is a number that is parsed as Infinity, which JSON cannot encode again.
import { BusError } from '../errors/bus-error.js'
import { type Message, UNNAMED_ARGUMENTS } from '../message/message.js'
import { decodeUtf8, IS_NODE, toUtf8, utf8Length } from '#platform'
import { MAX_FRAME_BYTES, SCAN_ABOVE_BYTES } from '../wire/limits.js'
import { FRAME_KIND } from '../wire/link.js'
import type { Codec } from './codec.js'
import { checkParsed, refuseProtoKeys, scanJson } from './json-checks.js'
import { stringifyJson } from './stringify-json.js'

interface JsonCodec extends Codec {
  decode(body: string | Uint8Array, trusted?: boolean): unknown
}

export const jsonCodec: JsonCodec = {
  name: 'json',
  kind: FRAME_KIND.json,
  encode(message, checked = false) {
    const text = write(message, checked)
    // A UTF-16 code unit has at most three bytes in UTF-8.
    return checked && text.length * 3 > SCAN_ABOVE_BYTES ? checkJsonMessage(text) : text
  },
  join: messages => (messages.length === 1 ? messages[0]! : `[${messages.join(',')}]`),
  decode(body, trusted = false) {
    try {
      const isText = typeof body === 'string'
      const size = isText ? getLargeSize(body) : body.byteLength
      if (size > MAX_FRAME_BYTES) throw new RangeError(`a frame of ${size} bytes is over the limit`)
      if (!trusted && size > SCAN_ABOVE_BYTES) scanJson(isText ? toUtf8(body) : body)
      if (isText && !body.isWellFormed()) throw new TypeError('the text is not well-formed Unicode')
      const text = isText ? body : decodeUtf8(body)
      const value: unknown = JSON.parse(text)
      if (!trusted) checkParsed(text, value)
      return value
    } catch (error) {
      throw new BusError('ParseError', `Parse error: ${withoutSource((error as Error).message)}`)
    }
  },
}

/** Returns the text of a message, checked as core checks it. @throws errors of `scanJson` */
export function checkJsonMessage(text: string): string {
  // A text that is too large for a frame is refused by the outbox, with a better error.
  if (getLargeSize(text) > SCAN_ABOVE_BYTES && text.length <= MAX_FRAME_BYTES) scanJson(toUtf8(text))
  return text
}

function write(message: Message, checked: boolean): string {
  const { id } = message
  const jsonId = typeof id === 'number' ? String(id) : JSON.stringify(id)
  let head = id === undefined ? '{"jsonrpc":"2.0"' : `{"jsonrpc":"2.0","id":${jsonId}`
  const { stream } = message as { stream?: number }
  if (stream !== undefined) head += `,"stream":${stream}`
  if ('result' in message) return `${head}${member(',"result":', message.result, checked) || ',"result":null'}}`
  if ('error' in message) return `${head}${member(',"error":', message.error, checked)}}`
  const { method, params, headers, channels } = message
  if (method !== lastMethod) {
    lastMember = `,"method":${JSON.stringify(method)}`
    lastMethod = method
  }
  let text = head + lastMember
  if (params !== undefined) text += member(',"params":', params, checked, true)
  if (headers !== undefined) text += member(',"headers":', headers, checked)
  if (channels !== undefined) text += member(',"channels":', channels, checked)
  return text + '}'
}

// The method of the last call, and its text: most callers repeat themselves.
let lastMethod = ''
let lastMember = ',"method":""'

/**
 * Returns '' if JSON has no text for the value. Checks the text before it concatenates, because each check of a concatenated text makes V8
 * copy it.
 *
 * @param isNamed - whether to refuse what a `toJSON` can turn params into: core takes only named arguments. Bytes never travel in JSON
 */
function member(name: string, value: unknown, checked: boolean, isNamed = false): string {
  const text = stringifyJson(value)
  if (checked && isNamed && !text?.startsWith('{')) throw new TypeError(UNNAMED_ARGUMENTS)
  if (text === undefined) return ''
  // V8 finds a short text four times as fast as a long one.
  if (checked && text.includes('__p') && text.includes('__proto__')) refuseProtoKeys(text, JSON.parse(text))
  return name + text
}

/** Encodes a value for core alone. Returns `undefined` if JSON has no text for it. @throws what `encode` throws if it is `checked` */
export function encodeJsonValue(value: unknown): string | undefined {
  const text = member('', value, true)
  return text === '' ? undefined : text
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
const withoutSource = (message: string): string =>
  message.replace(/, (?:\.\.\.)?".*"(?:\.\.\.)? is not valid JSON$/s, ' in JSON')
