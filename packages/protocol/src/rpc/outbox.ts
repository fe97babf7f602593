// Gathers the messages of one turn into frames: a frame holds what one codec encoded, in the order it was posted, so a
// change of codec begins a new frame, and order holds across codecs.
import type { Codec, EncodedMessage } from '../codec/codec.js'
import { encodeMsgpackValue } from '../codec/msgpack.js'
import { BusError } from '../errors/bus-error.js'
import type { Message } from '../message/message.js'
import { FRAME_KIND, type FrameKind } from '../wire/frame.js'
import { MAX_FRAME_BYTES } from '../wire/limits.js'

/**
 * Bytes after which a frame is sent before its turn has ended: the peer reads it while the next is written. Much
 * less costs more frames than that gains; with more, one side waits for the other, and core scans JSON before it parses it.
 */
const FULL_BYTES = 16 * 1024
const NONE: readonly Uint8Array[] = []

export interface Outbox {
  /**
   * Encodes a message at once, and sends it with the others of this turn.
   *
   * @throws what `encodeMessage` throws
   */
  post(codec: Codec, message: Message): void
  /**
   * The same for a message that is encoded already. With attachments it goes out at once, behind them: bytes that somebody
   * else may write to later are sent, or sealed, when this returns.
   *
   * @param attachments their memory is given away with them
   */
  put(codec: Codec, encoded: EncodedMessage, attachments?: readonly Uint8Array[]): void
  /** Sends what waits, now. */
  flush(): void
}

/** A body of `count` messages, ready to be framed; none in an attachment. */
export type SendBatch = (kind: FrameKind, body: string | Uint8Array, count: number) => void

/**
 * @param full messages after which a frame is sent, where its link wants small ones
 * @param armed is called when the first message waits: whoever gives it flushes. By default that is at the end of the tick
 */
export function createOutbox(send: SendBatch, full?: () => number | undefined, armed?: () => void): Outbox {
  // nextTick runs when all promises of this turn have settled, so that all their messages share a frame.
  const arm = armed ?? ((): void => process.nextTick(flush))
  let waiting: EncodedMessage[] = []
  let bytes = 0
  let lane: Codec | undefined

  function flush(): void {
    if (!lane || waiting.length === 0) return
    const messages = waiting
    waiting = []
    bytes = 0
    send(lane.kind, lane.join(messages), messages.length)
  }

  function put(codec: Codec, encoded: EncodedMessage, attachments: readonly Uint8Array[] = NONE): void {
    if (attachments.length > 0) return sendNow(codec, encoded, attachments)
    if (codec !== lane || bytes + encoded.length > FULL_BYTES) flush()
    lane = codec
    if (waiting.length === 0) arm()
    bytes += encoded.length
    if (waiting.push(encoded) >= (full?.() ?? Infinity)) flush()
  }

  /** In a frame of its own, behind its attachments: what they show is sent, or sealed, before anyone can write to them. */
  function sendNow(codec: Codec, encoded: EncodedMessage, attachments: readonly Uint8Array[]): void {
    flush()
    for (const body of attachments) send(FRAME_KIND.bytes, body, 0)
    send(codec.kind, encoded, 1)
  }

  return {
    post: (codec, message) => put(codec, encodeMessage(codec, message)),
    put,
    flush,
  }
}

/**
 * @param checked for what goes to core or a gate, which would close the session for what is refused here
 * @throws what the codec throws for a value that it can't carry; BusError `InvalidParams` where the message is too large
 * for a frame
 */
export function encodeMessage(codec: Codec, message: Message, checked = false): EncodedMessage {
  return checkSize(codec.encode(message, checked))
}

/** @throws BusError `InvalidParams` where the message is too large for a frame */
export function checkSize(encoded: EncodedMessage): EncodedMessage {
  // A character has at most three bytes.
  if (encoded.length * 3 > MAX_FRAME_BYTES) {
    const size = typeof encoded === 'string' ? Buffer.byteLength(encoded) : encoded.byteLength
    if (size > MAX_FRAME_BYTES) {
      throw new BusError('InvalidParams', `A message of ${size} bytes is over the limit of ${MAX_FRAME_BYTES}`)
    }
  }
  return encoded
}

// Messages that follow each other and differ in one value, those of a channel or of one event, go as one message with a list
// of values: to write and to read the same envelope for each would cost more than all else. Here are the parts of it.

const JSON_END = 'null}}'

/**
 * A value alone; `undefined` where JSON has none for it.
 *
 * @throws what `Codec.encode` throws
 */
export function encodeValue(codec: Codec, value: unknown): EncodedMessage | undefined {
  return codec.name === 'json' ? JSON.stringify(value) : encodeMsgpackValue(value)
}

/**
 * Puts a value into a message, both encoded by the same codec.
 *
 * @param message a call without headers; the last member of its params is `null`, and the value takes its place
 */
export function putLast(message: EncodedMessage, value: EncodedMessage): EncodedMessage {
  if (typeof message === 'string') return `${message.slice(0, -JSON_END.length)}${value as string}}}`
  // In MessagePack nothing follows the last member, and null is one byte.
  return Buffer.concat([message.subarray(0, -1), value as Uint8Array])
}
