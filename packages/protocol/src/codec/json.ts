// JSON, the default codec: envelopes are spliced as text, so that only params and results pass through a serializer.
import { isAscii, isUtf8 } from 'node:buffer'
import { BusError } from '../errors/bus-error.js'
import { type Message, type RequestId, UNNAMED } from '../message/message.js'
import { FRAME_KIND } from '../wire/frame.js'
import { MAX_FRAME_BYTES, SCAN_ABOVE_BYTES } from '../wire/limits.js'
import type { Codec } from './codec.js'
import { refuseProtoKeys, scanJson } from './limits.js'

const quote = (id: RequestId | null): string => (typeof id === 'number' ? String(id) : JSON.stringify(id))

/** The text of a call up to its params: callers mostly repeat themselves. */
let lastMethod = ''
let lastHead = ',"method":""'

function getHead(method: string): string {
  if (method !== lastMethod) {
    lastHead = `,"method":${JSON.stringify(method)}`
    lastMethod = method
  }
  return lastHead
}

function encode(message: Message, checked = false): string {
  const text = write(message, checked)
  if (checked && text.length * 3 > SCAN_ABOVE_BYTES) scanIfLarge(text)
  return text
}

function write(message: Message, checked: boolean): string {
  if ('result' in message) {
    return `{"jsonrpc":"2.0","id":${quote(message.id)}${member(',"result":', message.result, checked) || ',"result":null'}}`
  }
  if ('error' in message) {
    return `{"jsonrpc":"2.0","id":${quote(message.id)}${member(',"error":', message.error, checked)}}`
  }
  const { id, method, params, headers } = message
  const head = getHead(method)
  let text = id === undefined ? `{"jsonrpc":"2.0"${head}` : `{"jsonrpc":"2.0","id":${quote(id)}${head}`
  if (params !== undefined)
    text += checked ? named(member(',"params":', params, true)) : member(',"params":', params, false)
  if (headers !== undefined) text += member(',"headers":', headers, checked)
  return text + '}'
}

/** A `toJSON` can make anything of params: nobody takes others than named arguments. Bytes don't come in JSON. */
function named(text: string): string {
  if (!text.startsWith(',"params":{')) throw new TypeError(UNNAMED)
  return text
}

/** Nothing for what JSON has no text for. The text is looked at before it is joined to others, which costs the least. */
function member(name: string, value: unknown, checked: boolean): string {
  const text: string | undefined = JSON.stringify(value)
  if (text === undefined) return ''
  if (checked && text.includes('__proto__')) refuseProtoKeys(text, JSON.parse(text))
  return name + text
}

/** What is too large for a frame is refused for that, later. */
function scanIfLarge(text: string): void {
  if (text.length > MAX_FRAME_BYTES) return
  const bytes = Buffer.from(text)
  if (bytes.byteLength > SCAN_ABOVE_BYTES) scanJson(bytes)
}

/** V8 quotes what it could not read, which somebody has sent, and which ends in a log. */
const withoutSource = (message: string): string =>
  message.replace(/, (?:\.\.\.)?".*"(?:\.\.\.)? is not valid JSON$/s, ' in JSON')

function decode(body: Uint8Array, trusted = false): unknown {
  try {
    return read(body, trusted)
  } catch (error) {
    throw new BusError('ParseError', `Parse error: ${withoutSource((error as Error).message)}`)
  }
}

function read(body: Uint8Array, trusted: boolean): unknown {
  if (body.byteLength > MAX_FRAME_BYTES) throw new RangeError(`a frame of ${body.byteLength} bytes is over the limit`)
  if (!trusted && body.byteLength > SCAN_ABOVE_BYTES) scanJson(body)
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const ascii = isAscii(bytes)
  if (!ascii && !isUtf8(bytes)) throw new TypeError('the text is not UTF-8')
  const text = ascii ? bytes.toString('latin1') : bytes.toString('utf8')
  const value: unknown = JSON.parse(text)
  if (!trusted) refuseProtoKeys(text, value)
  return value
}

export const jsonCodec: Codec = {
  name: 'json',
  kind: FRAME_KIND.json,
  encode,
  join: messages => (messages.length === 1 ? messages[0]! : `[${messages.join(',')}]`),
  decode,
}
