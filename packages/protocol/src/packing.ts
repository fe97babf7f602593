// Messages that hold bytes, made ready for an outbox: encoded as MessagePack, with the large bytes beside them. Whoever
// calls keeps its bytes: they are copied, once, or moved where the caller gives them away.
import * as workerThreads from 'node:worker_threads'
import { markAttachments } from './attachments.js'
import { MAX_ATTACHED_BYTES } from './bounds.js'
import type { EncodedMessage } from './codec.js'
import { BusError, describeThrown } from './error.js'
import { holdsBytes, isBytes, type Message } from './message.js'
import { msgpackCodec } from './msgpack-codec.js'
import { encodeMessage } from './outbox.js'

export interface PackedMessage {
  encoded: EncodedMessage
  attachments: readonly Uint8Array[]
}

/**
 * Encodes a message with bytes in it. Its attachments are still the caller's memory: send them before anyone writes to them,
 * or keep them with `ownAttachments`.
 *
 * @throws what `encodeMessage` throws
 */
export function packMessage(given: Message): PackedMessage {
  const { message, attachments } = markAttachments(given)
  let size = 0
  for (const { byteLength } of attachments) size += byteLength
  if (size > MAX_ATTACHED_BYTES) {
    throw new BusError('InvalidParams', `${size} bytes are over the limit of ${MAX_ATTACHED_BYTES}`)
  }
  return { encoded: encodeMessage(msgpackCodec, message), attachments }
}

/**
 * Makes attachments the sender's own, each alone in its buffer: what is in `transfer` is moved, and gone for the caller, all
 * else is copied. Nothing is taken where this throws.
 *
 * @throws BusError `InvalidParams` where a buffer can't be given away
 */
export function ownAttachments(
  { encoded, attachments }: PackedMessage,
  transfer?: readonly ArrayBufferLike[],
): PackedMessage {
  const places = attachments.map(({ buffer, byteOffset, byteLength }) => ({ buffer, byteOffset, byteLength }))
  const moved = transfer && move(transfer)
  const taken = new Set<ArrayBufferLike>()
  const owned = places.map(({ buffer, byteOffset, byteLength }) => {
    const source = moved?.get(buffer) ?? buffer
    // Two values may be views of one buffer: the first that is all of it gets it.
    if (source !== buffer && byteLength === source.byteLength && !taken.has(source)) {
      taken.add(source)
      return new Uint8Array(source)
    }
    const copy = Buffer.allocUnsafeSlow(byteLength)
    copy.set(new Uint8Array(source, byteOffset, byteLength))
    return copy
  })
  return { encoded, attachments: owned }
}

/** `ArrayBuffer.prototype.transfer` is too new for Node 20; a structured clone takes all of them or none. */
function move(buffers: readonly ArrayBufferLike[]): Map<ArrayBufferLike, ArrayBufferLike> {
  const list = [...new Set(buffers)].filter(buffer => !isPooled(buffer)) as ArrayBuffer[]
  try {
    // Node 20 would clone what is detached as if it were empty.
    for (const buffer of list) new Uint8Array(buffer)
    const moved = structuredClone(list, { transfer: list })
    return new Map(list.map((buffer, i) => [buffer, moved[i]!]))
  } catch (cause) {
    throw new BusError('InvalidParams', `A buffer in \`transfer\` can’t be given away: ${describeThrown(cause)}`, {
      cause,
    })
  }
}

/** The memory that Node's small Buffers share is nobody's to give away: it is copied. Node 20 does that by itself. */
const isPooled: (buffer: object) => boolean =
  (workerThreads as { isMarkedAsUntransferable?: (buffer: object) => boolean }).isMarkedAsUntransferable ??
  (() => false)

/** The buffers of the bytes that a value is, or has as its own members. */
export function buffersOf(value: unknown): Set<ArrayBufferLike> {
  const members: unknown[] = isBytes(value) ? [value] : holdsBytes(value) ? Object.values(value as object) : []
  return new Set(members.filter(isBytes).map(bytes => (bytes instanceof ArrayBuffer ? bytes : bytes.buffer)))
}

/**
 * The list of what a caller gives away, checked against the value that it goes with.
 *
 * @throws BusError `InvalidParams` where it is no list, or names what would not be carried
 */
export function checkTransfer(transfer: unknown, value: unknown): void {
  if (!Array.isArray(transfer)) throw new BusError('InvalidParams', '`transfer` must be a list of ArrayBuffers')
  const carried = buffersOf(value)
  for (const buffer of transfer as unknown[]) {
    if (!(buffer instanceof ArrayBuffer)) {
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
