// JSON, the default codec: envelopes are spliced as text, so that only params and results pass through a serializer.
import { isAscii, isUtf8 } from 'node:buffer'
import type { Codec } from './codec.js'
import { MAX_FRAME_BYTES, SCAN_ABOVE_BYTES } from './bounds.js'
import { BusError } from './error.js'
import { FRAME_KIND } from './frame.js'
import { refuseProtoKeys, scanJson } from './json-scan.js'
import type { Message, RequestId } from './message.js'

const quote = (id: RequestId | null): string => (typeof id === 'number' ? String(id) : JSON.stringify(id))

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

function decode(body: Uint8Array): unknown {
  if (body.byteLength > MAX_FRAME_BYTES) throw parseError(`a frame of ${body.byteLength} bytes is over the limit`)
  if (body.byteLength > SCAN_ABOVE_BYTES) scanJson(body)
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const ascii = isAscii(bytes)
  if (!ascii && !isUtf8(bytes)) throw parseError('the text is not UTF-8')
  const text = ascii ? bytes.toString('latin1') : bytes.toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw parseError((error as Error).message)
  }
  refuseProtoKeys(text, value)
  return value
}

const parseError = (why: string): BusError => new BusError('ParseError', `Parse error: ${why}`)

export const jsonCodec: Codec = {
  name: 'json',
  kind: FRAME_KIND.json,
  encode,
  join: messages => (messages.length === 1 ? messages[0]! : `[${messages.join(',')}]`),
  decode,
}
