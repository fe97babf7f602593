// How a handler gives bytes away rather than have them copied: a mark on its result, as in comlink.
import {
  getBuffers,
  BusError,
  holdsBytes,
  ownsWholeBuffer,
  isArrayBuffer,
  isBytes,
  isUint8Array,
} from '@sallyport/protocol'

const given = new WeakMap<object, readonly ArrayBufferLike[]>()

/**
 * Marks a result: its bytes are moved to the caller, and their buffers are detached here once it is sent. `value` is bytes,
 * or an object with bytes as members. Of a view only what it shows arrives, though all of its buffer is given away.
 *
 * @throws BusError `InvalidParams` where there are no bytes in it
 * @example
 * read: async ({ path }) => transfer(await readLarge(path))
 */
export function transfer<T extends object>(value: T): T {
  if (!holdsBytes(value)) throw new BusError('InvalidParams', 'transfer() takes bytes, or an object with bytes in it')
  // Shared memory can't be given away: it is copied.
  return giveAway(
    value,
    [...getBuffers(value)].filter(buffer => isArrayBuffer(buffer)),
  )
}

/** The same for some of a value's buffers. */
export function giveAway<T>(value: T, buffers: readonly ArrayBufferLike[]): T {
  if (buffers.length > 0) given.set(value as object, buffers)
  return value
}

/** The buffers that go with a marked result. The mark is gone then. */
export function takeTransfer(value: unknown): readonly ArrayBufferLike[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const buffers = given.get(value)
  if (buffers !== undefined) given.delete(value)
  return buffers
}

/** The buffers of what has come in that may be given away again: those that hold nothing else. */
export const movable = (value: unknown): ArrayBufferLike[] =>
  [...getBuffers(value)].filter(buffer => isUnshared(value, buffer))

function isUnshared(value: unknown, buffer: ArrayBufferLike): boolean {
  const members: unknown[] = isBytes(value) ? [value] : Object.values(value as object)
  return members.every(member => !isUint8Array(member) || member.buffer !== buffer || ownsWholeBuffer(member, 0))
}
