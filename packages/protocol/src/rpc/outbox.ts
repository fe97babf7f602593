// Encodes messages and batches those of one tick into frames. A frame holds messages of one codec, in the order in which they
// were posted; a change of codec begins a new frame, so order holds across codecs.
import type { Codec, EncodedMessage } from '../codec/codec.js'
import { stringifyJson } from '../codec/stringify-json.js'
import { encodeMsgpackValue } from '../codec/msgpack.js'
import { BusError } from '../errors/bus-error.js'
import type { CallMessage, Message } from '../message/message.js'
import { concatBytes, onEndOfTick, utf8Length } from '../util/platform.js'
import { MAX_FRAME_BYTES } from '../wire/limits.js'
import { FRAME_KIND, type FrameKind } from '../wire/link.js'

/**
 * Bytes after which a frame is sent before its tick has ended, so that the peer reads it while the next is written. A much lower
 * value costs more frames than it gains. With a higher one, one side waits for the other, and core scans JSON before it parses.
 */
const FULL_BYTES = 16 * 1024
const NO_ATTACHMENTS: readonly Uint8Array[] = []

/** A message that is ready to be sent, now or later. */
export interface PackedMessage {
  readonly codec: Codec
  readonly encoded: EncodedMessage
  /** Large bytes of the message, sent as raw frames before it. */
  readonly attachments: readonly Uint8Array[]
  /** True if the attachments are still the caller's memory. */
  readonly borrowed?: boolean
}

/** Sends a body of `count` messages; an attachment counts as none, and can be `borrowed`. */
export type SendBatch = (kind: FrameKind, body: string | Uint8Array, count: number, borrowed?: boolean) => void

export class Outbox {
  readonly #send: SendBatch
  readonly #getMaxMessages: (() => number | undefined) | undefined
  readonly #arm: () => void
  #batch: EncodedMessage[] = []
  #bytes = 0
  #codec: Codec | undefined

  /**
   * @param getMaxMessages returns the number of messages after which a frame is sent, if its link wants small frames
   * @param arm called for the first message of a batch, to arrange a `flush`. By default that happens at the end of the tick
   */
  constructor(send: SendBatch, getMaxMessages?: () => number | undefined, arm?: () => void) {
    this.#send = send
    this.#getMaxMessages = getMaxMessages
    const flush = (): void => this.flush()
    // The promises of this tick have settled by then, so that all their messages share a frame.
    this.#arm = arm ?? ((): void => onEndOfTick(flush))
  }

  /** Encodes a message, and sends it with the others of this tick. @throws whatever `encodeMessage` throws */
  post(codec: Codec, message: Message): void {
    this.put(codec, encodeMessage(codec, message))
  }

  /**
   * Sends an encoded message with the others of this tick. A message with attachments goes out immediately, after them: their
   * bytes are sent, or sealed, when this returns.
   *
   * @param attachments their memory is transferred, unless it is `borrowed`
   */
  put(
    codec: Codec,
    encoded: EncodedMessage,
    attachments: readonly Uint8Array[] = NO_ATTACHMENTS,
    borrowed?: boolean,
  ): void {
    if (attachments.length > 0) {
      this.flush()
      for (const body of attachments) this.#send(FRAME_KIND.bytes, body, 0, borrowed)
      return this.#send(codec.kind, encoded, 1)
    }
    if (codec !== this.#codec || this.#bytes + encoded.length > FULL_BYTES) this.flush()
    this.#codec = codec
    if (this.#batch.length === 0) this.#arm()
    this.#bytes += encoded.length
    if (this.#batch.push(encoded) >= (this.#getMaxMessages?.() ?? Infinity)) this.flush()
  }

  flush(): void {
    const codec = this.#codec
    const batch = this.#batch
    if (!codec || batch.length === 0) return
    this.#batch = []
    this.#bytes = 0
    this.#send(codec.kind, codec.join(batch), batch.length)
  }
}

/**
 * @param checked true for messages to core or a gate, which would close the session for what is refused here
 * @throws what the codec throws, and {BusError} InvalidParams if the message is too large for a frame
 */
export function encodeMessage(codec: Codec, message: Message, checked = false): EncodedMessage {
  return checkSize(codec.encode(message, checked))
}

/** Packs a message without bytes in it. Parameters and errors are those of `encodeMessage`. */
export function packPlain(codec: Codec, message: Message, checked = false): PackedMessage {
  return { codec, encoded: encodeMessage(codec, message, checked), attachments: NO_ATTACHMENTS }
}

/**
 * @param attached - bytes of the attachments
 * @throws {BusError} InvalidParams if the message is too large for a frame, or for the given limit
 */
export function checkSize(encoded: EncodedMessage, limit: number = MAX_FRAME_BYTES, attached = 0): EncodedMessage {
  // A UTF-16 code unit has at most three bytes in UTF-8.
  if (attached + encoded.length * 3 > limit) {
    const size = attached + (typeof encoded === 'string' ? utf8Length(encoded) : encoded.byteLength)
    if (size > limit) throw new BusError('InvalidParams', `A message of ${size} bytes is over the limit of ${limit}`)
  }
  return encoded
}

// Consecutive messages that differ in one value, of one channel or event, travel as one message with an array of values. To
// write and read the envelope for each would cost more than everything else. The functions below build such a message.

const JSON_END = 'null}}'

/** Encodes a single value. Returns `undefined` if JSON has no text for it. @throws whatever `Codec.encode` throws */
export function encodeValue(codec: Codec, value: unknown): EncodedMessage | undefined {
  return codec.name === 'json' ? stringifyJson(value) : encodeMsgpackValue(value)
}

/** Replaces the last member of the params, which is `null`, of a message without headers. Both must be encoded by one codec. */
export function spliceLastParam(message: EncodedMessage, value: EncodedMessage): EncodedMessage {
  if (typeof message === 'string') return `${message.slice(0, -JSON_END.length)}${value as string}}}`
  // In MessagePack nothing follows the last member, and null is one byte.
  return concatBytes([message.subarray(0, -1), value as Uint8Array])
}

/** A sender of messages that differ in one value only, so that consecutive ones fit into one batch. */
export interface BatchSource {
  /** Creates the message of one value, which is the last member of its params. `index` is the value's number. */
  createMessage(value: unknown, index: number): CallMessage
  /** Creates the message of several values, with `null` in their place. `index` is the first value's number. */
  createBatch(index: number): CallMessage
}
