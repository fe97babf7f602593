// An event's way to one home: which of its listeners hear it. It stays the same until listeners come or go, so that events in
// a row make a run.
import {
  type CallMessage,
  type CodecName,
  codecs,
  type EncodedMessage,
  encodeValue,
  holdsBytes,
  METHOD,
  type PackedMessage,
  packMessage,
} from '@sallyport/protocol'
import type { BatchSource } from '../rpc/batching.js'

/** Where listeners live. `label` is the frontend's; core and host have none, and hear everything. */
export interface Subscriber {
  readonly label: string | undefined
  /** Its listeners get the very payload, not a copy: whatever they do with it, the others have theirs by then. */
  readonly sharesPayload?: true
  /** An event has come from there. */
  emitted?(event: unknown): void
  /** @throws when the payload can't be carried there. */
  deliver(delivery: Delivery, payload: Payload): void
}

export class Delivery implements BatchSource {
  readonly event: string
  readonly home: Subscriber
  readonly ids: number[] = []

  constructor(event: string, home: Subscriber) {
    this.event = event
    this.home = home
  }

  one(payload: unknown): CallMessage {
    return { jsonrpc: '2.0', method: METHOD.event, params: { event: this.event, ids: this.ids, payload } }
  }

  many(): CallMessage {
    return { jsonrpc: '2.0', method: METHOD.event, params: { event: this.event, ids: this.ids, payloads: null } }
  }
}

// What an event carries, encoded once for each codec, however many frontends it goes to.

export class Payload {
  readonly value: unknown
  #hasBytes: boolean | undefined
  #json: EncodedMessage | undefined
  #msgpack: EncodedMessage | undefined
  #packed: PackedMessage | undefined

  constructor(value: unknown) {
    this.value = value
  }

  /** It needs the msgpack lane, and `pack`. */
  get hasBytes(): boolean {
    return (this.#hasBytes ??= holdsBytes(this.value))
  }

  /**
   * The value alone; `undefined` where JSON has none for it.
   *
   * @throws what `Codec.encode` throws
   */
  encode(codec: CodecName): EncodedMessage | undefined {
    if (codec === 'json') return (this.#json ??= encodeValue(codecs.json, this.value))
    return (this.#msgpack ??= encodeValue(codecs.msgpack, this.value))
  }

  /**
   * The event's message, with the `ids` as its last value, which are `null`. Its attachments are the emitter's memory.
   *
   * @throws what `packMessage` throws
   */
  pack(event: string): PackedMessage {
    const params = { event, payload: this.value, ids: null }
    return (this.#packed ??= packMessage({ jsonrpc: '2.0', method: METHOD.event, params }))
  }
}
