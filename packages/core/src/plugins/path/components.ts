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

/** Without `.` and `..`: one that leads above the beginning is left out. */
export function normalized(path: string, platform: PathPlatform): string {
  const { prefix, rooted, names } = partsOf(path, platform)
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
