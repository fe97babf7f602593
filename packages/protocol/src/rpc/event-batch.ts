// The events of one sender. Consecutive ones of one name share a message, as those of core do. Its reader replaces it by messages of
// their own again, so that permissions, hooks and quotas see each event.
import { codecs } from '../codec/codecs.js'
import { checkJsonMessage, encodeJsonValue } from '../codec/json.js'
import type { CallMessage } from '../message/message.js'
import { EMIT_ALL, METHOD } from '../message/methods.js'
import { MAX_BATCHED_EVENT_LENGTH } from '../wire/limits.js'
import { FULL_BATCH_BYTES } from './batching.js'
import { checkSize, type Outbox } from './outbox.js'
import { type BatchSource, ValueBatch } from './value-batch.js'

/** An event that can share a message with others. */
export interface EncodedEvent {
  readonly event: string
  /** JSON. */
  readonly payload: string
}

/**
 * Maximum UTF-16 code units of the payloads of one message. Depth is limited in messages of more than `SCAN_ABOVE_BYTES`: a payload that can be sent
 * alone must not end the session because others are next to it. A code unit has at most three bytes, and the rest is for the name.
 */
const MAX_BATCH_LENGTH = 20 * 1024

class EventSource implements BatchSource {
  constructor(readonly event: string) {}

  createMessage(payload: unknown, _index?: number, isBatch?: boolean): CallMessage {
    const { event } = this
    if (isBatch) return { jsonrpc: '2.0', method: EMIT_ALL, params: { event, payloads: payload } }
    return { jsonrpc: '2.0', method: METHOD.emit, params: { event, payload } }
  }
}

export class EventBatch {
  readonly #values: ValueBatch
  #source: EventSource | undefined

  constructor(outbox: Outbox) {
    this.#values = new ValueBatch(outbox, codecs.json)
    this.#values.maxLength = MAX_BATCH_LENGTH
  }

  /**
   * Encodes the payload of an event. A large event becomes a message, which must be sent alone. Returns `undefined` if the event must be
   * encoded as any other message: its name is long, or its payload has bytes or no text.
   *
   * @throws errors of `encodeMessage` for a payload that core and the gate would refuse
   */
  static encode(event: string, payload: unknown): EncodedEvent | string | undefined {
    if (event.length > MAX_BATCHED_EVENT_LENGTH) return undefined
    const text = encodeJsonValue(payload)
    if (text === undefined) return undefined
    if (text.length < FULL_BATCH_BYTES) return { event, payload: text }
    const message = codecs.json.encodeAround(new EventSource(event).createMessage(null), text) as string
    return checkJsonMessage(checkSize(message) as string)
  }

  add({ event, payload }: EncodedEvent): void {
    if (this.#source?.event !== event) this.#source = new EventSource(event)
    this.#values.add(this.#source, 0, payload)
  }
}
