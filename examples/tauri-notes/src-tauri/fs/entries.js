// @ts-check
// Commands on entries of directories: reading, creating, moving and removing them.
import { access, copyFile, lstat, mkdir, readdir, rename, rm, rmdir, stat, truncate, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fileInfo } from './info.js'
import { allowedPath } from './paths.js'

/**
 * @typedef {import('./paths.js').Context} Context
 * @typedef {import('./paths.js').PathOptions} PathOptions
 * @typedef {{ path: string, options?: PathOptions }} OnePath
 */

export const entries = {
  /** @param {{ path: string, options?: PathOptions & { recursive?: boolean, mode?: number } }} args @param {Context} ctx */
  async mkdir({ path, options }, ctx) {
    const { recursive = false, mode = 0o777 } = options ?? {}
    await mkdir(await allowedPath(path, options, ctx), { recursive, mode })
  },

  /** @param {OnePath} args @param {Context} ctx */
  async read_dir({ path, options }, ctx) {
    const found = await readdir(await allowedPath(path, options, ctx), { withFileTypes: true })
    return found.map(entry => ({
      name: entry.name,
      isFile: entry.isFile(),
      isDirectory: entry.isDirectory(),
      isSymlink: entry.isSymbolicLink(),
    }))
  },

  /** @param {{ path: string, options?: PathOptions & { recursive?: boolean } }} args @param {Context} ctx */
  async remove({ path, options }, ctx) {
    const target = await allowedPath(path, options, ctx)
    if (!(await lstat(target)).isDirectory()) await unlink(target)
    else if (options?.recursive) await rm(target, { recursive: true })
    else await rmdir(target)
  },

  /**
   * @param {{ fromPath: string, toPath: string, options?: { fromPathBaseDir?: number, toPathBaseDir?: number } }} args
   * @param {Context} ctx
   */
  async copy_file({ fromPath, toPath, options }, ctx) {
    const from = await allowedPath(fromPath, baseOf(options?.fromPathBaseDir), ctx)
    await copyFile(from, await allowedPath(toPath, baseOf(options?.toPathBaseDir), ctx))
  },

  /**
   * @param {{ oldPath: string, newPath: string, options?: { oldPathBaseDir?: number, newPathBaseDir?: number } }} args
   * @param {Context} ctx
   */
  async rename({ oldPath, newPath, options }, ctx) {
    const old = await allowedPath(oldPath, baseOf(options?.oldPathBaseDir), ctx)
    await rename(old, await allowedPath(newPath, baseOf(options?.newPathBaseDir), ctx))
  },

  /** @param {{ path: string, len?: number, options?: PathOptions }} args @param {Context} ctx */
  async truncate({ path, len, options }, ctx) {
    await truncate(await allowedPath(path, options, ctx), len ?? 0)
  },

  /** @param {OnePath} args @param {Context} ctx */
  stat: async ({ path, options }, ctx) => fileInfo(await stat(await allowedPath(path, options, ctx))),

  /** @param {OnePath} args @param {Context} ctx */
  lstat: async ({ path, options }, ctx) => fileInfo(await lstat(await allowedPath(path, options, ctx))),

  /** @param {OnePath} args @param {Context} ctx */
  async exists({ path, options }, ctx) {
    const target = await allowedPath(path, options, ctx)
    return access(target).then(
      () => true,
      () => false,
    )
  },

  /** For a directory, the size of its whole content. @param {OnePath} args @param {Context} ctx */
  size: async ({ path, options }, ctx) => sizeOf(await allowedPath(path, options, ctx)),

  // These are for iOS. On other platforms, Tauri's plugin does nothing either.
  start_accessing_security_scoped_resource() {},
  stop_accessing_security_scoped_resource() {},
}

/** @param {number | undefined} baseDir @returns {PathOptions | undefined} */
const baseOf = baseDir => (baseDir === undefined ? undefined : { baseDir })

/** @param {string} path @returns {Promise<number>} */
async function sizeOf(path) {
  const stats = await lstat(path)
  if (!stats.isDirectory()) return stats.size
  const sizes = await Promise.all((await readdir(path)).map(name => sizeOf(join(path, name))))
  return sizes.reduce((sum, size) => sum + size, 0)
}
