// Paths taken apart by the rules of Rust's `std::path`, which Tauri's answers follow, for any platform on any platform.
import { BusError } from '@sallyport/protocol'

export type PathPlatform = 'posix' | 'win32'

export interface PathParts {
  /** Windows: `C:` or `\\server\share`; else nothing. */
  readonly prefix: string
  /** It begins at a root. */
  readonly rooted: boolean
  /** Names, and `..`; a `.` only as the first. */
  readonly names: readonly string[]
}

const getSeparator = (platform: PathPlatform): string => (platform === 'win32' ? '\\' : '/')

/** Verbatim paths (`\\?\C:\x`) are taken as what they stand for, as Tauri shows them. */
export function splitPath(path: string, platform: PathPlatform): PathParts {
  if (platform === 'posix') return { prefix: '', rooted: path.startsWith('/'), names: getNames(path, /\/+/) }
  const plain = path.replace(/^\\\\\?\\UNC\\/, '\\\\').replace(/^\\\\\?\\(?=[a-z]:)/i, '')
  const prefix = /^(?:[a-z]:|[\\/]{2}[^\\/]+[\\/]+[^\\/]+)/i.exec(plain)?.[0] ?? ''
  const rest = plain.slice(prefix.length)
  // A share is a root by itself.
  const rooted = /^[\\/]/.test(rest) || prefix.length > 2
  return { prefix: prefix.replaceAll('/', '\\'), rooted, names: getNames(rest, /[\\/]+/) }
}

export function joinParts({ prefix, rooted, names }: PathParts, platform: PathPlatform): string {
  const separator = getSeparator(platform)
  return prefix + (rooted ? separator : '') + names.join(separator)
}

export const isAbsolute = (path: string, platform: PathPlatform): boolean => {
  const { prefix, rooted } = splitPath(path, platform)
  return rooted && (platform === 'posix' || prefix !== '')
}

/** `PathBuf::push`: an absolute path takes the place of what was there. */
export function push(base: string, path: string, platform: PathPlatform): string {
  const { prefix, rooted } = splitPath(path, platform)
  if (prefix !== '' || (rooted && platform === 'posix')) return path
  if (rooted) return splitPath(base, platform).prefix + path
  const ends = platform === 'win32' ? /(^|[\\/]|^[a-z]:)$/i : /(^|\/)$/
  return base + (ends.test(base) ? '' : getSeparator(platform)) + path
}

/** `names` below `base`, whatever they are: none of them leads elsewhere. */
export function below(base: string, names: readonly string[], platform: PathPlatform): string {
  if (names.length === 0) return base
  const separator = getSeparator(platform)
  return base + (base === '' || base.endsWith(separator) ? '' : separator) + names.join(separator)
}

/** One path after the other, each relative to those before it: what `push` gives for each in turn. */
function pushAll(paths: readonly string[], platform: PathPlatform): PathParts {
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

/** Without `.` and `..`: one that leads above the beginning is left out. */
function normalized({ prefix, rooted, names }: PathParts, platform: PathPlatform): string {
  const kept: string[] = []
  for (const name of names) {
    if (name === '..') kept.pop()
    else if (name !== '.') kept.push(name)
  }
  return joinParts({ prefix, rooted, names: kept }, platform)
}

function getNames(path: string, separators: RegExp): string[] {
  const rooted = separators.exec(path)?.index === 0
  return path.split(separators).filter((name, at) => name !== '' && (name !== '.' || (at === 0 && !rooted)))
}

// What Tauri's path commands fail with: texts that its clients get as they are.

export const pathError = (text: string): BusError => new BusError('CommandFailed', text, { data: text })

// What Tauri's path API does with the text of paths. Where Node's `path` differs, this is Tauri's way: `..` above the
// beginning is left out, and a name without a parent, an extension or a base is an error.

/** From the working directory on, each relative to what is before it. */
export const resolve = (paths: readonly string[], platform: PathPlatform, cwd: string): string =>
  normalized(pushAll([cwd, ...paths], platform), platform)

export function normalize(path: string, platform: PathPlatform): string {
  const text = normalized(splitPath(path, platform), platform)
  if (text === '' && (path === '.' || path === '..')) return path
  const slash = /[\\/]$/
  return slash.test(path) && !slash.test(text) ? (text || '.') + getSeparator(platform) : text
}

export function join(paths: readonly string[], platform: PathPlatform): string {
  const separator = getSeparator(platform)
  const path = paths.filter(part => part !== '').join(separator)
  return normalized(splitPath(path, platform), platform) || '.'
}

/** @throws BusError `CommandFailed`: `path does not have a parent` */
export function dirname(path: string, platform: PathPlatform): string {
  const parts = splitPath(path, platform)
  if (parts.names.length === 0) throw pathError('path does not have a parent')
  return joinParts({ ...parts, names: parts.names.slice(0, -1) }, platform)
}

/** @throws BusError `CommandFailed`: `path does not have a basename` */
export function basename(path: string, ext: string | undefined, platform: PathPlatform): string {
  const name = getFileName(path, platform)
  if (name === undefined) throw pathError('path does not have a basename')
  return ext !== undefined && name.endsWith(ext) ? name.slice(0, name.length - ext.length) : name
}

/** Without its dot. @throws BusError `CommandFailed`: `path does not have an extension` */
export function extname(path: string, platform: PathPlatform): string {
  const name = getFileName(path, platform) ?? ''
  const dot = name.lastIndexOf('.')
  if (dot <= 0) throw pathError('path does not have an extension')
  return name.slice(dot + 1)
}

function getFileName(path: string, platform: PathPlatform): string | undefined {
  const name = splitPath(path, platform).names.at(-1)
  return name === '.' || name === '..' ? undefined : name
}
