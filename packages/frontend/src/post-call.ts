// Encodes a message and hands it to the outbox: bytes take the msgpack lane, and large ones go beside it.
import {
  BusError,
  claimAttachments,
  codecs,
  describeCommand,
  encodeMessage,
  isBusError,
  packMessage,
  whyUncarriable,
  type CallMessage,
  type CodecName,
  type Message,
  type Outbox,
} from '@sallyport/protocol'

/**
 * @param bytes whether the message holds bytes where they are looked for
 * @param transfer has been checked: what is given away once nothing else can fail
 * @throws BusError `InvalidParams` for what can't be carried
 */
export function postCall(
  outbox: Pick<Outbox, 'put'>,
  codecName: CodecName,
  message: CallMessage,
  bytes: boolean,
  transfer?: readonly ArrayBufferLike[],
): void {
  try {
    post(outbox, codecName, message, bytes, transfer)
  } catch (cause) {
    if (isBusError(cause)) throw cause
    const what = `Arguments of ${describeCommand(message.method)}`
    const lane = bytes ? 'msgpack' : codecName
    throw new BusError(
      'InvalidParams',
      `${what} can’t be carried as ${lane}: ${whyUncarriable(cause, message.params)}`,
      { cause },
    )
  }
}

/**
 * The same for any message.
 *
 * @throws what the codec throws for a value that it can't carry, and BusError `InvalidParams` for what is out of bounds
 */
export function post(
  outbox: Pick<Outbox, 'put'>,
  codecName: CodecName,
  message: Message,
  bytes: boolean,
  transfer?: readonly ArrayBufferLike[],
): void {
  if (!bytes) {
    const codec = codecs[codecName]
    return outbox.put(codec, encodeMessage(codec, message, true))
  }
  const { codec, encoded, attachments } = claimAttachments(packMessage(message), transfer)
  outbox.put(codec, encoded, attachments)
}
