// `transfer` marks a handler's result, so that its bytes are transferred instead of copied, as in comlink.
import { BusError } from '@sallyport/protocol/internal/errors'
import { holdsBytes, isBytes } from '@sallyport/protocol/internal/message'
import { getBuffers } from '@sallyport/protocol/internal/rpc'
import { isArrayBuffer, isUint8Array } from '@sallyport/protocol/internal/util'
import { ownsWholeBuffer } from '@sallyport/protocol/internal/wire'

const marked = new WeakMap<object, readonly ArrayBufferLike[]>()

/**
 * Marks a result: its bytes are transferred to the caller, and their buffers are detached here once it is sent. `value` is
 * bytes, or an object with bytes as members. Only the part that a view shows arrives, although its whole buffer is detached.
 *
 * @throws {BusError} InvalidParams if the value contains no bytes
 * @example
 * read: async ({ path }) => transfer(await readLarge(path))
 */
export function transfer<T extends object>(value: T): T {
  if (!holdsBytes(value)) throw new BusError('InvalidParams', 'transfer() takes bytes, or an object with bytes in it')
  // Shared memory cannot be transferred and is copied.
  const buffers = [...getBuffers(value)].filter(buffer => isArrayBuffer(buffer))
  return markBuffers(value, buffers)
}

/** Marks some of a value's buffers. */
export function markBuffers<T>(value: T, buffers: readonly ArrayBufferLike[]): T {
  if (buffers.length > 0) marked.set(value as object, buffers)
  return value
}

/** Returns the buffers of a marked result and removes the mark. */
export function takeTransfer(value: unknown): readonly ArrayBufferLike[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const buffers = marked.get(value)
  if (buffers !== undefined) marked.delete(value)
  return buffers
}

/** Returns the buffers of a received value that can be transferred: those that hold nothing else. */
export const getMovableBuffers = (value: unknown): ArrayBufferLike[] =>
  [...getBuffers(value)].filter(buffer => isUnshared(value, buffer))

function isUnshared(value: unknown, buffer: ArrayBufferLike): boolean {
  const members: unknown[] = isBytes(value) ? [value] : Object.values(value as object)
  return members.every(member => !isUint8Array(member) || member.buffer !== buffer || ownsWholeBuffer(member, 0))
}
