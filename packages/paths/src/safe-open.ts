// Opens the file that was checked, or none. Between the check of a path and its use another process can replace a directory by a link, so
// what was opened is verified. On Linux entries are created, moved and removed within a verified directory, as `openat` does. Elsewhere
// the time for a replacement is short but not zero.
import { accessSync, constants, readlinkSync, type BigIntStats } from 'node:fs'
import { type FileHandle, lstat, open, realpath, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { createIoError } from './resolve.js'

export interface OpenOptions {
  readonly read?: boolean
  readonly write?: boolean
  readonly append?: boolean
  readonly truncate?: boolean
  readonly create?: boolean
  readonly createNew?: boolean
  readonly mode?: number
}

/** The path no longer leads to what was checked. */
export class PathChangedError extends Error {
  override readonly name = 'PathChangedError'
  /** The system's code for a link that `O_NOFOLLOW` refuses. */
  readonly code = 'ELOOP'
}

const { O_RDONLY, O_RDWR, O_WRONLY, O_APPEND, O_CREAT, O_EXCL } = constants
// Windows has neither.
const O_NOFOLLOW = constants.O_NOFOLLOW ?? 0
const O_DIRECTORY = constants.O_DIRECTORY ?? 0
/** A pipe without a writer would hold a thread of the pool. */
const O_NONBLOCK = constants.O_NONBLOCK ?? 0
/** Opens a directory that cannot be listed. Node has no name for it. */
const O_PATH = 0o10000000

/** True if paths lead through open directories, whatever replaces them. */
export const hasDescriptors: boolean = process.platform === 'linux' && canRead('/proc/self/fd')
const toDescriptorPath = ({ fd }: FileHandle): string => `/proc/self/fd/${fd}`

/** False also if Node's permission model denies it to the host. */
function canRead(path: string): boolean {
  try {
    accessSync(path)
    return true
  } catch {
    return false
  }
}

/** Opens a regular file. @param path - canonical and allowed @throws {PathChangedError} if another file was opened */
export async function openFile(path: string, options: OpenOptions): Promise<FileHandle> {
  const { read = true, write = false, append = false, truncate = false, create = false, createNew = false } = options
  const isWriter = write || append
  // Rust's rules.
  if ((!isWriter && (create || createNew || truncate)) || (append && truncate && !createNew))
    throw createIoError('EINVAL')
  if (!read && !isWriter) throw createIoError('EINVAL')
  const access = isWriter ? (read ? O_RDWR : O_WRONLY) : O_RDONLY
  const flags = access | (append ? O_APPEND : 0) | O_NOFOLLOW | O_NONBLOCK
  const created = create || createNew ? await createFile(path, flags, options.mode ?? 0o666, createNew) : undefined
  if (created) return created
  const { handle } = await openExisting(path, flags)
  try {
    if (truncate) await handle.truncate(0)
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

export interface OpenedFile {
  readonly handle: FileHandle
  /** Bytes when it was opened. */
  readonly size: number
  /** The last change of its content before it was opened. */
  readonly modified: Date
}

/** Opens a regular file to read it. @throws like `openFile` */
export const openToRead = (path: string): Promise<OpenedFile> => openExisting(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)

/** Returns `undefined` if the file exists, unless it must be new. */
async function createFile(path: string, flags: number, mode: number, isNew: boolean): Promise<FileHandle | undefined> {
  return withDirectory(dirname(path), async at => {
    const name = basename(path)
    let handle: FileHandle
    try {
      handle = await open(at(name), flags | O_CREAT | O_EXCL, mode & 0o777)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST' && !isNew) return undefined
      throw error
    }
    // Stryker disable next-line LogicalOperator: without descriptors only on other systems
    if (hasDescriptors || (await realpath(path).catch(() => undefined)) === path) return handle
    const created = await handle.stat({ bigint: true })
    await handle.close()
    const found = await lstat(path, { bigint: true }).catch(() => undefined)
    if (found && isSame(created, found)) await unlink(path)
    throw new PathChangedError()
  })
}

async function openExisting(path: string, flags: number): Promise<OpenedFile> {
  // Opening a device can have effects.
  const before = await lstat(path, { bigint: true })
  refuseSpecial(before)
  const handle = await open(path, flags)
  try {
    const opened = await handle.stat({ bigint: true })
    refuseSpecial(opened)
    await verify(handle, path, opened)
    return { handle, size: Number(opened.size), modified: opened.mtime }
  } catch (error) {
    await handle.close()
    throw error
  }
}

function refuseSpecial(stats: BigIntStats): void {
  if (stats.isSymbolicLink()) throw new PathChangedError()
  if (stats.isDirectory()) throw createIoError('EISDIR')
  if (!stats.isFile()) throw 'not a regular file'
}

async function verify(handle: FileHandle, path: string, opened: BigIntStats): Promise<void> {
  if (hasDescriptors) {
    if (readlinkSync(toDescriptorPath(handle)) !== path) throw new PathChangedError()
    return
  }
  const found = await lstat(path, { bigint: true })
  if (!isSame(opened, found) || (await realpath(path)) !== path) throw new PathChangedError()
}

const isSame = (a: BigIntStats, b: BigIntStats): boolean => a.dev === b.dev && a.ino === b.ino

/**
 * Opens a directory, and passes a function that returns the path of an entry: on Linux within the opened directory, whatever replaces it.
 * With `''` it returns the directory's own path.
 *
 * @throws {PathChangedError} if another directory was opened
 */
export async function withDirectory<T>(path: string, use: (at: (name: string) => string) => Promise<T>): Promise<T> {
  if (!hasDescriptors) {
    if (!(await lstat(path)).isDirectory()) throw createIoError('ENOTDIR')
    if ((await realpath(path)) !== path) throw new PathChangedError()
    return use(name => (name === '' ? path : join(path, name)))
  }
  const directory = await openDirectory(path)
  try {
    const base = toDescriptorPath(directory)
    return await use(name => (name === '' ? base : `${base}/${name}`))
  } finally {
    await directory.close()
  }
}

/** Calls `use` with a path of a file or directory that only leads there, whatever replaces it: on Linux, and elsewhere the same path. */
export async function withEntry<T>(path: string, use: (path: string, isDirectory: boolean) => T): Promise<T> {
  const stats = await lstat(path)
  if (!hasDescriptors) return use(path, stats.isDirectory())
  const handle = await open(path, O_PATH | O_NOFOLLOW)
  try {
    if (readlinkSync(toDescriptorPath(handle)) !== path) throw new PathChangedError()
    return use(toDescriptorPath(handle), (await handle.stat()).isDirectory())
  } finally {
    await handle.close()
  }
}

/** Opens and verifies a directory, on Linux only. */
async function openDirectory(path: string): Promise<FileHandle> {
  const handle = await open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW)
  if (readlinkSync(toDescriptorPath(handle)) === path) return handle
  await handle.close()
  throw new PathChangedError()
}
