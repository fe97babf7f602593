// Messages made ready for an outbox, to be put there at once or later. Those that hold bytes are encoded as MessagePack, with
// the large bytes beside them.
import { markAttachments } from './attachments.js'
import { MAX_ATTACHED_BYTES, MIN_ATTACHMENT_BYTES } from './bounds.js'
import type { Codec, EncodedMessage } from './codec.js'
import { BusError } from './error.js'
import type { Message } from './message.js'
import { msgpackCodec } from './msgpack-codec.js'
import { encodeMessage } from './outbox.js'
import { claimBytes } from './transfer.js'

/** What `Outbox.put` takes. */
export interface PackedMessage {
  readonly codec: Codec
  readonly encoded: EncodedMessage
  readonly attachments: readonly Uint8Array[]
}

const NONE: readonly Uint8Array[] = []

/** Encodes a message without bytes in it. Its parameters, and what it throws, are those of `encodeMessage`. */
export function packPlain(codec: Codec, message: Message, checked = false): PackedMessage {
  return { codec, encoded: encodeMessage(codec, message, checked), attachments: NONE }
}

/**
 * Encodes a message with bytes in it. Its attachments are still the caller's memory: send them before anyone writes to them,
 * or `claimAttachments`.
 *
 * @throws what `encodeMessage` throws
 */
export function packMessage(given: Message): PackedMessage {
  const { message, attachments, lengths } = markAttachments(given)
  let size = 0
  for (const length of lengths) size += length
  if (size > MAX_ATTACHED_BYTES) {
    throw new BusError('InvalidParams', `${size} bytes are over the limit of ${MAX_ATTACHED_BYTES}`)
  }
  const encoded = encodeMessage(msgpackCodec, message, true)
  if (attachments.some(({ byteLength: now }, at) => now !== lengths[at] || now < MIN_ATTACHMENT_BYTES)) {
    throw new BusError('InvalidParams', 'Bytes changed their length while they were written')
  }
  return { codec: msgpackCodec, encoded, attachments }
}

/**
 * Makes attachments ready for `Outbox.put`: copies them, or moves what is in `transfer`.
 *
 * @throws BusError `InvalidParams` where a buffer can't be given away
 */
export function claimAttachments(
  { codec, encoded, attachments }: PackedMessage,
  transfer: readonly ArrayBufferLike[] = [],
): PackedMessage {
  return { codec, encoded, attachments: claimBytes(attachments, transfer) }
}
