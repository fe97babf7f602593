// Commands on entries of directories: listing, creating, copying, moving and removing them.
import type { Dirent, Stats } from 'node:fs'
import { type FileHandle, lstat, mkdir, opendir, rename, rmdir, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { createIoError, openFile, withDirectory } from '@sallyport/paths/internal'
import type { FsCall, FsHandlers, Located } from './calls.js'

type DirectoryEntry = { name: string } & Pick<FileInfo, 'isDirectory' | 'isFile' | 'isSymlink'>

async function makeDirectory(call: FsCall): Promise<void> {
  const recursive = call.boolean('recursive')
  const mode = call.mode(0o777)
  const make = (target: string): Promise<unknown> =>
    withDirectory(dirname(target), at => mkdir(at(basename(target)), { mode }))
  const use = async ({ path }: Located): Promise<unknown> => {
    if (!recursive) return make(path)
    const missing: string[] = []
    for (let target = path; !(await isDirectory(target)); target = dirname(target)) missing.unshift(target)
    for (const target of missing) await make(target)
  }
  await call.withPath('failed to create directory at path', use, { exclusive: true })
}

async function isDirectory(path: string): Promise<boolean> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (found && !found.isDirectory()) throw createIoError('EEXIST')
  return found !== undefined
}

async function readDirectory(call: FsCall): Promise<DirectoryEntry[]> {
  const failed = 'failed to read directory at path'
  const { shown, path } = await call.withPath(failed, located => Promise.resolve(located))
  return call.rejecting(`${failed}: ${shown} with error: `, [shown], () =>
    withDirectory(path, async at =>
      mapBatches(await readEntries(at('')), async entry => {
        // A link counts as its target, and a dangling link as neither.
        const target = entry.isSymbolicLink() ? await stat(at(entry.name)).catch(() => undefined) : entry
        return {
          name: entry.name,
          isDirectory: target?.isDirectory() ?? false,
          isFile: target?.isFile() ?? false,
          isSymlink: entry.isSymbolicLink(),
        }
      }),
    ),
  )
}

/** Bounds the work in flight. */
async function mapBatches<T, U>(values: readonly T[], map: (value: T) => Promise<U>): Promise<U[]> {
  const mapped: U[] = []
  for (let at = 0; at < values.length; at += 256)
    mapped.push(...(await Promise.all(values.slice(at, at + 256).map(map))))
  return mapped
}

async function remove(call: FsCall): Promise<void> {
  const recursive = call.boolean('recursive')
  const use = ({ shown, path }: Located): Promise<void> =>
    withDirectory(dirname(path), async at => {
      const entry = at(basename(path))
      if (!(await lstat(entry)).isDirectory()) return unlink(entry)
      if (recursive) {
        await visit(path, call.ctx.signal, names => {
          if (!call.isPermitted(join(path, ...names), true)) throw call.forbidden(shown)
        })
        await removeTree(path, call.ctx.signal)
      }
      await rmdir(entry)
    })
  await call.withPath('failed to remove path', use, { exclusive: true, isEntry: true })
}

async function renameEntry(call: FsCall): Promise<void> {
  const { args, options } = call
  await call.withPaths(
    [
      ['oldPath', args['oldPath'], options['oldPathBaseDir']],
      ['newPath', args['newPath'], options['newPathBaseDir']],
    ],
    ([from, to]) => `failed to rename old path: ${from} to new path: ${to}`,
    ([source, target]) =>
      withDirectory(dirname(source.path), atSource =>
        withDirectory(dirname(target.path), async atTarget => {
          const entry = atSource(basename(source.path))
          if ((await lstat(entry)).isDirectory()) await refuseExposure(source, target, call)
          await rename(entry, atTarget(basename(target.path)))
        }),
      ),
    { isEntry: true },
  )
}

/** A directory must not take an entry that is out of the caller's scope to a place that is in it. */
function refuseExposure(source: Located, target: Located, call: FsCall): Promise<void> {
  return visit(source.path, call.ctx.signal, names => {
    const [before, after] = [join(source.path, ...names), join(target.path, ...names)]
    if (!call.isPermitted(before) && call.isPermitted(after)) throw call.forbidden(source.shown)
  })
}

async function copyFile(call: FsCall): Promise<void> {
  const { args, options } = call
  const toText = ([from, to]: readonly string[]): string => `failed to copy file from path: ${from}, to path: ${to}`
  const handles: FileHandle[] = []
  const open = async (path: string, options: Parameters<typeof openFile>[1]): Promise<FileHandle> => {
    const handle = await openFile(path, options)
    handles.push(handle)
    return handle
  }
  try {
    const { paths, source, target } = await call.withPaths(
      [
        ['fromPath', args['fromPath'], options['fromPathBaseDir']],
        ['toPath', args['toPath'], options['toPathBaseDir']],
      ],
      toText,
      async ([from, to]) => {
        if (from.path === to.path) throw createIoError('EINVAL')
        const source = await open(from.path, {})
        const { mode } = await source.stat()
        const target = await open(to.path, { read: false, write: true, create: true, mode })
        return { paths: [from.shown, to.shown], source, target }
      },
    )
    const failed = `${toText(paths)} with error: `
    await call.rejecting(failed, paths, () => copyBytes(source, target, call.ctx.signal))
  } finally {
    for (const handle of handles) await handle.close()
  }
}

