// The options of a Tauri client's `invoke`, as the bus takes them.
import type { InvokeOptions } from '../options.js'

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
