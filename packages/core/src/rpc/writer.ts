// What core sends to one frontend: answers, events and the messages of channels, each in the codec that can carry it.
import {
  addTraceContext,
  BusError,
  checkSize,
  checkTransfer,
  detachAttachments,
  type Codec,
  type CodecName,
  codecs,
  describeCommand,
  type EncodedMessage,
  encodeValue,
  holdsBytes,
  type Link,
  type Message,
  METHOD,
  type Outcome,
  type PackedMessage,
  packMessage,
  packPlain,
  putLast,
  type RequestId,
  type RequestMessage,
  toErrorObject,
  type TraceContext,
  notSerializable,
  withoutData,
  isAsyncIterable,
} from '@sallyport/protocol'
import { takeTransfer } from '../api/transfer.js'
import type { Delivery, Payload } from '../events/delivery.js'
import { dismiss } from '../shared/async-iterable.js'
import { COUNT } from '../shared/metrics.js'
import type { BatchSource } from './batching.js'
import { type Encoded, SendQueue, type SendQueueEvents } from './send-queue.js'

/** Values from here on go alone. */
const LARGE = 16 * 1024
const NONE: readonly never[] = []

/** A channel, as replies need it. */
interface ReplySink extends BatchSource {
  readonly id: number
  /** Of the next message. Read once the value is encoded: its `toJSON` may send on the same channel, and comes first. */
  readonly index: number
}

export class SessionWriter {
  readonly #codec: Codec
  readonly #counts: Float64Array
  readonly #out: SendQueue

  constructor(link: Link, codec: CodecName, counts: Float64Array, events: SendQueueEvents) {
    this.#codec = codecs[codec]
    this.#counts = counts
    this.#out = new SendQueue(link, this.#codec, counts, events)
  }

  /** When what is said goes. */
  get out(): SendQueue {
    return this.#out
  }

  /** A result that can't be carried becomes an error that says so. What it is answered with is given back, if it is one. */
  result(id: RequestId, method: string, value: unknown): Outcome {
    if (this.#out.isFull) return this.error(id, method, tooMuch(`The result of ${describeCommand(method)}`))
    const result = value ?? null
    try {
      if (isAsyncIterable(result)) {
        void dismiss(result)
        throw new TypeError('an async iterable is no value: call the command with stream, not invoke')
      }
      this.#send({ jsonrpc: '2.0', id, result }, result, takeTransfer(result))
      return undefined
    } catch (cause) {
      return this.error(
        id,
        method,
        notSerializable(`The result of ${describeCommand(method)}`, 'InternalError', cause, value),
      )
    }
  }

  error(id: RequestId | null, method: string, given: BusError): BusError {
    const error = this.#out.isFull ? tooMuch(`The answer to ${describeCommand(method)}`) : given
    try {
      this.#send({ jsonrpc: '2.0', id, error: toErrorObject(error) }, error.data)
      return error
    } catch (cause) {
      const failure = withoutData(error, `The error of ${describeCommand(method)}`, cause)
      this.#send({ jsonrpc: '2.0', id, error: toErrorObject(failure) }, undefined)
      return failure
    }
  }

  /** Calls a function of the frontend. @throws BusError `InvalidParams` for arguments that can't be carried */
  request(
    id: number,
    method: string,
    params: unknown,
    transfer: readonly ArrayBufferLike[] | undefined,
    context: TraceContext | undefined,
  ): void {
    if (this.#out.isFull) throw tooMuch(`The call of ${describeCommand(method)}`)
    const message: RequestMessage = { jsonrpc: '2.0', id, method }
    if (params !== undefined) message.params = params
    if (context !== undefined) addTraceContext(message, context)
    try {
      this.#send(message, params, transfer)
    } catch (cause) {
      throw notSerializable(`Arguments of ${describeCommand(method)}`, 'InvalidParams', cause, params)
    }
  }

  /** @throws BusError `InvalidParams` for a payload that can't be carried. */
  event(delivery: Delivery, payload: Payload): void {
    this.#counts[COUNT.eventsOut]! += 1
    try {
      if (payload.hasBytes) return this.#out.event(delivery, packEvent(delivery, payload))
      this.#out.event(delivery, this.#fit(delivery, 0, payload.encode(this.#codec.name)))
    } catch (cause) {
      throw notSerializable(
        `The payload of event ${JSON.stringify(delivery.event)}`,
        'InvalidParams',
        cause,
        payload.value,
      )
    }
  }

  /**
   * Encodes a channel's message as it is now, and as the next one, for `put`, at once or later.
   *
   * @throws BusError `InvalidParams` for a message or a `transfer` that can't be carried.
   */
  encode(channel: ReplySink, value: unknown, transfer?: readonly ArrayBufferLike[]): Encoded {
    try {
      if (transfer !== undefined) checkTransfer(transfer, value)
      if (holdsBytes(value)) return packEncoded(channel, value, transfer)
      const encoded = encodeValue(this.#codec, value)
      return this.#fit(channel, channel.index, encoded)
    } catch (cause) {
      throw notSerializable(`A message of channel ${channel.id}`, 'InvalidParams', cause, value)
    }
  }

  /** Sends what was encoded, in a run with what its home sends before and after. */
  put(home: BatchSource, index: number, encoded: Encoded): void {
    this.#out.put(home, index, encoded)
  }

  /** Sends a message of the bus's own. */
  post(message: Message): void {
    this.#out.post(packPlain(this.#codec, message))
  }

  /** As that of the link. */
  room(): Promise<void> | undefined {
    return this.#out.room()
  }

  /** No more can wait for the frontend. */
  get isFull(): boolean {
    return this.#out.isFull
  }

  /** `value` is what the user gave: bytes, as themselves or at its top level, need the msgpack lane. */
  #send(message: Message, value: unknown, transfer?: readonly ArrayBufferLike[]): void {
    if (holdsBytes(value)) this.#out.post(detachAttachments(packMessage(message), transfer))
    else this.post(message)
  }

  /** What is large, or is nothing as JSON, goes in a message of its own. */
  #fit(home: BatchSource, index: number, encoded: EncodedMessage | undefined): Encoded {
    if (encoded !== undefined && encoded.length < LARGE) return encoded
    const codec = this.#codec
    const message =
      encoded === undefined
        ? codec.encode(home.one(undefined, index))
        : checkSize(putLast(codec.encode(home.one(null, index)), encoded))
    return { codec, encoded: message, attachments: NONE }
  }
}

const tooMuch = (what: string): BusError =>
  new BusError('Overloaded', `${what} was not sent: too much waits for the frontend already`)

/** The index comes last, because it is known last. */
function packEncoded(channel: ReplySink, message: unknown, transfer?: readonly ArrayBufferLike[]): PackedMessage {
  const params = { channel: channel.id, message, index: null }
  const packed = packMessage({ jsonrpc: '2.0', method: METHOD.channel, params })
  const { codec, encoded, attachments } = detachAttachments(packed, transfer)
  return { codec, encoded: putLast(encoded, encodeValue(codec, channel.index)!), attachments }
}

/** The same for every frontend, but for its ids, and for its attachments, which it gets for itself. */
function packEvent({ event, ids }: Delivery, payload: Payload): PackedMessage {
  const { codec, encoded, attachments } = detachAttachments(payload.pack(event))
  return { codec, encoded: putLast(encoded, encodeValue(codec, ids)!), attachments }
}
