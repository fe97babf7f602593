// Paths taken apart by the rules of Rust's `std::path`, which Tauri's answers follow, for any platform on any platform.

export type PathPlatform = 'posix' | 'win32'

export interface PathParts {
  /** Windows: `C:` or `\\server\share`; else nothing. */
  readonly prefix: string
  /** It begins at a root. */
  readonly rooted: boolean
  /** Names, and `..`; a `.` only as the first. */
  readonly names: readonly string[]
}

export const separatorOf = (platform: PathPlatform): string => (platform === 'win32' ? '\\' : '/')

/** Verbatim paths (`\\?\C:\x`) are taken as what they stand for, as Tauri shows them. */
export function partsOf(path: string, platform: PathPlatform): PathParts {
  if (platform === 'posix') return { prefix: '', rooted: path.startsWith('/'), names: namesOf(path, /\/+/) }
  const plain = path.replace(/^\\\\\?\\UNC\\/, '\\\\').replace(/^\\\\\?\\(?=[a-z]:)/i, '')
  const prefix = /^(?:[a-z]:|[\\/]{2}[^\\/]+[\\/]+[^\\/]+)/i.exec(plain)?.[0] ?? ''
  const rest = plain.slice(prefix.length)
  // A share is a root by itself.
  const rooted = /^[\\/]/.test(rest) || prefix.length > 2
  return { prefix: prefix.replaceAll('/', '\\'), rooted, names: namesOf(rest, /[\\/]+/) }
}

export function textOf({ prefix, rooted, names }: PathParts, platform: PathPlatform): string {
  const separator = separatorOf(platform)
  return prefix + (rooted ? separator : '') + names.join(separator)
}

export const isAbsolute = (path: string, platform: PathPlatform): boolean => {
  const { prefix, rooted } = partsOf(path, platform)
  return rooted && (platform === 'posix' || prefix !== '')
}

/** `PathBuf::push`: an absolute path takes the place of what was there. */
export function push(base: string, path: string, platform: PathPlatform): string {
  const { prefix, rooted } = partsOf(path, platform)
  if (prefix !== '' || (rooted && platform === 'posix')) return path
  if (rooted) return partsOf(base, platform).prefix + path
  const ends = platform === 'win32' ? /(^|[\\/]|^[a-z]:)$/i : /(^|\/)$/
  return base + (ends.test(base) ? '' : separatorOf(platform)) + path
}

/** `names` below `base`, whatever they are: none of them leads elsewhere. */
export function below(base: string, names: readonly string[], platform: PathPlatform): string {
  if (names.length === 0) return base
  const separator = separatorOf(platform)
  return base + (base === '' || base.endsWith(separator) ? '' : separator) + names.join(separator)
}

/** One path after the other, each relative to those before it: what `push` gives for each in turn. */
export function pushAll(paths: readonly string[], platform: PathPlatform): PathParts {
  let [prefix, rooted]: [string, boolean] = ['', false]
  let names: string[] = []
  for (const path of paths) {
    const parts = partsOf(path, platform)
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
export function normalized({ prefix, rooted, names }: PathParts, platform: PathPlatform): string {
  const kept: string[] = []
  for (const name of names) {
    if (name === '..') kept.pop()
    else if (name !== '.') kept.push(name)
  }
  return textOf({ prefix, rooted, names: kept }, platform)
}

function namesOf(path: string, separators: RegExp): string[] {
  const rooted = separators.exec(path)?.index === 0
  return path.split(separators).filter((name, at) => name !== '' && (name !== '.' || (at === 0 && !rooted)))
}
