// Messages that follow each other and differ in one value, those of a channel or of one event, go as one message with a list
// of values: to write and to read the same envelope for each would cost more than all else. Here are the parts of it.
import type { Codec, EncodedMessage } from './codec.js'
import { encodeMsgpackValue } from './msgpack-codec.js'

const JSON_END = 'null}}'

/**
 * A value alone; `undefined` where JSON has none for it.
 *
 * @throws what `Codec.encode` throws
 */
export function encodeValue(codec: Codec, value: unknown): EncodedMessage | undefined {
  return codec.name === 'json' ? JSON.stringify(value) : encodeMsgpackValue(value)
}

/**
 * Puts a value into a message, both encoded by the same codec.
 *
 * @param message a call without headers; the last member of its params is `null`, and the value takes its place
 */
export function putLast(message: EncodedMessage, value: EncodedMessage): EncodedMessage {
  if (typeof message === 'string') return `${message.slice(0, -JSON_END.length)}${value as string}}}`
  // In MessagePack nothing follows the last member, and null is one byte.
  return Buffer.concat([message.subarray(0, -1), value as Uint8Array])
}
