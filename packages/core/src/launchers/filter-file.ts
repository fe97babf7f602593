// The file of a seccomp filter: it has no name, so it ends with the descriptors that are open.
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Calls back with a descriptor of a file with these bytes, which is closed afterwards. */
export function withFilterFile<T>(
  filter: Uint8Array | undefined,
  temporary: string,
  callback: (descriptor: number | undefined) => T,
): T {
  if (!filter) return callback(undefined)
  const directory = mkdtempSync(join(temporary, 'sallyport-'))
  let descriptor: number | undefined
  try {
    const file = join(directory, 'filter')
    writeFileSync(file, filter)
    descriptor = openSync(file, 'r')
    rmSync(directory, { recursive: true })
    return callback(descriptor)
  } finally {
    rmSync(directory, { recursive: true, force: true })
    if (descriptor !== undefined) closeSync(descriptor)
  }
}
