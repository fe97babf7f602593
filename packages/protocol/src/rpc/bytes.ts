// The caller's bytes: copied once, or moved if the caller transfers them, as with `postMessage`.
import type { PackedMessage } from '../codec/codec.js'
import { BusError, describeThrown } from '../errors/bus-error.js'
import { holdsBytes } from '../wire/messages.js'
import { isBytes } from '../util/type-guards.js'
import { allocate, IS_NODE, isArrayBuffer, isPooled } from '#platform'
import { ownsWholeBuffer } from '../wire/link.js'

/**
 * Detaches the attachments for `Outbox.put`. Each gets a buffer without other references: a copy, or the moved buffer if it is in
 * `transfer`. The caller loses all of `transfer`, or none of it if this throws.
 *
 * @throws {BusError} InvalidParams if a buffer cannot be transferred
 */
export function detachAttachments(
  { codec, encoded, attachments }: PackedMessage,
  transfer: readonly ArrayBufferLike[] = [],
): PackedMessage {
  // A WebSocket copies all bytes: nothing is moved.
  if (!IS_NODE) return { codec, encoded, attachments: attachments.map(bytes => bytes.slice()) }
  const transferred = [...new Set(transfer.filter(buffer => !isPooled(buffer)))]
  const unclaimed = new Set(transferred)
  const claimed = attachments.map(bytes => {
    // Two values can be views of one buffer: the first that fills it gets it.
    if (ownsWholeBuffer(bytes, 0) && unclaimed.delete(bytes.buffer)) return bytes
    const copy = allocate(bytes.byteLength)
    copy.set(bytes)
    return copy
  })
  if (transferred.length === 0) return { codec, encoded, attachments: claimed }
  const moved = moveAll(transferred)
  const movedBuffers = new Map(transferred.map((buffer, at) => [buffer, moved[at]!]))
  const detached = claimed.map(bytes => {
    const buffer = movedBuffers.get(bytes.buffer)
    return buffer ? new Uint8Array(buffer) : bytes
  })
  return { codec, encoded, attachments: detached }
}

/** Returns the buffers of the bytes that a value is, or has as its own members. */
export function getBuffers(value: unknown): Set<ArrayBufferLike> {
  const members: unknown[] = isBytes(value) ? [value] : holdsBytes(value) ? Object.values(value as object) : []
  return new Set(members.filter(isBytes).map(bytes => (isArrayBuffer(bytes) ? bytes : bytes.buffer)))
}

/** Checks a `transfer` option against the value that it belongs to, if there is one. @throws {BusError} InvalidParams */
export function checkTransfer(options: { transfer?: unknown }, value: unknown): void {
  if (!IS_NODE || options.transfer === undefined) return
  const { transfer } = options
  if (!Array.isArray(transfer)) throw new BusError('InvalidParams', '`transfer` must be an array of ArrayBuffers')
  const buffers = getBuffers(value)
  for (const buffer of transfer as unknown[]) {
    if (!isArrayBuffer(buffer)) {
      throw new BusError('InvalidParams', '`transfer` takes ArrayBuffers: for a Uint8Array, pass its `buffer`')
    }
    if (!buffers.has(buffer)) {
      const problem =
        'A buffer in `transfer` is neither the whole payload nor the value of one of its top-level members'
      throw new BusError('InvalidParams', problem)
    }
  }
}

/** Moves all buffers or none, as a structured clone does. `ArrayBuffer.prototype.transfer` is too new for Node 20. */
function moveAll(buffers: ArrayBufferLike[]): ArrayBufferLike[] {
  try {
    // Refuses a detached buffer, which Node 20 would send as an empty one.
    for (const buffer of buffers) new Uint8Array(buffer)
    return structuredClone(buffers, { transfer: buffers as ArrayBuffer[] })
  } catch (cause) {
    const problem = `A buffer in \`transfer\` cannot be transferred: ${describeThrown(cause)}`
    throw new BusError('InvalidParams', problem, { cause })
  }
}
