// Directories with all that is below them. Links are never followed.
import { withDirectory } from '@sallyport/paths/internal'
import type { Dirent } from 'node:fs'
import { lstat, opendir, rmdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'

/** The most entries that one call lists or visits: an answer is at most 16 MiB. */
const MAX_ENTRIES = 100_000
const MAX_DEPTH = 512
/** Entries that are visited before core does other work. */
const ENTRIES_AT_ONCE = 64

/** Returns the entries of a directory. @param directory - verified @throws {string} above 100 000 entries */
export async function readEntries(directory: string, limit: number = MAX_ENTRIES): Promise<Dirent[]> {
  const entries: Dirent[] = []
  for await (const entry of await opendir(directory, { bufferSize: 256 })) {
    if (entries.length >= limit) throw createTooManyText()
    entries.push(entry)
  }
  return entries
}

const createTooManyText = (): string =>
  `The directory was refused: it has more than ${MAX_ENTRIES} entries. Use directories with fewer entries.`

/**
 * Visits everything below a directory, parents first, with the names of its path below it, and a path that leads there while `onEntry` runs.
 *
 * @throws {PathChangedError} if a directory is moved meanwhile
 */
export async function visit(
  path: string,
  signal: AbortSignal,
  onEntry: (names: readonly string[], entry: Dirent, at: string) => void | Promise<void>,
): Promise<void> {
  let visited = 0
  const pending: (readonly string[])[] = [[]]
  for (let names = pending.pop(); names; names = pending.pop()) {
    if (names.length > MAX_DEPTH) throw createTooDeepText()
    const parents = names
    await withDirectory(join(path, ...names), async at => {
      for (const entry of await readEntries(at(''), MAX_ENTRIES - visited)) {
        const below = [...parents, entry.name]
        await onEntry(below, entry, at(entry.name))
        if (entry.isDirectory()) pending.push(below)
        if (++visited % ENTRIES_AT_ONCE !== 0) continue
        // Checks of many entries in one go would delay all other calls of core.
        await setImmediate()
        signal.throwIfAborted()
      }
    })
  }
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
    for (const entry of await readEntries(at(''))) {
      signal.throwIfAborted()
      if (entry.isDirectory()) {
        await removeTree(join(path, entry.name), signal, depth + 1)
        await rmdir(at(entry.name))
      } else await unlink(at(entry.name))
    }
  })
}
