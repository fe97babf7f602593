// The events of one connection. Consecutive ones of one name share a message, as those of core do. Core and the gate read them as
// messages of their own again, so that permissions, hooks and quotas see each event.
import {
  type BatchSource,
  type CallMessage,
  checkJsonMessage,
  checkSize,
  codecs,
  EMIT_ALL,
  type EncodedMessage,
  encodeJsonValue,
  FULL_BATCH_BYTES,
  MAX_BATCHED_EVENT_LENGTH,
  METHOD,
  type Outbox,
  spliceLastParam,
  ValueBatch,
} from '@sallyport/protocol/internal'

class EventSource implements BatchSource {
  constructor(readonly event: string) {}

  createMessage(payload: unknown): CallMessage {
    return { jsonrpc: '2.0', method: METHOD.emit, params: { event: this.event, payload } }
  }

  createBatch(): CallMessage {
    return { jsonrpc: '2.0', method: EMIT_ALL, params: { event: this.event, payloads: null } }
  }
}

export class EventBatch {
  readonly #values: ValueBatch
  #source: EventSource | undefined

  constructor(outbox: Outbox) {
    this.#values = new ValueBatch(outbox, codecs.json)
  }

  /**
   * Adds an event. Returns the message of a large event, which must be sent alone. Returns false if the event must be encoded as any other
   * message: its name is long, or its payload cannot be serialized.
   */
  add(event: string, payload: unknown): EncodedMessage | boolean {
    if (event.length > MAX_BATCHED_EVENT_LENGTH) return false
    let text: string | undefined
    try {
      text = encodeJsonValue(payload)
      if (text !== undefined && text.length >= FULL_BATCH_BYTES) return encodeAlone(new EventSource(event), text)
    } catch {
      // The message is encoded again, and its error has the path of the value.
    }
    if (text === undefined || text.length >= FULL_BATCH_BYTES) return false
    if (this.#source?.event !== event) this.#source = new EventSource(event)
    this.#values.add(this.#source, 0, text)
    return true
  }
}

function encodeAlone(source: EventSource, payload: string): EncodedMessage {
  const message = spliceLastParam(codecs.json.encode(source.createMessage(null)), payload)
  return checkJsonMessage(checkSize(message) as string)
}
