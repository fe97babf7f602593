// Encodes messages and batches those of one tick into frames. A frame holds messages of one kind, in the order in which they
// were put; a change of kind begins a new frame, so order holds across kinds.
import { type Codec, type EncodedMessage, type Framing, type PackedMessage, TextWithBytes } from '../codec/codec.js'
import { BusError } from '../errors/bus-error.js'
import type { Message } from '../message/message.js'
import { utf8Length } from '#platform'
import { MAX_ATTACHED_BYTES, MAX_FRAME_BYTES } from '../wire/limits.js'
import { type Frame, FRAME_KIND } from '../wire/link.js'
import { endOfTick, FULL_BATCH_BYTES, type FlushScheduler } from './batching.js'

const NO_ATTACHMENTS: readonly Uint8Array[] = []

/** Sends a frame of `count` messages. An attachment counts as none, each value of an open message as one. */
export type SendFrame = (frame: Frame, count: number) => void

/** A message that can still grow. Any other message closes it, which keeps the order. */
export interface OpenMessage {
  /** Number of the values in it. */
  readonly size: number
  close(): EncodedMessage
}

export class Outbox {
  /** Messages and bytes after which a frame is sent before its tick has ended. */
  maxMessages: number = Infinity
  maxBytes: number = FULL_BATCH_BYTES
  /** True while the owner collects messages, and will call `flush`. */
  isCorked = false
  readonly #send: SendFrame
  readonly #scheduler: FlushScheduler
  #batch: EncodedMessage[] = []
  #bytes = 0
  #count = 0
  #codec: Framing | undefined
  #open: OpenMessage | undefined
  #isScheduled = false

  constructor(send: SendFrame, scheduler: FlushScheduler = endOfTick) {
    this.#send = send
    this.#scheduler = scheduler
  }

  /**
   * Sends an encoded message with the others of this tick. A message with attachments goes out immediately, after them: their
   * bytes are sent, or sealed, when this returns.
   *
   * @param attachments their memory is transferred, unless it is `borrowed`
   * @param count number of messages that it counts as
   */
  put(
    codec: Framing,
    encoded: EncodedMessage,
    attachments: readonly Uint8Array[] = NO_ATTACHMENTS,
    borrowed?: boolean,
    count = 1,
  ): void {
    if (this.#open) this.#close()
    if (attachments.length > 0) {
      this.flush()
      const kind = FRAME_KIND.bytes
      for (const body of attachments) this.#send(borrowed ? { kind, body, borrowed } : { kind, body }, 0)
      return this.#send({ kind: codec.kind, body: codec.join([encoded]) }, 1)
    }
    if (codec !== this.#codec || this.#bytes + encoded.length > this.maxBytes) this.flush()
    this.#codec = codec
    if (!this.#isScheduled && !this.isCorked) this.#schedule()
    this.#bytes += encoded.length
    this.#count += count
    if (this.#batch.push(encoded) >= this.maxMessages) this.flush()
  }

  /** Sends a message as it is when the next one is put, or when the batch leaves. */
  putOpen(codec: Framing, message: OpenMessage): void {
    if (this.#open) this.#close()
    if (codec !== this.#codec) this.flush()
    this.#codec = codec
    this.#open = message
    if (!this.#isScheduled && !this.isCorked) this.#schedule()
  }

  flush(): void {
    if (this.#open) this.#close()
    const codec = this.#codec
    const batch = this.#batch
    const count = this.#count
    if (!codec || batch.length === 0) return
    this.#batch = []
    this.#bytes = 0
    this.#count = 0
    const first = batch[0]
    this.#send(
      { kind: codec.kind, body: typeof first === 'string' && batch.length === 1 ? first : codec.join(batch) },
      count,
    )
  }

  #close(): void {
    const open = this.#open!
    this.#open = undefined
    const { size } = open
    this.put(this.#codec!, open.close(), NO_ATTACHMENTS, false, size)
  }

  #schedule(): void {
    this.#isScheduled = true
    this.#scheduler.schedule(this.#flushScheduled)
  }

  readonly #flushScheduled = (): void => {
    this.#isScheduled = false
    this.flush()
  }
}

/**
 * @param checked true for messages to core or a gate, which would close the session for what is refused here
 * @throws what the codec throws, and {BusError} InvalidParams if the message is too large for a frame
 */
export function encodeMessage(codec: Codec, message: Message, checked = false): EncodedMessage | PackedMessage {
  const encoded = codec.encode(message, checked)
  return typeof encoded === 'string' && encoded.length * 3 <= MAX_FRAME_BYTES ? encoded : checkPacked(encoded)
}

/** Encodes a message, as an object in any case. Parameters and errors are those of `encodeMessage`. */
export const packMessage = (codec: Codec, message: Message, checked = false): PackedMessage =>
  toPacked(codec, encodeMessage(codec, message, checked))

export const isPacked = (encoded: EncodedMessage | PackedMessage): encoded is PackedMessage =>
  typeof encoded !== 'string' && 'attachments' in encoded

export const toPacked = (codec: Codec, encoded: EncodedMessage | PackedMessage): PackedMessage =>
  isPacked(encoded) ? encoded : { codec, encoded, attachments: NO_ATTACHMENTS }

/** @throws {BusError} InvalidParams if the message is too large for a frame, or its attachments are */
export function checkPacked<T extends EncodedMessage | PackedMessage>(encoded: T): T {
  if (!isPacked(encoded)) return checkSize(encoded as EncodedMessage) as T
  checkSize(encoded.encoded)
  const size = countBytes(encoded.attachments)
  if (size > MAX_ATTACHED_BYTES)
    throw new BusError('InvalidParams', `${size} bytes are over the limit of ${MAX_ATTACHED_BYTES}`)
  return encoded
}

export const countBytes = (attachments: readonly Uint8Array[]): number =>
  attachments.reduce((sum, { byteLength }) => sum + byteLength, 0)

/**
 * @param attached - bytes of the attachments
 * @throws {BusError} InvalidParams if the message is too large for a frame, or for the given limit
 */
export function checkSize(encoded: EncodedMessage, limit: number = MAX_FRAME_BYTES, attached = 0): EncodedMessage {
  // A UTF-16 code unit has at most three bytes in UTF-8.
  if (attached + encoded.length * 3 > limit) {
    const text = typeof encoded === 'string' ? encoded : encoded instanceof TextWithBytes ? encoded.text : ''
    const size = attached + encoded.length - text.length + utf8Length(text)
    if (size > limit) throw new BusError('InvalidParams', `A message of ${size} bytes is over the limit of ${limit}`)
  }
  return encoded
}
