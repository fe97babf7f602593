// The file information of Tauri's plugin.
import type { Stats } from 'node:fs'

/** The result of `stat`: times in milliseconds, and `null` for what this platform does not have. */
export interface FileInfo {
  isFile: boolean
  isDirectory: boolean
  isSymlink: boolean
  size: number
  mtime: number | null
  atime: number | null
  birthtime: number | null
  readonly: boolean
  fileAttributes: number | null
  dev: number | null
  ino: number | null
  mode: number | null
  nlink: number | null
  uid: number | null
  gid: number | null
  rdev: number | null
  blksize: number | null
  blocks: number | null
}

export function toFileInfo(stats: Stats, platform: NodeJS.Platform = process.platform): FileInfo {
  const onUnix = (value: number): number | null => (platform === 'win32' ? null : value)
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
    dev: onUnix(stats.dev),
    ino: onUnix(stats.ino),
    mode: onUnix(stats.mode),
    nlink: onUnix(stats.nlink),
    uid: onUnix(stats.uid),
    gid: onUnix(stats.gid),
    rdev: onUnix(stats.rdev),
    blksize: onUnix(stats.blksize),
    blocks: onUnix(stats.blocks),
  }
}
