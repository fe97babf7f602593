// Why a file or directory of a start cannot be created in the temporary directory.
import { BusError } from '@sallyport/protocol/internal/errors'

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
