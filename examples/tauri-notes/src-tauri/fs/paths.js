// @ts-check
// From a path as the frontend gives it to one that may be used: resolved, and within the scope of the caller's permissions.
import { realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import picomatch from 'picomatch'

/**
 * @typedef {import('@sallyport/core').CommandContext} Context
 * @typedef {{ baseDir?: number }} PathOptions `baseDir` is one of Tauri's `BaseDirectory`
 */

/**
 * @param {string} path absolute, relative to `baseDir`, or a `file:` URL
 * @param {PathOptions | null | undefined} options
 * @param {Context} ctx
 */
export async function allowedPath(path, options, ctx) {
  const given = path.startsWith('file:') ? fileURLToPath(path) : path
  const absolute = resolve(options?.baseDir == null ? given : ctx.app.path.resolve(options.baseDir, given))
  // A link within the scope must not lead out of it.
  for (const asked of new Set([absolute, await realPath(absolute)])) {
    if (!isInScope(asked, ctx))
      throw `forbidden path: ${path}, maybe it is not allowed on the scope of a permission in your capability file`
  }
  return absolute
}

/** Nothing is allowed that no permission names, as in Tauri's plugin. @param {string} path @param {Context} ctx */
function isInScope(path, { scope, app }) {
  const covers = /** @param {unknown} entry */ entry => {
    const pattern = typeof entry === 'string' ? entry : /** @type {{ path?: unknown }} */ (entry).path
    return typeof pattern === 'string' && matcher(app.path.parse(pattern))(path)
  }
  const denied = [...scope.deny, ...scope.global.deny].some(covers)
  return !denied && [...scope.allow, ...scope.global.allow].some(covers)
}

/** Of what does not exist yet, its folder is looked at. @param {string} path @returns {Promise<string>} */
async function realPath(path) {
  try {
    return await realpath(path)
  } catch {
    const folder = dirname(path)
    return folder === path ? path : join(await realPath(folder), basename(path))
  }
}

/** @type {Map<string, (path: string) => boolean>} */
const matchers = new Map()

/** @param {string} pattern */
function matcher(pattern) {
  const known = matchers.get(pattern)
  if (known) return known
  const made = picomatch(pattern, { dot: true, nobrace: true, noextglob: true, nonegate: true })
  matchers.set(pattern, made)
  return made
}
