// How a caller's bytes are sent: copied, once, or moved where they are given away with `transfer`, as in `postMessage`.
import * as workerThreads from 'node:worker_threads'
import { BusError, describeThrown } from './error.js'
import { isAlone } from './frame.js'
import { holdsBytes, isBytes } from './message.js'
import { isArrayBuffer } from './own-bytes.js'

/**
 * Makes bytes ready to be sent, each alone in its buffer, which nobody else knows. What is not in `transfer` is copied. What
 * is, is moved where it is alone; all of `transfer` is gone for the caller when this returns, and nothing is where it throws.
 *
 * @throws BusError `InvalidParams` where a buffer can't be given away
 */
export function claimBytes(all: readonly Uint8Array[], transfer: readonly ArrayBufferLike[]): Uint8Array[] {
  const given = [...new Set(transfer.filter(buffer => !isPooled(buffer)))].map(checked)
  const unclaimed = new Set(given)
  const claimed = all.map(bytes => {
    // Two values may be views of one buffer: the first that is all of it gets it.
    if (isAlone(bytes, 0) && unclaimed.delete(bytes.buffer)) return bytes
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
export function buffersOf(value: unknown): Set<ArrayBufferLike> {
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
  const carried = buffersOf(value)
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
