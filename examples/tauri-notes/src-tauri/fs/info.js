// @ts-check
// The file information of Tauri's plugin.

/** @param {import('node:fs').Stats} stats */
export const fileInfo = stats => ({
  isFile: stats.isFile(),
  isDirectory: stats.isDirectory(),
  isSymlink: stats.isSymbolicLink(),
  size: stats.size,
  mtime: Math.round(stats.mtimeMs),
  atime: Math.round(stats.atimeMs),
  birthtime: Math.round(stats.birthtimeMs),
  readonly: (stats.mode & 0o222) === 0,
  fileAttributes: null,
  dev: stats.dev,
  ino: stats.ino,
  mode: stats.mode,
  nlink: stats.nlink,
  uid: stats.uid,
  gid: stats.gid,
  rdev: stats.rdev,
  blksize: stats.blksize,
  blocks: stats.blocks,
})
