// The file information of Tauri's plugin.
import type { Stats } from 'node:fs'

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
