// @ts-check
// Resolves a path of the frontend, and checks that it is within the scope of the caller's permissions.
import { realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { matchesGlob } from './glob.js'

/**
 * @typedef {import('@sallyport/core').CommandContext} Context
 * @typedef {{ baseDir?: number }} PathOptions `baseDir` is one of Tauri's `BaseDirectory`
 */

/** Characters, as on Linux. */
const MAX_PATH = 4096

/**
 * @param {string} path absolute, relative to `baseDir`, or a `file:` URL
 * @param {PathOptions | null | undefined} options
 * @param {Context} ctx
 */
export async function allowedPath(path, options, ctx) {
  if (typeof path !== 'string' || path.length > MAX_PATH) throw `a path must be text of at most ${MAX_PATH} characters`
  const given = path.startsWith('file:') ? fileURLToPath(path) : path
  const absolute = resolve(options?.baseDir == null ? given : ctx.app.path.resolve(options.baseDir, given))
  // A link within the scope must not lead out of it.
  for (const asked of new Set([absolute, await realPath(absolute)])) {
    if (!isInScope(asked, ctx))
      throw `forbidden path: ${path}, maybe it is not allowed on the scope of a permission in your capability file`
  }
  return absolute
}

/** Allows only paths that a permission names, as Tauri's plugin does. @param {string} path @param {Context} ctx */
function isInScope(path, { scope, app }) {
  const covers = /** @param {unknown} entry */ entry => {
    const pattern = typeof entry === 'string' ? entry : /** @type {{ path?: unknown }} */ (entry).path
    const parsed = typeof pattern === 'string' ? parse(pattern, app) : undefined
    return parsed !== undefined && matchesGlob(path, parsed)
  }
  const denied = [...scope.deny, ...scope.global.deny].some(covers)
  return !denied && [...scope.allow, ...scope.global.allow].some(covers)
}

/** Resolves links. For a path that does not exist yet, resolves its directory. @param {string} path @returns {Promise<string>} */
async function realPath(path) {
  try {
    return await realpath(path)
  } catch {
    const directory = dirname(path)
    return directory === path ? path : join(await realPath(directory), basename(path))
  }
}

/** Returns `undefined` for a base directory that this system does not have, as Tauri's plugin does. @param {string} pattern @param {Context['app']} app */
function parse(pattern, app) {
  try {
    return app.path.parse(pattern)
  } catch (error) {
    if (/** @type {Error} */ (error).message === 'unknown path') return undefined
    throw error
  }
}
