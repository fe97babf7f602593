// @ts-check
// Resolves a path of the frontend, and checks that it is within the scope of the caller's permissions.
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

/** Allows only paths that a permission names, as Tauri's plugin does. @param {string} path @param {Context} ctx */
function isInScope(path, { scope, app }) {
  const covers = /** @param {unknown} entry */ entry => {
    const pattern = typeof entry === 'string' ? entry : /** @type {{ path?: unknown }} */ (entry).path
    return typeof pattern === 'string' && matcher(app.path.parse(pattern))(path)
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
