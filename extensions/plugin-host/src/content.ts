// The integrity of a plugin's directory: a hash of every file in it, which is what a person has granted rights to.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, opendir, readlink, realpath } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { PluginError } from './errors.js'
import { isBelow } from './manifest.js'

/** The most files of a plugin, and the most bytes in them. */
export const MAX_FILES = 10_000
export const MAX_BYTES: number = 256 * 1024 * 1024

/**
 * Returns the SHA-512 of names and contents of all files, as `sha512-…`.
 * @param directory - a real path
 * @throws {PluginError} InvalidPlugin for a link that leads out, anything but files, directories and links, and beyond the limits
 */
export function readIntegrity(directory: string): Promise<string> {
  return hashFiles(directory).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause
    throw new PluginError('InvalidPlugin', 'its files changed while they were read', { file: directory, cause })
  })
}

async function hashFiles(directory: string): Promise<string> {
  const refuse = (file: string, text: string): never => {
    throw new PluginError('InvalidPlugin', text, { file })
  }
  const files: string[] = []
  const directories = [directory]
  // Node 20 leaves out files if `opendir` is recursive. The loop visits directories that it adds.
  for (const each of directories) {
    for await (const entry of await opendir(each)) {
      const path = join(each, entry.name)
      if (files.push(path) > MAX_FILES) refuse(directory, `has more than ${MAX_FILES} files`)
      if (entry.isDirectory()) directories.push(path)
    }
  }
  const hash = createHash('sha512')
  let bytes = 0
  for (const file of files.toSorted()) {
    const info = await lstat(file)
    const add = (...parts: (string | number)[]): void =>
      void hash.update(`${JSON.stringify([relative(directory, file).replaceAll(sep, '/'), ...parts])}\n`)
    if (info.isDirectory()) add('directory')
    else if (info.isSymbolicLink()) {
      const isInside = isBelow(directory, await realpath(file).catch(() => ''))
      if (!isInside) refuse(file, 'the link leads out of the directory')
      add('link', (await readlink(file)).replaceAll(sep, '/'))
    } else if (info.isFile()) {
      if ((bytes += info.size) > MAX_BYTES) refuse(file, `the plugin has more than ${MAX_BYTES} bytes`)
      add('file', info.size)
      for await (const chunk of createReadStream(file)) hash.update(chunk)
    } else refuse(file, 'must be a file, a directory or a link')
  }
  return `sha512-${hash.digest('base64')}`
}
