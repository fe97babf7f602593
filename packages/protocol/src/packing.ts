// Messages that hold bytes, made ready for an outbox: encoded as MessagePack, with the large bytes beside them. Whoever
// calls keeps its bytes: they are copied, once, or moved where the caller gives them away.
import * as workerThreads from 'node:worker_threads'
import { markAttachments } from './attachments.js'
import { MAX_ATTACHED_BYTES } from './bounds.js'
import type { EncodedMessage } from './codec.js'
import { BusError, describeThrown } from './error.js'
import { isAlone } from './frame.js'
import { holdsBytes, isBytes, type Message } from './message.js'
import { msgpackCodec } from './msgpack-codec.js'
import { encodeMessage } from './outbox.js'

export interface PackedMessage {
  encoded: EncodedMessage
  attachments: readonly Uint8Array[]
}

/**
 * Encodes a message with bytes in it. Its attachments are still the caller's memory: send them before anyone writes to them,
 * or `claimAttachments`.
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
 * Makes attachments ready for `Outbox.put`, each alone in its buffer. What is not in `transfer` is copied. What is, goes as
 * it is where it is alone, and is gone for the caller once it is put; all else in `transfer` is gone when this returns, and
 * nothing is where this throws.
 *
 * @throws BusError `InvalidParams` where a buffer can't be given away
 */
export function claimAttachments(
  { encoded, attachments }: PackedMessage,
  transfer: readonly ArrayBufferLike[] = [],
): PackedMessage {
  const given = new Set(transfer.filter(buffer => !isPooled(buffer)))
  const claimed = attachments.map(bytes => {
    // Two values may be views of one buffer: the first that is all of it gets it.
    if (isAlone(bytes, 0) && given.delete(checked(bytes.buffer))) return bytes
    const copy = Buffer.allocUnsafeSlow(bytes.byteLength)
    copy.set(bytes)
    return copy
  })
  for (const buffer of given) checked(buffer)
  if (given.size > 0) move([...given])
  return { encoded, attachments: claimed }
}

/** The same bytes in a buffer that only this thread's bus knows, for what is sent later than it is given away. */
export const takeBytes = (bytes: Uint8Array): Uint8Array => new Uint8Array(move([bytes.buffer])[0]!)

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
