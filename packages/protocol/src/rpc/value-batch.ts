// Consecutive messages that differ in one value, of one channel or event, travel as one message with an array of values. To write and
// read the envelope for each would cost more than everything else.
import type { Codec, EncodedMessage } from '../codec/codec.js'
import type { CallMessage } from '../message/message.js'
import { FULL_BATCH_BYTES, FULL_BATCH_VALUES } from './batching.js'
import type { OpenMessage, Outbox } from './outbox.js'

/** A sender of messages that differ in one value only, so that consecutive ones fit into one message. */
export interface BatchSource {
  /**
   * Creates the message of one value, or of several with `null` in their place: the last member of its params. `index` is the number of the
   * first.
   */
  createMessage(value: unknown, index: number, isBatch?: boolean): CallMessage
}

/** The values of an outbox. Those that one source adds one after the other share a message. */
export class ValueBatch implements OpenMessage {
  /** UTF-16 code units that the values of a message have together, unless it has one. */
  maxLength: number = Infinity
  readonly #outbox: Outbox
  readonly #codec: Codec
  #source: BatchSource | undefined
  #values: EncodedMessage[] = []
  #bytes = 0
  /** The number of the first value. */
  #index = 0

  constructor(outbox: Outbox, codec: Codec) {
    this.#outbox = outbox
    this.#codec = codec
  }

  get size(): number {
    return this.#values.length
  }

  /** @param index - the number of the value */
  add(source: BatchSource, index: number, value: EncodedMessage): void {
    if (source !== this.#source || this.#bytes + value.length > this.maxLength) {
      this.#outbox.putOpen(this.#codec, this)
      this.#source = source
      this.#index = index
    }
    this.#bytes += value.length
    const isFull = this.#values.push(value) >= FULL_BATCH_VALUES || this.#bytes >= FULL_BATCH_BYTES
    if (isFull) this.#outbox.flush()
  }

  close(): EncodedMessage {
    const source = this.#source!
    const values = this.#values
    this.#source = undefined
    this.#values = []
    this.#bytes = 0
    const message = source.createMessage(null, this.#index, values.length > 1)
    return this.#codec.encodeAround(message, this.#codec.join(values)) as EncodedMessage
  }
}
