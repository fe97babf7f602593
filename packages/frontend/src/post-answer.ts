// Encodes what answers a call of core's: as calls are, bytes take the msgpack lane, and large ones go beside it. What can't be
// carried becomes an error that says so.
import {
  describeCommand,
  holdsBytes,
  toErrorObject,
  uncarriable,
  type BusError,
  type CodecName,
  type Outbox,
  type RequestId,
} from '@sallyport/protocol'
import { post } from './post-call.js'

export function postResult(outbox: Outbox, codec: CodecName, id: RequestId, method: string, value: unknown): void {
  const result = value ?? null
  try {
    if (typeof result === 'object' && result !== null && Symbol.asyncIterator in result) {
      throw new TypeError('an async iterable is no value')
    }
    post(outbox, codec, { jsonrpc: '2.0', id, result }, holdsBytes(result))
  } catch (cause) {
    postError(outbox, codec, id, uncarriable(`The result of ${describeCommand(method)}`, 'InternalError', cause))
  }
}

export function postError(outbox: Outbox, codec: CodecName, id: RequestId, error: BusError): void {
  try {
    post(outbox, codec, { jsonrpc: '2.0', id, error: toErrorObject(error) }, holdsBytes(error.data))
  } catch (cause) {
    const failure = uncarriable('The error', error.reason, cause)
    post(outbox, codec, { jsonrpc: '2.0', id, error: toErrorObject(failure) }, false)
  }
}
