// Encodes what answers a call of core's: as calls are, bytes take the msgpack lane, and large ones go beside it. What can't be
// carried becomes an error that says so.
import {
  describeCommand,
  holdsBytes,
  toErrorObject,
  uncarriable,
  withoutData,
  type BusError,
  type CodecName,
  type Outbox,
  type RequestId,
} from '@sallyport/protocol'
import { post } from './post-call.js'

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
    return postError(outbox, codec, id, uncarriable(what, 'InternalError', cause, value))
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
