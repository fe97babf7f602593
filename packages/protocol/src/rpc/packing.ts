// Messages made ready for an outbox, to be put there at once or later. Those that hold bytes are encoded as MessagePack, with
// the large bytes beside them.
import * as workerThreads from 'node:worker_threads'
import { markAttachments } from '../codec/attachments.js'
import type { Codec, EncodedMessage } from '../codec/codec.js'
import { msgpackCodec } from '../codec/msgpack.js'
import { BusError, describeThrown } from '../errors/bus-error.js'
import { holdsBytes, isBytes, type Message } from '../message/message.js'
import { isArrayBuffer } from '../util/bytes.js'
import { ownsWholeBuffer } from '../wire/frame.js'
import { MAX_ATTACHED_BYTES, MIN_ATTACHMENT_BYTES } from '../wire/limits.js'
import { encodeMessage } from './outbox.js'

// How a caller's bytes are sent: copied, once, or moved where they are given away with `transfer`, as in `postMessage`.

/**
 * Makes bytes ready to be sent, each alone in its buffer, which nobody else knows. What is not in `transfer` is copied. What
 * is, is moved where it is alone; all of `transfer` is gone for the caller when this returns, and nothing is where it throws.
 *
 * @throws BusError `InvalidParams` where a buffer can't be given away
 */
function detachBytes(all: readonly Uint8Array[], transfer: readonly ArrayBufferLike[]): Uint8Array[] {
  const given = [...new Set(transfer.filter(buffer => !isPooled(buffer)))].map(checked)
  const unclaimed = new Set(given)
  const claimed = all.map(bytes => {
    // Two values may be views of one buffer: the first that is all of it gets it.
    if (ownsWholeBuffer(bytes, 0) && unclaimed.delete(bytes.buffer)) return bytes
    const copy = Buffer.allocUnsafeSlow(bytes.byteLength)
    copy.set(bytes)
    return copy
  })
  if (given.length === 0) return claimed
  // All at once, or none: what can't go must be found before anything has gone.
  const moved = move(given)
  const places = new Map(given.map((buffer, at) => [buffer, moved[at]!]))
  return claimed.map(bytes => {
    const place = places.get(bytes.buffer)
    return place ? new Uint8Array(place) : bytes
  })
}

/** `ArrayBuffer.prototype.transfer` is too new for Node 20; a structured clone takes all of them or none. */
function move(buffers: ArrayBufferLike[]): ArrayBufferLike[] {
  try {
    return structuredClone(buffers, { transfer: buffers as ArrayBuffer[] })
  } catch (cause) {
    throw cantGo(cause)
  }
}

/** Node 20 sends what is detached as if it were empty. */
function checked(buffer: ArrayBufferLike): ArrayBufferLike {
  try {
    new Uint8Array(buffer)
    return buffer
  } catch (cause) {
    throw cantGo(cause)
  }
}

const cantGo = (cause: unknown): BusError =>
  new BusError('InvalidParams', `A buffer in \`transfer\` can’t be given away: ${describeThrown(cause)}`, { cause })

/** The memory that Node's small Buffers share is nobody's to give away: it is copied. Node 20 does that by itself. */
const isPooled: (buffer: object) => boolean =
  (workerThreads as { isMarkedAsUntransferable?: (buffer: object) => boolean }).isMarkedAsUntransferable ??
  (() => false)

/** The buffers of the bytes that a value is, or has as its own members. */
export function getBuffers(value: unknown): Set<ArrayBufferLike> {
  const members: unknown[] = isBytes(value) ? [value] : holdsBytes(value) ? Object.values(value as object) : []
  return new Set(members.filter(isBytes).map(bytes => (isArrayBuffer(bytes) ? bytes : bytes.buffer)))
}

/**
 * The list of what a caller gives away, checked against the value that it goes with.
 *
 * @throws BusError `InvalidParams` where it is no list, or names what would not be carried
 */
export function checkTransfer(transfer: unknown, value: unknown): void {
  if (!Array.isArray(transfer)) throw new BusError('InvalidParams', '`transfer` must be a list of ArrayBuffers')
  const carried = getBuffers(value)
  for (const buffer of transfer as unknown[]) {
    if (!isArrayBuffer(buffer)) {
      throw new BusError('InvalidParams', '`transfer` takes ArrayBuffers: of a Uint8Array its `buffer`')
    }
    if (!carried.has(buffer)) {
      throw new BusError(
        'InvalidParams',
        'A buffer in `transfer` is neither the whole payload nor the value of one of its top-level members',
      )
    }
  }
}

/** What `Outbox.put` takes. */
export interface PackedMessage {
  readonly codec: Codec
  readonly encoded: EncodedMessage
  readonly attachments: readonly Uint8Array[]
}

const NONE: readonly Uint8Array[] = []

/** Encodes a message without bytes in it. Its parameters, and what it throws, are those of `encodeMessage`. */
export function packPlain(codec: Codec, message: Message, checked = false): PackedMessage {
  return { codec, encoded: encodeMessage(codec, message, checked), attachments: NONE }
}

/**
 * Encodes a message with bytes in it. Its attachments are still the caller's memory: send them before anyone writes to them,
 * or `claimAttachments`.
 *
 * @throws what `encodeMessage` throws
 */
export function packMessage(given: Message): PackedMessage {
  const { message, attachments, lengths } = markAttachments(given)
  let size = 0
  for (const length of lengths) size += length
  if (size > MAX_ATTACHED_BYTES) {
    throw new BusError('InvalidParams', `${size} bytes are over the limit of ${MAX_ATTACHED_BYTES}`)
  }
  const encoded = encodeMessage(msgpackCodec, message, true)
  if (attachments.some(({ byteLength: now }, at) => now !== lengths[at] || now < MIN_ATTACHMENT_BYTES)) {
    throw new BusError('InvalidParams', 'Bytes changed their length while they were written')
  }
  return { codec: msgpackCodec, encoded, attachments }
}

/**
 * Makes attachments ready for `Outbox.put`: copies them, or moves what is in `transfer`.
 *
 * @throws BusError `InvalidParams` where a buffer can't be given away
 */
export function detachAttachments(
  { codec, encoded, attachments }: PackedMessage,
  transfer: readonly ArrayBufferLike[] = [],
): PackedMessage {
  return { codec, encoded, attachments: detachBytes(attachments, transfer) }
}
