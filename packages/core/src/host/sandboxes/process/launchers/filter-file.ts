// The file of a seccomp filter: it has no name, so it ends with the descriptors that are open.
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Calls back with a descriptor of a file with these bytes, which is closed afterwards. */
export function withFilterFile<T>(
  filter: Uint8Array | undefined,
  temporary: string,
  callback: (descriptor: number | undefined) => T,
): T {
  if (!filter) return callback(undefined)
  const descriptor = openFilter(filter, mkdtempSync(join(temporary, 'sallyport-')))
  try {
    return callback(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function openFilter(filter: Uint8Array, directory: string): number {
  const file = join(directory, 'filter')
  try {
    writeFileSync(file, filter)
    return openSync(file, 'r')
  } finally {
    // Not recursive, which lists the directory: there might be no descriptor left.
    rmSync(file, { force: true })
    rmdirSync(directory)
  }
}
