// What an event carries, encoded once for each codec, however many frontends it goes to.
import {
  METHOD,
  codecs,
  encodeValue,
  holdsBytes,
  packMessage,
  type CodecName,
  type EncodedMessage,
  type PackedMessage,
} from '@sallyport/protocol'

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
