// The file of a seccomp filter: it has no name, so it ends with the descriptors that are open.
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { BusError } from '@sallyport/protocol/internal/errors'

/** Calls back with a descriptor of a file with these bytes, which is closed afterwards. @throws {BusError} InvalidParams if none can be created */
export function withFilterFile<T>(
  filter: Uint8Array | undefined,
  temporary: string,
  callback: (descriptor: number | undefined) => T,
): T {
  if (!filter) return callback(undefined)
  const descriptor = openUnnamed(temporary)
  try {
    // At a position, which leaves that of the descriptor at the start, where the launcher reads.
    for (let end = 0; end < filter.length;) end += writeSync(descriptor, filter, end, filter.length - end, end)
    return callback(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Nothing is written before the name is gone: a host that is killed leaves no file. */
function openUnnamed(temporary: string): number {
  const path = join(temporary, `sallyport-${Math.random().toString(36).slice(2)}`)
  try {
    const descriptor = openSync(path, 'wx+', 0o600)
    rmSync(path, { force: true })
    return descriptor
  } catch (error) {
    throw explainTemporary(error, temporary)
  }
}

/** Returns an error with a remedy for an error of the file system in the directory, and any other error as it is. */
export function explainTemporary(error: unknown, directory: string): unknown {
  const { code, path } = Object(error) as NodeJS.ErrnoException
  // The limit of descriptors has a remedy of its own.
  if (!path?.startsWith(directory) || code === 'EMFILE' || code === 'ENFILE') return error
  const remedy = 'Set TMPDIR to a directory that can, or mount one there (in Docker: --tmpfs)'
  return new BusError('InvalidParams', `The temporary directory ${directory} cannot be written (${code}). ${remedy}`, {
    cause: error,
  })
}
