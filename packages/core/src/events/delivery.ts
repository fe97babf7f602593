// One event's delivery to a subscriber: the listeners that receive it, and its payload, which is encoded only once.
import { codecs, getSize, WithBytes } from '@sallyport/protocol/internal/codec'
import { METHOD } from '@sallyport/protocol/internal/message'
import type { CodecName, EncodedValue } from '@sallyport/protocol/internal/codec'
import type { CallMessage, EventTarget } from '@sallyport/protocol/internal/message'
import type { BatchSource } from '@sallyport/protocol/internal/rpc'

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

  createMessage(payload: unknown, _index?: number, isBatch?: boolean): CallMessage {
    const { event, ids } = this
    const params = isBatch ? { event, ids, payloads: payload } : { event, ids, payload }
    return { jsonrpc: '2.0', method: METHOD.event, params }
  }
}

/** The payload of one event, encoded once for each codec, however many frontends receive it. */
export class Payload {
  readonly #encoded: Partial<Record<CodecName, EncodedValue | undefined>> = {}

  constructor(readonly value: unknown) {}

  /** Encodes the value alone. Returns `undefined` if JSON has no text for it. @throws the errors of `Codec.encode` */
  encode(codec: CodecName): EncodedValue | undefined {
    return (this.#encoded[codec] ??= codecs[codec].encodeValue(this.value))
  }

  /** Copies the bytes for an event that is sent later. Returns about how many bytes it takes. @throws the errors of `encode` */
  hold(codec: CodecName): number {
    const encoded = this.encode(codec) ?? ''
    if (encoded instanceof WithBytes) {
      const bytes = encoded.bytes.map(part => new Uint8Array(part))
      this.#encoded[codec] = new WithBytes(encoded.encoded, bytes, encoded.pointers)
    }
    return getSize(encoded)
  }
}
