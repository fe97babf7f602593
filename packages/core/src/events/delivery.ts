// One event's delivery to a subscriber: the listeners that receive it, and its payload, which is encoded only once.
import { codecs, toJsonValue } from '@sallyport/protocol/internal/codec'
import { holdsBytes, METHOD } from '@sallyport/protocol/internal/message'
import { encodeValue, packMessage } from '@sallyport/protocol/internal/rpc'
import type { CodecName, EncodedMessage } from '@sallyport/protocol/internal/codec'
import type { CallMessage, EventTarget } from '@sallyport/protocol/internal/message'
import type { BatchSource, PackedMessage } from '@sallyport/protocol/internal/rpc'

/** An owner of listeners: a frontend's session, the host's session, or core itself. */
export interface Subscriber {
  /** The frontend's label. `undefined` for core and the host, which receive all events. */
  readonly label: string | undefined
  /** The subscribers whose listeners count together, with this one. @default this one */
  readonly peers?: Iterable<Subscriber> | undefined
  /** The listeners get the payload itself instead of a copy. They come last, because they can change it. */
  readonly sharesPayload?: true
  emitted?(event: unknown): void
  /** @throws {BusError} if the payload cannot be serialized for this subscriber */
  deliver(delivery: Delivery, payload: Payload): void
}

export type Listener = { readonly target: EventTarget; readonly subscriber: Subscriber }

export type Accepts = (target: EventTarget, subscriber: Subscriber) => boolean

/** One event's listeners of one subscriber. It is reused until listeners change, so that consecutive events form a batch. */
export class Delivery implements BatchSource {
  readonly ids: number[] = []

  constructor(
    readonly event: string,
    readonly subscriber: Subscriber,
  ) {}

  createMessage(payload: unknown): CallMessage {
    return { jsonrpc: '2.0', method: METHOD.event, params: { event: this.event, ids: this.ids, payload } }
  }

  createBatch(): CallMessage {
    return { jsonrpc: '2.0', method: METHOD.event, params: { event: this.event, ids: this.ids, payloads: null } }
  }
}

/** The payload of one event, encoded once for each codec, however many frontends receive it. */
export class Payload {
  #hasBytes: boolean | undefined
  #json: EncodedMessage | undefined
  #msgpack: EncodedMessage | undefined
  readonly #packed: Partial<Record<CodecName, PackedMessage>> = {}

  constructor(readonly value: unknown) {}

  /** True if the event needs `pack`, because its payload holds bytes. */
  get hasBytes(): boolean {
    return (this.#hasBytes ??= holdsBytes(this.value))
  }

  /** Returns about how many bytes the encoded event takes. @throws the errors of `encode` and `pack` */
  measure(event: string, codec: CodecName): number {
    if (!this.hasBytes) return this.encode(codec)?.length ?? 0
    const { encoded, attachments } = this.pack(event, codec)
    return attachments.reduce((sum, { byteLength }) => sum + byteLength, encoded.length)
  }

  /** Encodes the value alone. Returns `undefined` if JSON has no text for it. @throws the errors of `Codec.encode` */
  encode(codec: CodecName): EncodedMessage | undefined {
    if (codec === 'json') return (this.#json ??= encodeValue(codecs.json, this.value))
    return (this.#msgpack ??= encodeValue(codecs.msgpack, this.value))
  }

  /**
   * Encodes the whole message, once for both codecs if the rules of JSON do not change the payload. The last member of its params
   * is `ids`, which is `null`. Its attachments are still the emitter's memory.
   */
  pack(event: string, codec: CodecName): PackedMessage {
    return (this.#packed[codec] ??= this.#pack(event, codec))
  }

  #pack(event: string, codec: CodecName): PackedMessage {
    const payload = codec === 'json' ? toJsonValue(this.value) : this.value
    if (codec === 'json' && payload === this.value) return this.pack(event, 'msgpack')
    return packMessage({ jsonrpc: '2.0', method: METHOD.event, params: { event, payload, ids: null } }, 'msgpack')
  }
}
