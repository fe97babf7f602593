// The interface of a codec. A message is encoded when it is sent, with the values of that moment, and joined to a frame later.
import type { CallMessage, FrameKind, Message } from '../wire/messages.js'
import { MAX_DEPTH, MAX_NODES } from '../wire/limits.js'

/** One encoded message or value. JSON stays a string, which costs the least to join. */
export type EncodedMessage = string | Uint8Array | TextWithBytes

/** A message in JSON with its small bytes, in memory of its own. */
export class TextWithBytes {
  /** In UTF-16 code units and bytes. */
  readonly length: number

  /** @param lengths - of all bytes in the message, in order */
  constructor(
    readonly text: string,
    readonly lengths: readonly number[],
    readonly small: readonly Uint8Array[],
  ) {
    let length = text.length + (1 + lengths.length) * LENGTH_BYTES
    for (const bytes of small) length += bytes.length
    this.length = length
  }
}

/** A length, of the text or of bytes, before them. */
export const LENGTH_BYTES = 4

/** What the messages of a frame have in common. */
export interface Framing {
  readonly kind: FrameKind
  /** Joins encoded messages into one body: a single message unchanged, several as an array (JSON-RPC's batch). */
  join(messages: readonly EncodedMessage[]): string | Uint8Array
}

/** A message that is ready to be sent, now or later. */
export interface PackedMessage {
  readonly codec: Framing
  readonly encoded: EncodedMessage
  /** Large bytes of the message, sent as raw frames before it. */
  readonly attachments: readonly Uint8Array[]
  /** True if the attachments are still the caller's memory. */
  readonly borrowed?: boolean
}

/** A value with bytes that are not in its text: all of them in JSON, the large ones in MessagePack. They are the caller's memory. */
export class WithBytes {
  /** @param pointers - in JSON, where they are, as JSON Pointers (RFC 6901): `null` is in their places */
  constructor(
    public encoded: EncodedMessage,
    readonly bytes: Uint8Array[],
    readonly pointers: string[] = [],
  ) {}
}

export type EncodedValue = EncodedMessage | WithBytes

export interface Codec extends Framing {
  readonly name: CodecName
  /**
   * Returns a `PackedMessage` if there are bytes that are not in the text of the message.
   *
   * @param checked whether to refuse what core and the gate refuse: there it would cost the session with all its calls
   * @throws whatever the format throws for a value that cannot be serialized (in JSON a TypeError for a BigInt or a cycle);
   * RangeError or TypeError for a refused value
   */
  encode(message: Message, checked?: boolean): EncodedMessage | PackedMessage
  /** Encodes a value as within a message. Returns `undefined` if JSON has no text for it. @throws what `encode` throws */
  encodeValue(value: unknown): EncodedValue | undefined
  /** Encodes a message whose last param is `null`, with a value in its place. The message has no other members after the params. */
  encodeAround(message: CallMessage, value: EncodedValue): EncodedMessage | PackedMessage
  /**
   * Decodes a body to one value or an array of plain data, not yet checked to be JSON-RPC.
   *
   * @param trusted true for frames from core, on which a frontend depends anyway: the body is parsed without a scan
   * @param attachments attachments of this frame. The messages must refer to each
   * @throws {BusError} ParseError if the body is malformed or exceeds a limit
   */
  decode(body: Uint8Array, trusted?: boolean, attachments?: readonly Uint8Array[]): unknown
}

/**
 * A format of messages, which decides what values arrive as: with `json` a Date arrives as a string, with `msgpack` as a Date.
 */
export type CodecName = 'json' | 'msgpack'

/** Returns the bytes of a message or value, and in JSON the UTF-16 code units of its text. */
export function getSize(encoded: EncodedValue | PackedMessage): number {
  if (typeof encoded === 'string' || !('encoded' in encoded)) return encoded.length
  const bytes = 'bytes' in encoded ? encoded.bytes : encoded.attachments
  return bytes.reduce((sum, { byteLength }) => sum + byteLength, encoded.encoded.length)
}

// Errors of every codec for values that its format would allow.

export const tooDeep = (): RangeError => new RangeError(`nested deeper than ${MAX_DEPTH}`)
export const tooMany = (): RangeError => new RangeError(`more than ${MAX_NODES} values`)

/** Plain assignment would turn such a key into a prototype. */
export const protoKey = (): TypeError => new TypeError('a key named "__proto__" is refused')
