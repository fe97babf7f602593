// Commands on entries of directories: listing, creating, copying, moving and removing them.
import type { Stats } from 'node:fs'
import { type FileHandle, lstat, mkdir, rename, rmdir, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { createIoError } from '../io/errors.js'
import { openFile, withDirectory } from '../io/safe-open.js'
import type { FsCall, FsHandlers, Located, RawArguments } from './calls.js'
import { type FileInfo, toFileInfo } from './info.js'
import { getTreeSize, readEntries, removeTree, visit } from './trees.js'

interface DirectoryEntry {
  name: string
  isDirectory: boolean
  isFile: boolean
  isSymlink: boolean
}

async function makeDirectory({ path, options: raw }: RawArguments, call: FsCall): Promise<void> {
  const options = call.options(raw)
  const recursive = call.boolean(options, 'recursive', false)
  const mode = call.mode(options, 0o777)
  const make = (target: string): Promise<unknown> =>
    withDirectory(dirname(target), at => mkdir(at(basename(target)), { mode }))
  await call.withPath(
    'failed to create directory at path',
    path,
    options['baseDir'],
    async located => {
      if (!recursive) return make(located.path)
      const missing: string[] = []
      for (let target = located.path; !(await isDirectory(target)); target = dirname(target)) missing.unshift(target)
      for (const target of missing) await make(target)
    },
    { exclusive: true },
  )
}

async function isDirectory(path: string): Promise<boolean> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (found && !found.isDirectory()) throw createIoError('EEXIST')
  return found !== undefined
}

async function readDirectory({ path, options: raw }: RawArguments, call: FsCall): Promise<DirectoryEntry[]> {
  const { baseDir } = call.options(raw)
  return call.withPath('failed to read directory at path', path, baseDir, async located => {
    const entries = await readEntries(located.path)
    return withDirectory(located.path, at =>
      mapBatches(entries, async entry => {
        // A link counts as its target, and a dangling link as neither.
        const target = entry.isSymbolicLink() ? await stat(at(entry.name)).catch(() => undefined) : entry
        return {
          name: entry.name,
          isDirectory: target?.isDirectory() ?? false,
          isFile: target?.isFile() ?? false,
          isSymlink: entry.isSymbolicLink(),
        }
      }),
    )
  })
}

/** Bounds the work in flight. */
async function mapBatches<T, U>(values: readonly T[], map: (value: T) => Promise<U>): Promise<U[]> {
  const mapped: U[] = []
  for (let at = 0; at < values.length; at += 256)
    mapped.push(...(await Promise.all(values.slice(at, at + 256).map(map))))
  return mapped
}

async function remove({ path, options: raw }: RawArguments, call: FsCall): Promise<void> {
  const options = call.options(raw)
  const recursive = call.boolean(options, 'recursive', false)
  await call.withPath(
    'failed to remove path',
    path,
    options['baseDir'],
    ({ original, path: target }) =>
      withDirectory(dirname(target), async at => {
        const entry = at(basename(target))
        if (!(await lstat(entry)).isDirectory()) return unlink(entry)
        if (recursive) {
          await visit(target, call.ctx.signal, names => {
            if (!call.isPermitted(join(target, ...names), true)) throw call.forbidden(original)
          })
          await removeTree(target, call.ctx.signal)
        }
        await rmdir(entry)
      }),
    { exclusive: true, isEntry: true },
  )
}

async function renameEntry({ oldPath, newPath, options: raw }: RawArguments, call: FsCall): Promise<void> {
  const options = call.options(raw)
  const shown = [call.show(oldPath), call.show(newPath)]
  try {
    const from = (shown[0] = call.absolute(oldPath, options['oldPathBaseDir'], 'oldPath'))
    const to = (shown[1] = call.absolute(newPath, options['newPathBaseDir'], 'newPath'))
    await call.locked(true, async () => {
      const source = await call.locate(from, true)
      const target = await call.locate(to, true)
      await withDirectory(dirname(source.path), atSource =>
        withDirectory(dirname(target.path), async atTarget => {
          const entry = atSource(basename(source.path))
          if ((await lstat(entry)).isDirectory()) await refuseExposure(source, target, call)
          await rename(entry, atTarget(basename(target.path)))
        }),
      )
    })
  } catch (error) {
    const [from, to] = shown
    throw call.toRejection(error, `failed to rename old path: ${from} to new path: ${to} with error: `, shown)
  }
}

/** A directory must not take an entry that is out of the caller's scope to a place that is in it. */
function refuseExposure(source: Located, target: Located, call: FsCall): Promise<void> {
  return visit(source.path, call.ctx.signal, names => {
    const [before, after] = [join(source.path, ...names), join(target.path, ...names)]
    if (!call.isPermitted(before) && call.isPermitted(after)) throw call.forbidden(source.original)
  })
}

async function copyFile({ fromPath, toPath, options: raw }: RawArguments, call: FsCall): Promise<void> {
  const options = call.options(raw)
  const shown = [call.show(fromPath), call.show(toPath)]
  const handles: FileHandle[] = []
  try {
    const from = (shown[0] = call.absolute(fromPath, options['fromPathBaseDir'], 'fromPath'))
    const to = (shown[1] = call.absolute(toPath, options['toPathBaseDir'], 'toPath'))
    const [source, target] = await call.locked(true, async () => {
      const [fromFile, toFile] = [await call.locate(from, false), await call.locate(to, false)]
      if (fromFile.path === toFile.path) throw createIoError('EINVAL')
      const input = await openFile(fromFile.path, {})
      handles.push(input)
      const { mode } = await input.stat()
      const output = await openFile(toFile.path, { read: false, write: true, create: true, mode })
      handles.push(output)
      return [input, output] as const
    })
    await copyBytes(source, target, call.ctx.signal)
  } catch (error) {
    const [from, to] = shown
    throw call.toRejection(error, `failed to copy file from path: ${from}, to path: ${to} with error: `, shown)
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

async function truncate({ path, len, options: raw }: RawArguments, call: FsCall): Promise<void> {
  const { baseDir } = call.options(raw)
  const length = call.integer(len ?? 0, 'len')
  await call.withPath('failed to truncate file at path', path, baseDir, async located => {
    const handle = await openFile(located.path, { read: false, write: true })
    try {
      await handle.truncate(length)
    } finally {
      await handle.close()
    }
  })
}

/** Reads information about an entry within its verified directory. */
const readStats = (path: string): Promise<Stats> =>
  path === dirname(path) ? lstat(path) : withDirectory(dirname(path), at => lstat(at(basename(path))))

const readInfo =
  (isEntry: boolean) =>
  async ({ path, options: raw }: RawArguments, call: FsCall): Promise<FileInfo> => {
    const { baseDir } = call.options(raw)
    const failed = 'failed to get metadata of path'
    return call.withPath(failed, path, baseDir, async located => toFileInfo(await readStats(located.path)), { isEntry })
  }

async function exists({ path, options: raw }: RawArguments, call: FsCall): Promise<boolean> {
  const { baseDir } = call.options(raw)
  return call.withPath('failed to get metadata of path', path, baseDir, located =>
    readStats(located.path).then(
      stats => !stats.isSymbolicLink(),
      () => false,
    ),
  )
}

async function readSize({ path, options: raw }: RawArguments, call: FsCall): Promise<number> {
  const { baseDir } = call.options(raw)
  return call.withPath('failed to get size at path', path, baseDir, async located => {
    const stats = await readStats(located.path)
    if (!stats.isDirectory()) return stats.size
    return getTreeSize(located.path, call.ctx.signal, file => !call.scope.isDenied(file))
  })
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
