// The codecs there are, by name and by the kind of frame that they write.
import type { Codec, CodecName } from './codec.js'
import { FRAME_KIND } from './frame.js'
import { jsonCodec } from './json-codec.js'
import { msgpackCodec } from './msgpack-codec.js'

export const codecs: Record<CodecName, Codec> = { json: jsonCodec, msgpack: msgpackCodec }

/** The codec of a frame's kind; a sealed frame has none: what is in its record has. */
export function codecOfKind(kind: number): Codec | undefined {
  return kind === FRAME_KIND.json ? jsonCodec : kind === FRAME_KIND.msgpack ? msgpackCodec : undefined
}