async function copyBytes(source: FileHandle, target: FileHandle, signal: AbortSignal): Promise<void> {
  const [before, after] = [await source.stat({ bigint: true }), await target.stat({ bigint: true })]
  // Hard links: truncating the target would empty the source.
  if (before.dev === after.dev && before.ino === after.ino) throw createIoError('EINVAL')
  await target.truncate(0)
  const buffer = new Uint8Array(1024 * 1024)
  for (let position = 0; ;) {
    signal.throwIfAborted()
    const { bytesRead } = await source.read(buffer, 0, buffer.length, position)
    if (bytesRead === 0) return
    await writeAll(target, buffer.subarray(0, bytesRead), position)
    position += bytesRead
  }
}

/** Writes all bytes, at the end if the position is `null`. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number | null): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const at = position === null ? null : position + written
    written += (await handle.write(bytes, written, bytes.length - written, at)).bytesWritten
  }
}

async function truncate(call: FsCall): Promise<void> {
  const length = call.integer(call.args['len'] ?? 0, 'len')
  await call.withPath('failed to truncate file at path', async ({ path }) => {
    const handle = await openFile(path, { read: false, write: true })
    try {
      await handle.truncate(length)
    } finally {
      await handle.close()
    }
  })
}

const readStats = (path: string): Promise<Stats> =>
  path === dirname(path) ? lstat(path) : withDirectory(dirname(path), at => lstat(at(basename(path))))

const readInfo =
  (isEntry: boolean) =>
  (call: FsCall): Promise<FileInfo> =>
    call.withPath('failed to get metadata of path', async ({ path }) => toFileInfo(await readStats(path)), { isEntry })

const exists = (call: FsCall): Promise<boolean> =>
  call.withPath('failed to get metadata of path', ({ path }) =>
    readStats(path).then(
      stats => !stats.isSymbolicLink(),
      () => false,
    ),
  )

async function readSize(call: FsCall): Promise<number> {
  const failed = 'failed to get size at path'
  const [{ shown, path }, stats] = await call.withPath(
    failed,
    async located => [located, await readStats(located.path)] as const,
  )
  if (!stats.isDirectory()) return stats.size
  const includes = (file: string): boolean => !call.scope.isDenied(file)
  return call.rejecting(`${failed}: ${shown} with error: `, [shown], () => getTreeSize(path, call.ctx.signal, includes))
}

/** These are for iOS. Elsewhere Tauri's plugin ignores them too. */
const ignore = (): void => undefined

export const entries: FsHandlers = {
  mkdir: makeDirectory,
  read_dir: readDirectory,
  remove,
  rename: renameEntry,
  copy_file: copyFile,
  truncate,
  stat: readInfo(false),
  lstat: readInfo(true),
  exists,
  size: readSize,
  start_accessing_security_scoped_resource: ignore,
  stop_accessing_security_scoped_resource: ignore,
}

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
 * @throws {PathChangedError} if a directory is moved meanwhile
 */
async function visit(
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

async function getTreeSize(path: string, signal: AbortSignal, includes: (path: string) => boolean): Promise<number> {
  let size = 0
  await visit(path, signal, async (names, entry, at) => {
    if (!entry.isDirectory() && includes(join(path, ...names))) size += (await lstat(at)).size
  })
  return size
}

async function removeTree(path: string, signal: AbortSignal, depth = 0): Promise<void> {
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

const UNIX_ONLY = ['dev', 'ino', 'mode', 'nlink', 'uid', 'gid', 'rdev', 'blksize', 'blocks'] as const

/** The result of `stat`: times in milliseconds, and `null` for what this platform does not have. */
export interface FileInfo extends Record<(typeof UNIX_ONLY)[number], number | null> {
  isFile: boolean
  isDirectory: boolean
  isSymlink: boolean
  size: number
  mtime: number
  atime: number
  birthtime: number
  readonly: boolean
  fileAttributes: null
}

export function toFileInfo(stats: Stats, platform: NodeJS.Platform = process.platform): FileInfo {
  const unixEntries = UNIX_ONLY.map(name => [name, platform === 'win32' ? null : stats[name]] as const)
  return {
    isFile: stats.isFile(),
    isDirectory: stats.isDirectory(),
    isSymlink: stats.isSymbolicLink(),
    size: stats.size,
    mtime: Math.round(stats.mtimeMs),
    atime: Math.round(stats.atimeMs),
    birthtime: Math.round(stats.birthtimeMs),
    readonly: (stats.mode & 0o222) === 0,
    fileAttributes: null,
    ...(Object.fromEntries(unixEntries) as Record<(typeof UNIX_ONLY)[number], number | null>),
  }
}
