// JSON, the default codec: envelopes are spliced as text, so that only params and results pass through a serializer.
import { isAscii, isUtf8 } from 'node:buffer'
import type { Codec, EncodedMessage } from './codec.js'
import { MAX_FRAME_BYTES, SCAN_ABOVE_BYTES } from './bounds.js'
import { BusError } from './error.js'
import { FRAME_KIND } from './frame.js'
import { refuseProtoKeys, scanJson } from './json-scan.js'
import type { Message, RequestId } from './message.js'

const quote = (id: RequestId | null): string => (typeof id === 'number' ? String(id) : JSON.stringify(id))

function check(encoded: EncodedMessage): void {
  const text = encoded as string
  if (text.includes('__proto__')) refuseProtoKeys(text, JSON.parse(text))
  if (text.length * 3 > SCAN_ABOVE_BYTES) {
    const bytes = Buffer.from(text)
    if (bytes.byteLength > SCAN_ABOVE_BYTES) scanJson(bytes)
  }
}

function encode(message: Message): string {
  if ('result' in message) {
    return `{"jsonrpc":"2.0","id":${quote(message.id)},"result":${JSON.stringify(message.result) ?? 'null'}}`
  }
  if ('error' in message) {
    return `{"jsonrpc":"2.0","id":${quote(message.id)},"error":${JSON.stringify(message.error)}}`
  }
  const { id, method, params, headers } = message
  let text = id === undefined ? '{"jsonrpc":"2.0","method":' : `{"jsonrpc":"2.0","id":${quote(id)},"method":`
  text += JSON.stringify(method)
  const encodedParams = params === undefined ? undefined : JSON.stringify(params)
  if (encodedParams !== undefined) text += `,"params":${encodedParams}`
  const encodedHeaders = headers === undefined ? undefined : JSON.stringify(headers)
  if (encodedHeaders !== undefined) text += `,"headers":${encodedHeaders}`
  return `${text}}`
}

function decode(body: Uint8Array, trusted = false): unknown {
  try {
    return read(body, trusted)
  } catch (error) {
    throw new BusError('ParseError', `Parse error: ${(error as Error).message}`)
  }
}

function read(body: Uint8Array, trusted: boolean): unknown {
  if (body.byteLength > MAX_FRAME_BYTES) throw new RangeError(`a frame of ${body.byteLength} bytes is over the limit`)
  if (!trusted && body.byteLength > SCAN_ABOVE_BYTES) scanJson(body)
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
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
  check,
  join: messages => (messages.length === 1 ? messages[0]! : `[${messages.join(',')}]`),
  decode,
}
