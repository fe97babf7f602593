// The interface of a codec. A message is encoded when it is sent, with the values of that moment, and joined to a frame later.
import type { Message } from '../message/message.js'
import { concatBytes } from '#platform'
import { MAX_DEPTH, MAX_NODES } from '../wire/limits.js'
import type { FrameKind } from '../wire/link.js'

/** One encoded message. JSON stays a string, which costs the least to join. */
export type EncodedMessage = string | Uint8Array

export interface Codec {
  readonly name: CodecName
  readonly kind: FrameKind
  /**
   * @param checked whether to refuse what core and the gate refuse: there it would cost the session with all its calls
   * @throws whatever the format throws for a value that cannot be serialized (in JSON a TypeError for a BigInt or a cycle);
   * RangeError or TypeError for a refused value
   */
  encode(message: Message, checked?: boolean): EncodedMessage
  /** Joins encoded messages into one body: a single message unchanged, several as an array (JSON-RPC's batch). */
  join(messages: readonly EncodedMessage[]): EncodedMessage
  /**
   * Decodes a body to one value or an array of plain data, not yet checked to be JSON-RPC.
   *
   * @param trusted true for frames from core, on which a frontend depends anyway: the body is parsed without a scan
   * @param attachments attachments of this frame. Only MessagePack refers to them, and must refer to each
   * @throws {BusError} ParseError if the body is malformed or exceeds a limit
   */
  decode(body: Uint8Array, trusted?: boolean, attachments?: readonly Uint8Array[]): unknown
}

/**
 * A format of messages, which decides what values arrive as: with `json` a Date arrives as a string, with `msgpack` as a Date.
 */
export type CodecName = 'json' | 'msgpack'

/** Joins messages without another pass: a MessagePack array is a head followed by its elements. */
export function joinMsgpack(messages: readonly EncodedMessage[]): EncodedMessage {
  const { length } = messages
  if (length === 1) return messages[0]!
  const head = Uint8Array.of(0xdd, length >>> 24, length >>> 16, length >>> 8, length)
  return concatBytes([head, ...(messages as readonly Uint8Array[])])
}

// Errors of every codec for values that its format would allow.

export const tooDeep = (): RangeError => new RangeError(`nested deeper than ${MAX_DEPTH}`)
export const tooMany = (): RangeError => new RangeError(`more than ${MAX_NODES} values`)

/** Plain assignment would turn such a key into a prototype. */
export const protoKey = (): TypeError => new TypeError('a key named "__proto__" is refused')
