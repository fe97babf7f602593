// What a call gives, as Tauri's clients expect it: raw bytes as an ArrayBuffer, nothing as null, and for an error the plain
// value that the command failed with, or the text of what went wrong; never an Error.
import { isBusError, isUint8Array } from '@sallyport/protocol'

export function toAnswer(result: unknown): unknown {
  if (isUint8Array(result)) return toArrayBuffer(result)
  return result === undefined ? null : result
}

/** Without a copy where the bytes are alone in their memory. */
function toArrayBuffer({ buffer, byteOffset, byteLength }: Uint8Array): ArrayBufferLike {
  return byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength)
}

/** Errors that are not the bus's are those of Tauri's own serializer: a TypeError, as there. */
export function toRejection(error: unknown): unknown {
  if (!isBusError(error)) return error
  return error.reason === 'CommandFailed' && error.data !== undefined ? error.data : error.message
}
