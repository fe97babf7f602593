// JSON, the default codec. Envelopes are concatenated as text, so that only params and results pass through a serializer.
// Depth and number of values are bounded for untrusted JSON: a 64 MiB array of empty objects would take 1.5 GB to parse. A key named
// `__proto__` is refused, and so is a number that is parsed as Infinity, which JSON cannot encode again.
import { BusError } from '../errors/bus-error.js'
import { type Message, UNNAMED_ARGUMENTS } from '../message/message.js'
import { decodeUtf8, IS_NODE, toUtf8, utf8Length } from '#platform'
import { MAX_FRAME_BYTES, SCAN_ABOVE_BYTES } from '../wire/limits.js'
import { FRAME_KIND } from '../wire/link.js'
import { type Codec, type EncodedMessage, type PackedMessage, WithBytes } from './codec.js'
import { packJson } from './json-bytes.js'
import { checkParsed, refuseProtoKeys, scanJson } from './json-checks.js'
import { stringifyJson } from './stringify-json.js'

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
  encodeAround(message, value) {
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
  const named = params === undefined ? '' : member(',"params":', params, checked, true)
  let end = ''
  if (headers !== undefined) end = member(',"headers":', headers, checked) as string
  if (channels !== undefined) end += member(',"channels":', channels, checked) as string
  return named instanceof WithBytes ? pack(text, named, 'params', end, checked) : `${text}${named}${end}}`
}

/** Packs a message whose member `name` has bytes. */
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
    if (checked && isNamed) throw new TypeError(UNNAMED_ARGUMENTS)
    return ''
  }
  const isText = typeof encoded === 'string'
  const text = isText ? encoded : (encoded.encoded as string)
  if (checked && isNamed && !text.startsWith('{') && (isText || encoded.pointers[0] !== ''))
    throw new TypeError(UNNAMED_ARGUMENTS)
  // V8 finds a short text four times as fast as a long one.
  if (checked && text.includes('__p') && text.includes('__proto__')) refuseProtoKeys(text, JSON.parse(text))
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
const withoutSource = (message: string): string =>
  message.replace(/, (?:\.\.\.)?".*"(?:\.\.\.)? is not valid JSON$/s, ' in JSON')
