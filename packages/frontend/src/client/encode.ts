// Encodes a message and hands it to the outbox: bytes take the msgpack lane, and large ones go beside it.
import {
  BusError,
  type CallMessage,
  detachAttachments,
  type CodecName,
  codecs,
  describeCommand,
  encodeMessage,
  holdsBytes,
  isBusError,
  type Message,
  type Outbox,
  packMessage,
  type RequestId,
  toErrorObject,
  notSerializable,
  whyNotSerializable,
  withoutData,
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
      `${what} can’t be carried as ${lane}: ${whyNotSerializable(cause, message.params)}`,
      { cause },
    )
  }
}

/**
 * The same for any message.
 *
 * @throws what the codec throws for a value that it can't carry, and BusError `InvalidParams` for what is out of bounds
 */
function post(
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
  const { codec, encoded, attachments } = detachAttachments(packMessage(message), transfer)
  outbox.put(codec, encoded, attachments)
}

// Encodes what answers a call of core's: as calls are, bytes take the msgpack lane, and large ones go beside it. What can't be
// carried becomes an error that says so.

/** Gives the error that it is answered with, where it can't be carried. */
export function postResult(
  outbox: Outbox,
  codec: CodecName,
  id: RequestId,
  method: string,
  value: unknown,
): BusError | undefined {
  const result = value ?? null
  try {
    if (typeof result === 'object' && result !== null && Symbol.asyncIterator in result) {
      throw new TypeError('an async iterable is no value')
    }
    post(outbox, codec, { jsonrpc: '2.0', id, result }, holdsBytes(result))
    return undefined
  } catch (cause) {
    const what = `The result of ${describeCommand(method)}`
    return postError(outbox, codec, id, notSerializable(what, 'InternalError', cause, value))
  }
}

export function postError(outbox: Outbox, codec: CodecName, id: RequestId, error: BusError): BusError {
  try {
    post(outbox, codec, { jsonrpc: '2.0', id, error: toErrorObject(error) }, holdsBytes(error.data))
    return error
  } catch (cause) {
    const failure = withoutData(error, 'The error', cause)
    post(outbox, codec, { jsonrpc: '2.0', id, error: toErrorObject(failure) }, false)
    return failure
  }
}
