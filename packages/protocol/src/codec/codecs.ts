// The codecs there are, by name and by the kind of frame that they write.
import { BusError } from '../errors/bus-error.js'
import { FRAME_KIND } from '../wire/frame.js'
import { MAX_BATCH } from '../wire/limits.js'
import type { Codec, CodecName } from './codec.js'
import { jsonCodec } from './json.js'
import { msgpackCodec } from './msgpack.js'

export const codecs: Record<CodecName, Codec> = { json: jsonCodec, msgpack: msgpackCodec }

/** The codec of a frame's kind; a sealed frame has none: what is in its record has. */
export function getCodec(kind: number): Codec | undefined {
  return kind === FRAME_KIND.json ? jsonCodec : kind === FRAME_KIND.msgpack ? msgpackCodec : undefined
}

/**
 * The messages in a frame's body, not yet checked to be JSON-RPC.
 *
 * @throws BusError `ParseError`, or `InvalidRequest` for a kind that holds no messages and a batch that is empty or too long
 */
export function readBatch(
  kind: number,
  body: Uint8Array,
  trusted = false,
  attachments?: readonly Uint8Array[],
): readonly unknown[] {
  const codec = getCodec(kind)
  if (!codec) throw new BusError('InvalidRequest', `A frame of kind ${kind} is not taken here`)
  const decoded = codec.decode(body, trusted, attachments)
  if (!Array.isArray(decoded)) return [decoded]
  if (decoded.length === 0 || decoded.length > MAX_BATCH) {
    throw new BusError(
      'InvalidRequest',
      `Invalid Request: a batch has 1 to ${MAX_BATCH} messages, not ${decoded.length}`,
    )
  }
  return decoded
}
