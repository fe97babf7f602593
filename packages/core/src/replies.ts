// What core sends to one frontend: answers, events and the messages of channels, each in the codec that can carry it.
import {
  BusError,
  METHOD,
  checkTransfer,
  codecs,
  createOutbox,
  describeCommand,
  describeThrown,
  encodeMessage,
  holdsBytes,
  claimAttachments,
  packMessage,
  toErrorObject,
  type ChannelParams,
  type CodecName,
  type EventParams,
  type Link,
  type Message,
  type Outbox,
  type Codec,
  type EncodedMessage,
  type RequestId,
} from '@sallyport/protocol'
import { takeTransfer } from './transfer.js'

/** A message that may be sent as it is. */
export interface EncodedReply {
  codec: Codec
  encoded: EncodedMessage
  attachments: readonly Uint8Array[] | undefined
}

export class Replies {
  readonly #codec: CodecName
  readonly #outbox: Outbox

  constructor(link: Link, codec: CodecName) {
    this.#codec = codec
    this.#outbox = createOutbox((kind, body) => link.send({ kind, body }))
  }

  /** A result that can't be carried becomes an error that says so. */
  result(id: RequestId, method: string, value: unknown): void {
    const result = value ?? null
    try {
      const isObject = typeof result === 'object' && result !== null
      if (isObject && Symbol.asyncIterator in result) {
        throw new TypeError('an async iterable is no value; send its values on a Channel')
      }
      const transfer = isObject ? takeTransfer(result) : undefined
      this.#post({ jsonrpc: '2.0', id, result }, result, transfer)
    } catch (cause) {
      this.error(id, method, uncarriable(`The result of ${describeCommand(method)}`, 'InternalError', cause))
    }
  }

  error(id: RequestId | null, method: string, error: BusError): void {
    try {
      this.#post({ jsonrpc: '2.0', id, error: toErrorObject(error) }, error.data)
    } catch (cause) {
      const failure = uncarriable(`The error of ${describeCommand(method)}`, error.reason, cause)
      this.#post({ jsonrpc: '2.0', id, error: toErrorObject(failure) }, undefined)
    }
  }

  /** @throws BusError `InvalidParams` for a payload that can't be carried. */
  event(params: EventParams): void {
    try {
      this.#post({ jsonrpc: '2.0', method: METHOD.event, params }, params.payload)
    } catch (cause) {
      throw uncarriable(`The payload of event ${JSON.stringify(params.event)}`, 'InvalidParams', cause)
    }
  }

  /**
   * Encodes a channel's message as it is now, for `put`, at once or later.
   *
   * @throws BusError `InvalidParams` for a message or a `transfer` that can't be carried.
   */
  encode(params: ChannelParams, transfer?: readonly ArrayBufferLike[]): EncodedReply {
    const value = 'message' in params ? params.message : undefined
    try {
      if (transfer !== undefined) checkTransfer(transfer, value)
      return this.#encode({ jsonrpc: '2.0', method: METHOD.channel, params }, value, transfer)
    } catch (cause) {
      throw uncarriable(`A message of channel ${params.channel}`, 'InvalidParams', cause)
    }
  }

  put({ codec, encoded, attachments }: EncodedReply): void {
    this.#outbox.put(codec, encoded, attachments)
  }

  flush(): void {
    this.#outbox.flush()
  }

  #post(message: Message, value: unknown, transfer?: readonly ArrayBufferLike[]): void {
    this.put(this.#encode(message, value, transfer))
  }

  /** `value` is what the user gave: bytes, as themselves or at its top level, need the msgpack lane. */
  #encode(message: Message, value: unknown, transfer: readonly ArrayBufferLike[] | undefined): EncodedReply {
    if (holdsBytes(value)) return { codec: codecs.msgpack, ...claimAttachments(packMessage(message), transfer) }
    const codec = codecs[this.#codec]
    return { codec, encoded: encodeMessage(codec, message), attachments: undefined }
  }
}

function uncarriable(what: string, reason: BusError['reason'], cause: unknown): BusError {
  return new BusError(reason, `${what} can’t be carried: ${describeThrown(cause)}`, { cause })
}
