// A codec turns messages into the body of a frame and back. Messages are encoded one by one, when they are sent, and
// joined into a batch later: the encoded value is the one the caller had at the time of the call.
import type { Message } from '../message/message.js'
import type { FrameKind } from '../wire/frame.js'

/** One message, encoded. JSON is kept as text, which costs the least to join. */
export type EncodedMessage = string | Uint8Array

export interface Codec {
  readonly name: CodecName
  readonly kind: FrameKind
  /**
   * @param checked what core and the gate refuse is refused here: sent to them, it would cost the session, and every call
   * that is in flight
   * @throws whatever the format throws for a value that it can't carry (a TypeError for a BigInt or a cycle in JSON), and a
   * RangeError or TypeError for what is refused
   */
  encode(message: Message, checked?: boolean): EncodedMessage
  /** Joins encoded messages into one body: one alone as itself, several as an array (JSON-RPC's batch). */
  join(messages: readonly EncodedMessage[]): EncodedMessage
  /**
   * Reads a body. What it gives is one value or an array, plain data, and not yet checked to be JSON-RPC.
   *
   * @param trusted from core, which a frontend depends on anyway: the text is parsed without being scanned first
   * @param attachments of this frame: MessagePack alone has a place for them, and each must have one
   * @throws BusError `ParseError`, also for what is beyond the bounds
   */
  decode(body: Uint8Array, trusted?: boolean, attachments?: readonly Uint8Array[]): unknown
}

export type CodecName = 'json' | 'msgpack'
