// Splits and joins paths by the rules of Rust's `std::path`, which Tauri follows, for any platform on any platform.
import { BusError } from '@sallyport/protocol/internal/errors'

export type PathPlatform = 'posix' | 'win32'

export interface PathComponents {
  /** Windows: `C:` or `\\server\share`; otherwise empty. */
  readonly prefix: string
  /** True if the path begins at a root. */
  readonly rooted: boolean
  /** Names, and `..`; a `.` only as the first. */
  readonly names: readonly string[]
}

const getSeparator = (platform: PathPlatform): string => (platform === 'win32' ? '\\' : '/')

/** Splits a path. Verbatim paths (`\\?\C:\x`) are read as the path they stand for, as Tauri shows them. */
export function splitPath(path: string, platform: PathPlatform): PathComponents {
  if (platform === 'posix') return { prefix: '', rooted: path.startsWith('/'), names: getNames(path) }
  const plain = path.replace(/^\\\\\?\\UNC\\/, '\\\\').replace(/^\\\\\?\\(?=[a-z]:)/i, '')
  const prefix = /^(?:[a-z]:|[\\/]{2}[^\\/]+[\\/]+[^\\/]+)/i.exec(plain)?.[0] ?? ''
  const rest = plain.slice(prefix.length)
  // A share is a root by itself.
  const rooted = /^[\\/]/.test(rest) || prefix.length > 2
  return { prefix: prefix.replaceAll('/', '\\'), rooted, names: getNames(rest.replaceAll('\\', '/')) }
}

export function joinParts({ prefix, rooted, names }: PathComponents, platform: PathPlatform): string {
  const separator = getSeparator(platform)
  return prefix + (rooted ? separator : '') + names.join(separator)
}

export const isAbsolute = (path: string, platform: PathPlatform): boolean => {
  const { prefix, rooted } = splitPath(path, platform)
  return rooted && (platform === 'posix' || prefix !== '')
}

/** Joins as `PathBuf::push` does: an absolute path replaces the base. */
export function push(base: string, path: string, platform: PathPlatform): string {
  const { prefix, rooted } = splitPath(path, platform)
  if (prefix !== '' || (rooted && platform === 'posix')) return path
  if (rooted) return splitPath(base, platform).prefix + path
  const ends = platform === 'win32' ? /(^|[\\/]|^[a-z]:)$/i : /(^|\/)$/
  return base + (ends.test(base) ? '' : getSeparator(platform)) + path
}

/** Joins `names` below `base`; none of them can lead out of it. */
export function joinBelow(base: string, names: readonly string[], platform: PathPlatform): string {
  if (names.length === 0) return base
  const separator = getSeparator(platform)
  return base + (base === '' || base.endsWith(separator) ? '' : separator) + names.join(separator)
}

/** Joins paths from left to right with the rules of `push`. */
function pushAll(paths: readonly string[], platform: PathPlatform): PathComponents {
  let [prefix, rooted]: [string, boolean] = ['', false]
  let names: string[] = []
  for (const path of paths) {
    const parts = splitPath(path, platform)
    if (parts.prefix !== '' || parts.rooted) {
      if (parts.prefix !== '' || platform === 'posix') prefix = parts.prefix
      rooted = parts.rooted
      names = []
    }
    for (const name of parts.names) names.push(name)
  }
  return { prefix, rooted, names }
}

/** Removes `.` and `..`, and drops a `..` that leads above the beginning. */
function toNormalized({ prefix, rooted, names }: PathComponents, platform: PathPlatform): string {
  const kept: string[] = []
  for (const name of names) {
    if (name === '..') kept.pop()
    else if (name !== '.') kept.push(name)
  }
  return joinParts({ prefix, rooted, names: kept }, platform)
}

const getNames = (path: string): string[] =>
  path.split('/').filter((name, at) => name !== '' && (name !== '.' || at === 0))

/** Creates the error of a path command. Tauri's clients get the message unchanged. */
export const createPathError = (text: string): BusError => new BusError('CommandFailed', text, { data: text })

// Tauri's path functions. They differ from Node's `path`: `..` above the
// beginning is dropped, and a path without a parent, an extension or a base name is an error.

/** Resolves from the working directory, each path relative to those before it. */
export const resolve = (paths: readonly string[], platform: PathPlatform, cwd: string): string =>
  toNormalized(pushAll([cwd, ...paths], platform), platform)

export function normalize(path: string, platform: PathPlatform): string {
  const text = toNormalized(splitPath(path, platform), platform)
  if (text === '' && (path === '.' || path === '..')) return path
  const slash = /[\\/]$/
  return slash.test(path) && !slash.test(text) ? (text || '.') + getSeparator(platform) : text
}

export function join(paths: readonly string[], platform: PathPlatform): string {
  const separator = getSeparator(platform)
  const path = paths.filter(part => part !== '').join(separator)
  return toNormalized(splitPath(path, platform), platform) || '.'
}

/** @throws {BusError} CommandFailed: `path does not have a parent` */
export function dirname(path: string, platform: PathPlatform): string {
  const parts = splitPath(path, platform)
  if (parts.names.length === 0) throw createPathError('path does not have a parent')
  return joinParts({ ...parts, names: parts.names.slice(0, -1) }, platform)
}

/** @throws {BusError} CommandFailed: `path does not have a basename` */
export function basename(path: string, ext: string | undefined, platform: PathPlatform): string {
  const name = getFileName(path, platform)
  if (name === undefined) throw createPathError('path does not have a basename')
  return ext !== undefined && name.endsWith(ext) ? name.slice(0, name.length - ext.length) : name
}

/** Returns the extension without its dot. @throws {BusError} CommandFailed: `path does not have an extension` */
export function extname(path: string, platform: PathPlatform): string {
  const name = getFileName(path, platform) ?? ''
  const dot = name.lastIndexOf('.')
  if (dot <= 0) throw createPathError('path does not have an extension')
  return name.slice(dot + 1)
}

function getFileName(path: string, platform: PathPlatform): string | undefined {
  const name = splitPath(path, platform).names.at(-1)
  return name === '.' || name === '..' ? undefined : name
}
