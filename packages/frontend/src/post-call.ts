// Encodes a call and hands it to the outbox: bytes take the msgpack lane, and large ones go beside it.
import {
  BusError,
  codecs,
  describeCommand,
  describeThrown,
  encodeMessage,
  isBusError,
  claimAttachments,
  packMessage,
  type CallMessage,
  type CodecName,
  type Outbox,
} from '@sallyport/protocol'

/**
 * @param bytes whether the message holds bytes where they are looked for
 * @param transfer has been checked: what is given away once nothing else can fail
 * @throws BusError `InvalidParams` for what can't be carried
 */
export function postCall(
  outbox: Outbox,
  codecName: CodecName,
  message: CallMessage,
  bytes: boolean,
  transfer?: readonly ArrayBufferLike[],
): void {
  const codec = codecs[bytes ? 'msgpack' : codecName]
  try {
    if (!bytes) return outbox.put(codec, encodeMessage(codec, message, true))
    const { encoded, attachments } = claimAttachments(packMessage(message), transfer)
    outbox.put(codec, encoded, attachments)
  } catch (cause) {
    if (isBusError(cause)) throw cause
    const why = describeThrown(cause)
    throw new BusError(
      'InvalidParams',
      `Arguments of ${describeCommand(message.method)} can’t be carried as ${codec.name}: ${why}`,
      { cause },
    )
  }
}
