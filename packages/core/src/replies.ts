// What core sends to one frontend: answers, events and the messages of channels, each in the codec that can carry it.
import {
  BusError,
  METHOD,
  codecs,
  createOutbox,
  describeCommand,
  describeThrown,
  holdsBytes,
  toErrorObject,
  type ChannelParams,
  type CodecName,
  type EventParams,
  type Link,
  type Message,
  type Outbox,
  type RequestId,
} from '@sallyport/protocol'

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
      if (typeof result === 'object' && result !== null && Symbol.asyncIterator in result) {
        throw new TypeError('an async iterable is no value; send its values on a Channel')
      }
      this.#post({ jsonrpc: '2.0', id, result }, result)
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
    this.#notify(METHOD.event, params, params.payload, `The payload of event ${JSON.stringify(params.event)}`)
  }

  /** @throws BusError `InvalidParams` for a message that can't be carried. */
  channel(params: ChannelParams): void {
    const message = 'message' in params ? params.message : undefined
    this.#notify(METHOD.channel, params, message, `A message of channel ${params.channel}`)
  }

  flush(): void {
    this.#outbox.flush()
  }

  #notify(method: string, params: object, value: unknown, what: string): void {
    try {
      this.#post({ jsonrpc: '2.0', method, params }, value)
    } catch (cause) {
      throw uncarriable(what, 'InvalidParams', cause)
    }
  }

  /** `value` is what the user gave: bytes, as themselves or at its top level, need the msgpack lane. */
  #post(message: Message, value: unknown): void {
    this.#outbox.post(codecs[holdsBytes(value) ? 'msgpack' : this.#codec], message)
  }
}

function uncarriable(what: string, reason: BusError['reason'], cause: unknown): BusError {
  return new BusError(reason, `${what} can’t be carried: ${describeThrown(cause)}`, { cause })
}
