// From what a frontend sends to the path of a file: refuses what no path can be before the file system sees it, and resolves links.
import type { PathResolver } from '@sallyport/core'
import { readlink, realpath } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { createIoError } from './errors.js'
import { getPathRules, type PathRules } from './path-rules.js'

/** Names of devices on Windows, in any directory and with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(?:\..*)?$/i
const DRIVE = /^[a-z]:[/\\]/i
const SHARE = /^[/\\]{2}(?![?.][/\\])[^/\\]+[/\\]+[^/\\]+/

/**
 * Returns the absolute path of an argument.
 *
 * @param path - a path or a `file:` URL
 * @param baseDir - Tauri's number of a base directory, or nothing
 * @param namesShare - true if the scope names this network share of Windows: looking at another would send it the user's credentials
 * @throws {TypeError} if the argument is not a path without `..`
 * @throws {string} if no path has this text
 * @throws {Error} with Node's code if the system would refuse the path
 */
export function toAbsolutePath(
  path: unknown,
  baseDir: unknown,
  resolver: PathResolver,
  namesShare: (share: string) => boolean,
  rules: PathRules = getPathRules(),
): string {
  if (typeof path !== 'string') throw new TypeError('invalid type: expected a string')
  if (path.length > rules.maxLength) throw createIoError('ENAMETOOLONG')
  const isUrl = /^file:/i.test(path)
  const plain = isUrl ? fromUrl(path, rules) : path
  if (plain === '') throw createIoError('ENOENT')
  if (plain.includes('\0')) throw 'file name contained an unexpected NUL byte'
  if (!plain.isWellFormed()) throw 'path is not a valid UTF-8'
  const names = plain.split(rules.separators.length > 1 ? /[/\\]/ : rules.separators)
  if (names.includes('..')) {
    throw new TypeError('cannot traverse directory, rewrite the path without the use of `../`')
  }
  const resolved = baseDir === undefined || baseDir === null ? plain : resolver.resolve(baseDir as number, plain)
  const isWindows = rules.platform === 'win32'
  if (isWindows) refuseWindowsPath(resolved, namesShare)
  // `file/..namedfork/rsrc` is another stream of the file.
  if (rules.platform === 'darwin' && names.includes('..namedfork')) throw createIoError('ENOENT')
  const absolute = rules.path.resolve(resolved)
  const length = isWindows ? absolute.length : Buffer.byteLength(absolute)
  if (length >= rules.maxLength) throw createIoError('ENAMETOOLONG')
  return absolute
}

function fromUrl(url: string, { platform }: PathRules): string {
  try {
    return fileURLToPath(url, { windows: platform === 'win32' })
  } catch {
    throw 'URL is not a valid path'
  }
}

/** Refuses other spellings of a file, devices and streams. */
function refuseWindowsPath(path: string, namesShare: (share: string) => boolean): void {
  const share = SHARE.exec(path)?.[0]
  if (share !== undefined && !namesShare(share)) throw createIoError('EACCES')
  if (share === undefined && /^[/\\]{2}/.test(path)) throw createIoError('EINVAL')
  const rest = path.slice(share?.length ?? (DRIVE.test(path) ? 2 : 0))
  if (/[:*?"<>|]/.test(rest)) throw createIoError('EINVAL')
  for (const name of rest.split(/[/\\]/)) {
    if (DEVICE.test(name) || /[. ]$/.test(name.replace(/^\.$/, ''))) throw createIoError('EINVAL')
  }
}

/** The limit of Linux. */
const MAX_LINKS = 40

/**
 * Resolves all links of an absolute path. Names after the first that does not exist are kept. A dangling link is resolved to its target.
 *
 * @throws {Error} ELOOP for a chain of more than 40 links that leads nowhere
 */
export async function resolveLinks(
  path: string,
  { path: { parse, join, resolve, sep } }: PathRules = getPathRules(),
): Promise<string> {
  for (let left = path, hops = 0; hops <= MAX_LINKS; hops++) {
    const resolved = await realpath(left).catch(() => undefined)
    if (resolved !== undefined) return resolved
    const { root } = parse(left)
    const names = left.slice(root.length).split(sep).filter(Boolean)
    // If a path exists, so do its parents.
    let [existing, missing] = [0, names.length]
    let canonical = root
    while (missing - existing > 1) {
      const middle = (existing + missing) >> 1
      const found = await realpath(join(root, ...names.slice(0, middle))).catch(() => undefined)
      if (found === undefined) missing = middle
      else [existing, canonical] = [middle, found]
    }
    const [next = '', ...rest] = names.slice(existing)
    const link = await readlink(join(canonical, next)).catch(() => undefined)
    if (link === undefined) return join(canonical, next, ...rest)
    left = resolve(canonical, link, ...rest)
  }
  throw createIoError('ELOOP')
}
