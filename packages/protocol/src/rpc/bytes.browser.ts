// `bytes.ts` for browsers, where a WebSocket copies all bytes: `transfer` has no effect.
import { markAttachments, toJsonMessage } from '../codec/attachments.js'
import { msgpackCodec } from '../codec/msgpack.js'
import type { Message } from '../message/message.js'
import { encodeMessage, type PackedMessage } from './outbox.js'

export function packMessage(original: Message): PackedMessage {
  const { message, attachments } = markAttachments(toJsonMessage(original))
  return { codec: msgpackCodec, encoded: encodeMessage(msgpackCodec, message, true), attachments, borrowed: true }
}

/** Copies the attachments of a message that waits: its caller can change them meanwhile. */
export const detachAttachments = ({ codec, encoded, attachments }: PackedMessage): PackedMessage => ({
  codec,
  encoded,
  attachments: attachments.map(bytes => bytes.slice()),
})

export const checkTransfer = (): void => {}
