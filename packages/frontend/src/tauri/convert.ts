// What a call gives, as Tauri's clients expect it: raw bytes as an ArrayBuffer, nothing as null, and for an error the plain
// value that the command failed with, or the text of what went wrong; never an Error.
import { isBusError, isUint8Array } from '@sallyport/protocol'
import type { InvokeOptions } from '../client/options.js'

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

// The options of a Tauri client's `invoke`, as the bus takes them.

/** Tauri knows `headers` alone. */
export interface IpcOptions extends Pick<InvokeOptions, 'signal' | 'timeout'> {
  headers?: ConstructorParameters<typeof Headers>[0]
}

/** Tauri sets these itself, whatever the caller gives. */
const RESERVED_HEADERS = ['content-type', 'tauri-callback', 'tauri-error', 'tauri-invoke-key']

/** @throws TypeError for headers that are none, as Tauri's does */
export function toCallOptions(options: IpcOptions | undefined): InvokeOptions | undefined {
  if (options === undefined || options === null) return undefined
  const { headers: given, signal, timeout } = options
  const headers = new Headers(given ?? {})
  for (const name of RESERVED_HEADERS) headers.delete(name)
  return {
    ...(given && { headers: Object.fromEntries(headers) }),
    ...(signal && { signal }),
    ...(timeout !== undefined && { timeout }),
  }
}
