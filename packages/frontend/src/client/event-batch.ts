// The events of one connection. Consecutive ones of one name share a message, as those of core do. Core and the gate read them as
// messages of their own again, so that permissions, hooks and quotas see each event.
import {
  type BatchSource,
  type CallMessage,
  codecs,
  EMIT_ALL,
  encodeJsonValue,
  FULL_BATCH_BYTES,
  MAX_BATCHED_EVENT_LENGTH,
  METHOD,
  type Outbox,
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

  /** Adds an event. Returns false if it must be a message of its own: its name or payload is large, or cannot be serialized. */
  add(event: string, payload: unknown): boolean {
    if (event.length > MAX_BATCHED_EVENT_LENGTH) return false
    const text = encode(payload)
    if (text === undefined || text.length >= FULL_BATCH_BYTES) return false
    if (this.#source?.event !== event) this.#source = new EventSource(event)
    this.#values.add(this.#source, 0, text)
    return true
  }
}

function encode(payload: unknown): string | undefined {
  try {
    return encodeJsonValue(payload)
  } catch {
    // The message is encoded again, and its error has the path of the value.
    return undefined
  }
}
