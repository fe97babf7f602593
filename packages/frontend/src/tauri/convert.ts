// Converts results, errors and options between the bus and Tauri's clients. Those expect bytes as an ArrayBuffer, and no result as
// null. An error is the plain value that the command failed with, or a string; never an Error.
import { isBusError, isUint8Array } from '@sallyport/protocol/internal'
import type { InvokeOptions } from '../client/options.js'

export function toAnswer(result: unknown): unknown {
  if (isUint8Array(result)) return toArrayBuffer(result)
  return result === undefined ? null : result
}

/** Copies the bytes only if their buffer contains others. */
function toArrayBuffer({ buffer, byteOffset, byteLength }: Uint8Array): ArrayBufferLike {
  return byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength)
}

/** Returns other errors unchanged: the serializer's TypeError is thrown in Tauri, too. */
export function toRejection(error: unknown): unknown {
  if (!isBusError(error)) return error
  return error.reason === 'CommandFailed' && error.data !== undefined ? error.data : error.message
}

/** The options of a call. Tauri itself has only `headers`. */
export interface IpcOptions extends Pick<InvokeOptions, 'signal' | 'timeout'> {
  headers?: ConstructorParameters<typeof Headers>[0]
}

/** Headers that Tauri sets itself; the caller's are ignored. */
const RESERVED_HEADERS = ['content-type', 'tauri-callback', 'tauri-error', 'tauri-invoke-key']

/** @throws {TypeError} if the headers are invalid, as in Tauri */
export function toCallOptions(options: IpcOptions | undefined): InvokeOptions | undefined {
  if (options === undefined || options === null) return undefined
  const { headers: init, signal, timeout } = options
  const headers = new Headers(init ?? {})
  for (const name of RESERVED_HEADERS) headers.delete(name)
  return {
    ...(init && { headers: Object.fromEntries(headers) }),
    ...(signal && { signal }),
    ...(timeout !== undefined && { timeout }),
  }
}
