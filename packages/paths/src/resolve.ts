// From what a frontend sends to the path of a file: refuses what no path of the system can be before it sees the path, and resolves links.
import { readlink, realpath } from 'node:fs/promises'
import { isAbsolute, posix, relative, sep, win32 } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseForeignUrl } from '@sallyport/protocol/internal/util'

/** Differences between the paths of operating systems. Tests inject the rules of another one. */
export interface PathRules {
  readonly platform: NodeJS.Platform
  /** Node's functions for these paths. */
  readonly path: typeof posix
  /** Characters that separate names. */
  readonly separators: string
  /** True if names that differ in case or composition are different files. */
  readonly isCaseSensitive: boolean
  /** The longest path, in bytes, or in UTF-16 units on Windows. */
  readonly maxLength: number
}

/** Returns the rules of a platform. */
export const getPathRules = (platform: NodeJS.Platform = process.platform): PathRules => ({
  platform,
  path: platform === 'win32' ? win32 : posix,
  separators: platform === 'win32' ? '/\\' : '/',
  isCaseSensitive: platform !== 'win32' && platform !== 'darwin',
  maxLength: platform === 'win32' ? 32_767 : 4096,
})

/** Creates an error like those of Node's `fs`. */
export const createIoError = (code: string): Error => Object.assign(new Error(code), { code })

const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(?:\..*)?$/i
/** True for the name of a device on Windows, which it has in any directory and with any extension. */
export const isDeviceName = (name: string): boolean => DEVICE.test(name)

const DRIVE = /^[a-z]:[/\\]/i
const SHARE = /^[/\\]{2}(?![?.][/\\])[^/\\]+[/\\]+[^/\\]+/

export interface PathArgumentOptions {
  /** Returns a path below its base directory. */
  readonly resolveBase?: ((path: string) => string) | undefined
  /** True if the scope names this network share of Windows: looking at another would send it the user's credentials. @default none */
  readonly namesShare?: (share: string) => boolean
  readonly rules?: PathRules
}

/**
 * Returns the absolute path of an argument.
 *
 * @param path - a path or a `file:` URL
 * @throws {TypeError} if the argument is not a path without `..`
 * @throws {string} if no path has this text
 * @throws {Error} with Node's code if the system would refuse the path
 */
export function toAbsolutePath(
  path: unknown,
  { resolveBase = plain => plain, namesShare = () => false, rules = getPathRules() }: PathArgumentOptions = {},
): string {
  if (typeof path !== 'string') throw new TypeError('invalid type: expected a string')
  if (path.length > rules.maxLength) throw createIoError('ENAMETOOLONG')
  const isUrl = /^file:/i.test(path)
  const plain = isUrl ? fromUrl(path, rules) : path
  if (plain === '') throw createIoError('ENOENT')
  if (plain.includes('\0')) throw 'file name contained an unexpected NUL byte'
  if (!plain.isWellFormed()) throw 'path is not a valid UTF-8'
  const names = plain.split(rules.separators.length > 1 ? /[/\\]/ : rules.separators)
  // No system has such a name. To normalize it takes quadratic time, if it is of marks.
  if (names.some(name => name.length > 255)) throw createIoError('ENAMETOOLONG')
  if (names.includes('..')) {
    throw new TypeError('cannot traverse directory, rewrite the path without the use of `../`')
  }
  const resolved = resolveBase(plain)
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
    return fileURLToPath(parseForeignUrl(url) ?? '', { windows: platform === 'win32' })
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
    if (isDeviceName(name) || /[. ]$/.test(name.replace(/^\.$/, ''))) throw createIoError('EINVAL')
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

/** A path without links that stays in its directory. */
export interface PathBelow {
  readonly path: string
  /** The names below the directory. */
  readonly names: readonly string[]
}

/** Resolves the links of an existing path. Returns `undefined` if they lead out of the directory. @throws {Error} the errors of `realpath` */
export async function resolveBelow(directory: string, path: string): Promise<PathBelow | undefined> {
  const [root, canonical] = await Promise.all([realpath(directory), realpath(path)])
  const below = relative(root, canonical)
  const names = below === '' ? [] : below.split(sep)
  // A path on another drive of Windows has no relative form.
  return isAbsolute(below) || names[0] === '..' ? undefined : { path: canonical, names }
}
