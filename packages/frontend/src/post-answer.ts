// Encodes what answers a call of core's: as calls are, bytes take the msgpack lane, and large ones go beside it. What can't be
// carried becomes an error that says so.
import {
  BusError,
  claimAttachments,
  codecs,
  describeCommand,
  describeThrown,
  encodeMessage,
  holdsBytes,
  packMessage,
  toErrorObject,
  type CodecName,
  type Outbox,
  type RequestId,
  type ResponseMessage,
} from '@sallyport/protocol'

export function postResult(outbox: Outbox, codec: CodecName, id: RequestId, method: string, value: unknown): void {
  const result = value ?? null
  try {
    if (typeof result === 'object' && result !== null && Symbol.asyncIterator in result) {
      throw new TypeError('an async iterable is no value')
    }
    post(outbox, codec, { jsonrpc: '2.0', id, result }, result)
  } catch (cause) {
    postError(outbox, codec, id, uncarriable(`The result of ${describeCommand(method)}`, 'InternalError', cause))
  }
}

export function postError(outbox: Outbox, codec: CodecName, id: RequestId, error: BusError): void {
  try {
    post(outbox, codec, { jsonrpc: '2.0', id, error: toErrorObject(error) }, error.data)
  } catch (cause) {
    const failure = uncarriable('The error', error.reason, cause)
    post(outbox, codec, { jsonrpc: '2.0', id, error: toErrorObject(failure) }, undefined)
  }
}

/** `value` is what the user gave. */
function post(outbox: Outbox, codecName: CodecName, answer: ResponseMessage, value: unknown): void {
  const codec = codecs[codecName]
  if (!holdsBytes(value)) return outbox.put(codec, encodeMessage(codec, answer, true))
  const { encoded, attachments } = claimAttachments(packMessage(answer))
  outbox.put(codecs.msgpack, encoded, attachments)
}

const uncarriable = (what: string, reason: BusError['reason'], cause: unknown): BusError =>
  new BusError(reason, `${what} can’t be carried: ${describeThrown(cause)}`, { cause })
