// The integrity of a plugin's directory: a hash of every file in it, which is what a person has granted rights to.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir, readlink, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { PluginError } from './errors.js'
import { isBelow } from './manifest.js'

/** The most files of a plugin, and the most bytes in them. */
export const MAX_FILES = 10_000
export const MAX_BYTES: number = 256 * 1024 * 1024

/**
 * Returns the SHA-512 of names and contents of all files, as `sha512-…`.
 *
 * @param directory - a real path
 * @throws {PluginError} InvalidContent for a link that leads out, anything but files, directories and links, and beyond the limits
 */
export async function readIntegrity(directory: string): Promise<string> {
  const hash = createHash('sha512')
  const left = { files: MAX_FILES, bytes: MAX_BYTES }
  const add = (...parts: (string | number)[]): void => void hash.update(`${JSON.stringify(parts)}\n`)
  const visit = async (names: readonly string[]): Promise<void> => {
    for (const name of (await readdir(join(directory, ...names))).toSorted()) {
      const below = [...names, name]
      const file = join(directory, ...below)
      const refuse = (text: string): never => {
        throw new PluginError('InvalidContent', text, { file })
      }
      if (--left.files < 0) refuse(`the plugin has more than ${MAX_FILES} files`)
      const info = await lstat(file)
      const path = below.join('/')
      if (info.isDirectory()) {
        add('directory', path)
        await visit(below)
      } else if (info.isSymbolicLink()) {
        const target = await realpath(file).catch(() => '')
        if (!isBelow(directory, target)) refuse('the link leads out of the directory of the plugin')
        add('link', path, (await readlink(file)).replaceAll(sep, '/'))
      } else if (info.isFile()) {
        left.bytes -= info.size
        if (left.bytes < 0) refuse(`the plugin has more than ${MAX_BYTES} bytes`)
        add('file', path, info.size)
        for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
      } else refuse('must be a file, a directory or a link')
    }
  }
  await visit([])
  return `sha512-${hash.digest('base64')}`
}
