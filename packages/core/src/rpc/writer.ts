// Encodes what core sends to one frontend: answers, calls, events and messages of channels. The frontend's codec encodes all
// of them except messages that hold bytes, which are always MessagePack.
import {
  addTraceContext,
  type BatchSource,
  BusError,
  type CallChannels,
  checkSize,
  checkTransfer,
  type Codec,
  describeCommand,
  detachAttachments,
  discard,
  encodeMessage,
  encodeValue,
  type EncodedMessage,
  FULL_BATCH_BYTES,
  holdsBytes,
  type Message,
  METHOD,
  notSerializable,
  type Outcome,
  type PackedMessage,
  packMessage,
  spliceLastParam,
  STREAM_METHOD,
  type RequestId,
  type RequestMessage,
  toErrorObject,
  type TraceContext,
  withoutData,
  isAsyncIterable,
} from '@sallyport/protocol/internal'
import { takeTransfer } from '../api/transfer.js'
import type { Delivery, Payload } from '../events/delivery.js'
import { COUNT } from '../shared/metrics.js'
import type { Encoded, SessionQueue } from './session-queue.js'

type Buffers = readonly ArrayBufferLike[]

/**
 * A channel as the writer needs it. `index` numbers the channel's next message. The writer reads it after it has encoded the value,
 * because the value's `toJSON` can send a message on the same channel.
 */
type NumberedSource = BatchSource & { readonly id: number; readonly index: number }

export class SessionWriter {
  readonly #queue: SessionQueue
  readonly #codec: Codec
  readonly #counts: Float64Array

  constructor(queue: SessionQueue, codec: Codec, counts: Float64Array) {
    this.#queue = queue
    this.#codec = codec
    this.#counts = counts
  }

  /** Answers with a result, or with an error if the result cannot be serialized. Returns the error in that case. */
  result(id: RequestId, method: string, value: unknown): Outcome {
    if (this.#queue.isFull) return this.error(id, method, createOverload(`The result of ${describeCommand(method)}`))
    const result = value ?? null
    try {
      const isObject = typeof result === 'object'
      if (isObject && isAsyncIterable(result)) {
        void discard(result)
        throw new TypeError('an async iterable is not a value. Call the command with stream instead of invoke')
      }
      const message: Message = { jsonrpc: '2.0', id, result }
      if (isObject && holdsBytes(result)) this.#sendBytes(message, takeTransfer(result))
      else this.send(message)
      return undefined
    } catch (cause) {
      const subject =
        method === STREAM_METHOD.next ? 'A value of the stream' : `The result of ${describeCommand(method)}`
      const error = notSerializable(subject, 'InternalError', cause, value)
      return this.error(id, method, error)
    }
  }

  /** Answers with an error, without its data if they cannot be serialized. Returns the error that was sent. */
  error(id: RequestId | null, method: string, failure: BusError): BusError {
    const error = this.#queue.isFull ? createOverload(`The answer to ${describeCommand(method)}`) : failure
    try {
      this.#sendValue({ jsonrpc: '2.0', id, error: toErrorObject(error) }, error.data)
      return error
    } catch (cause) {
      const bare = withoutData(error, `The error of ${describeCommand(method)}`, cause)
      this.send({ jsonrpc: '2.0', id, error: toErrorObject(bare) })
      return bare
    }
  }

  /** Calls a function of the frontend. @throws {BusError} `InvalidParams` if the arguments cannot be serialized */
  request(
    id: number,
    method: string,
    params: unknown,
    transfer: Buffers | undefined,
    context: TraceContext | undefined,
    channels?: CallChannels,
  ): void {
    if (this.#queue.isFull) throw createOverload(`The call of ${describeCommand(method)}`)
    const message: RequestMessage = { jsonrpc: '2.0', id, method }
    if (params !== undefined) message.params = params
    if (channels !== undefined) message.channels = channels
    if (context !== undefined) addTraceContext(message, context)
    try {
      this.#sendValue(message, params, transfer)
    } catch (cause) {
      throw notSerializable(`Arguments of ${describeCommand(method)}`, 'InvalidParams', cause, params)
    }
  }

  /** @throws {BusError} `InvalidParams` if the payload cannot be serialized */
  event(delivery: Delivery, payload: Payload): void {
    this.#counts[COUNT.eventsOut]! += 1
    try {
      const { name } = this.#codec
      const encoded = payload.hasBytes
        ? appendLastParam(payload.pack(delivery.event, name), delivery.ids)
        : this.#encodeAlone(delivery, 0, payload.encode(name))
      this.#queue.sendEvent(delivery, encoded)
    } catch (cause) {
      const subject = `The payload of event ${JSON.stringify(delivery.event)}`
      throw notSerializable(subject, 'InvalidParams', cause, payload.value)
    }
  }

  /** Encodes a channel's next message, for the queue's `sendValue` now or later. @throws {BusError} `InvalidParams` */
  encode(channel: NumberedSource, value: unknown, transfer?: Buffers): Encoded {
    try {
      if (transfer !== undefined) checkTransfer({ transfer }, value)
      if (!holdsBytes(value)) {
        // Before the index is read: a `toJSON` can send messages.
        const encoded = encodeValue(this.#codec, value)
        return this.#encodeAlone(channel, channel.index, encoded)
      }
      const params = { channel: channel.id, message: value, index: null }
      const packed = packMessage({ jsonrpc: '2.0', method: METHOD.channel, params }, this.#codec.name)
      return appendLastParam(packed, channel.index, transfer)
    } catch (cause) {
      throw notSerializable(`A message of channel ${channel.id}`, 'InvalidParams', cause, value)
    }
  }

  /** Sends a message of the bus itself, without bytes. */
  send(message: Message): void {
    this.#queue.send(this.#codec, encodeMessage(this.#codec, message))
  }

  /** Sends a message in which `value`, from user code, is the only part that can hold bytes. */
  #sendValue(message: Message, value: unknown, transfer?: Buffers): void {
    if (holdsBytes(value)) this.#sendBytes(message, transfer)
    else this.send(message)
  }

  #sendBytes(message: Message, transfer: Buffers | undefined): void {
    const packed = packMessage(message, this.#codec.name)
    const { codec, encoded, attachments, borrowed } =
      transfer === undefined ? packed : detachAttachments(packed, transfer)
    this.#queue.send(codec, encoded, attachments, borrowed)
  }

  /** Returns a value as it is if it can be batched. A large one, or one that JSON has no text for, gets its own message. */
  #encodeAlone(source: BatchSource, index: number, value: EncodedMessage | undefined): Encoded {
    if (value !== undefined && value.length < FULL_BATCH_BYTES) return value
    const codec = this.#codec
    const encoded =
      value === undefined
        ? codec.encode(source.createMessage(undefined, index))
        : checkSize(spliceLastParam(codec.encode(source.createMessage(null, index)), value))
    return { codec, encoded, attachments: [] }
  }
}

const createOverload = (subject: string): BusError =>
  new BusError('Overloaded', `${subject} was not sent: too many messages are queued for the frontend`)

/** Detaches the attachments, and adds what is known only now: a channel's index, or the listener ids of one frontend. */
function appendLastParam(packed: PackedMessage, value: unknown, transfer?: Buffers): PackedMessage {
  const { codec, encoded, attachments } = detachAttachments(packed, transfer)
  return { codec, encoded: spliceLastParam(encoded, encodeValue(codec, value)!), attachments }
}
