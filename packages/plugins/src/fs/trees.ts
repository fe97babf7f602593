// Directories with all that is below them. Links are never followed.
import type { Dirent } from 'node:fs'
import { lstat, opendir, rmdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { withDirectory } from '../io/safe-open.js'

/** The most entries that one call lists or visits: an answer is at most 16 MiB. */
const MAX_ENTRIES = 100_000
const MAX_DEPTH = 512

/** Returns the entries of a directory. @param path - canonical and allowed @throws {string} above 100 000 entries */
export async function readEntries(path: string): Promise<Dirent[]> {
  return withDirectory(path, async at => readAll(at('')))
}

async function readAll(directory: string, limit = MAX_ENTRIES): Promise<Dirent[]> {
  const entries: Dirent[] = []
  for await (const entry of await opendir(directory, { bufferSize: 256 })) {
    if (entries.length >= limit) throw createTooManyText()
    entries.push(entry)
  }
  return entries
}

const createTooManyText = (): string =>
  `The directory was refused: it has more than ${MAX_ENTRIES} entries. Use directories with fewer entries.`

/** Visits everything below a directory, parents first, with the names of its path below it. */
export async function visit(
  path: string,
  signal: AbortSignal,
  onEntry: (names: readonly string[], entry: Dirent, at: string) => void | Promise<void>,
): Promise<void> {
  let visited = 0
  await withDirectory(path, async at => {
    const pending: (readonly string[])[] = [[]]
    for (let names = pending.pop(); names; names = pending.pop()) {
      signal.throwIfAborted()
      if (names.length > MAX_DEPTH) throw createTooDeepText()
      const directory = join(at(''), ...names)
      for (const entry of await readAll(directory, MAX_ENTRIES - visited)) {
        visited++
        const below = [...names, entry.name]
        await onEntry(below, entry, join(directory, entry.name))
        if (entry.isDirectory()) pending.push(below)
      }
    }
  })
}

const createTooDeepText = (): string => `The directory was refused: it is more than ${MAX_DEPTH} levels deep.`

/** Returns the sum of the sizes of all files that `includes` accepts. */
export async function getTreeSize(
  path: string,
  signal: AbortSignal,
  includes: (path: string) => boolean,
): Promise<number> {
  let size = 0
  await visit(path, signal, async (names, entry, at) => {
    if (!entry.isDirectory() && includes(join(path, ...names))) size += (await lstat(at)).size
  })
  return size
}

/** Removes a directory and everything below it, each entry within the directory that was verified. */
export async function removeTree(path: string, signal: AbortSignal, depth = 0): Promise<void> {
  if (depth > MAX_DEPTH) throw createTooDeepText()
  await withDirectory(path, async at => {
    for (const entry of await readAll(at(''))) {
      signal.throwIfAborted()
      if (entry.isDirectory()) {
        await removeTree(join(path, entry.name), signal, depth + 1)
        await rmdir(at(entry.name))
      } else await unlink(at(entry.name))
    }
  })
}
