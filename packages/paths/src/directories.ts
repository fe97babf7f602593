// Finds Tauri's base directories by the rules of Rust's `dirs` and of Tauri, and resolves paths for handlers and scopes: below a base
// directory, or with a variable (`$APPDATA/notes`).
import { readFileSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { isAbsolute as isAbsoluteHere, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BusError } from '@sallyport/protocol/internal/errors'
import { isAbsolute, joinBelow, joinParts, createPathError, type PathPlatform, push, splitPath } from './components.js'

/** Tauri's base directories by name, with numbers as in `@tauri-apps/api/path`. */
export const BaseDirectory = {
  Audio: 1,
  Cache: 2,
  Config: 3,
  Data: 4,
  LocalData: 5,
  Document: 6,
  Download: 7,
  Picture: 8,
  Public: 9,
  Video: 10,
  Resource: 11,
  Temp: 12,
  AppConfig: 13,
  AppData: 14,
  AppLocalData: 15,
  AppCache: 16,
  AppLog: 17,
  Desktop: 18,
  Executable: 19,
  Font: 20,
  Home: 21,
  Runtime: 22,
  Template: 23,
} as const

/** The number of a directory, as in Tauri. */
export type BaseDirectory = (typeof BaseDirectory)[keyof typeof BaseDirectory]
export type DirectoryName = keyof typeof BaseDirectory

/** Directories and paths, as in Tauri's path API. */
export interface PathResolver {
  /**
   * Returns `path` within a base directory. A `Resource` path that leads out of it, or is absolute, is mapped into it, as
   * Tauri's bundler places it; any other absolute path is returned as it is.
   *
   * @param directory one of `BaseDirectory`, as `@tauri-apps/api` numbers them; numbers from a frontend are checked
   * @throws {BusError} InvalidParams if the number is unknown; CommandFailed, `unknown path`, if this platform has no such directory
   */
  resolve(directory: number, path?: string): string
  /** Returns the path with its variable replaced: `$HOME/x`, `$APPDATA/notes`. Drops every `..`. @throws like `resolve` */
  parse(path: string): string
}

const NAMES = new Map<unknown, DirectoryName>(
  Object.entries(BaseDirectory).map(([name, number]) => [number, name as DirectoryName]),
)

/** `$APPDATA` → `AppData`; `$EXE` is short for Executable. */
const VARIABLES = new Map<string, DirectoryName>(
  [...NAMES.values()].map(name => [`$${name === 'Executable' ? 'EXE' : name.toUpperCase()}`, name]),
)

/** Returns the name of a directory's number, as Tauri's core does, or `undefined`. */
export const getDirectoryName = (number: unknown): DirectoryName | undefined => NAMES.get(number)

export function createPathResolver(environment: PathEnvironment): PathResolver {
  const platform = toPathPlatform(environment.platform)
  const base = (name: DirectoryName): string => {
    if (name.startsWith('App') && environment.identifier === '') {
      throw new BusError('InternalError', `${name} is named after the program: the bus needs an \`identifier\``)
    }
    const found = getDirectory(name, environment)
    if (found === undefined) throw createPathError('unknown path')
    return found
  }
  return {
    resolve(directory, path) {
      const name = getDirectoryName(directory)
      // A frontend chooses it: an object could throw when it is made text.
      const given = typeof directory === 'object' ? 'of this kind' : String(directory)
      if (!name) throw new BusError('InvalidParams', `There is no base directory ${given}`)
      const found = base(name)
      if (path === undefined) return found
      return name === 'Resource' ? joinBelow(found, getResourceParts(path), platform) : push(found, path, platform)
    },
    parse(path) {
      const { prefix, rooted, names } = splitPath(path, platform)
      const free = prefix === '' && !rooted
      const kept = names.filter((name, at) => name !== '..' || (at === 0 && free))
      const variable = free ? VARIABLES.get(names[0] ?? '') : undefined
      if (!variable) return joinParts({ prefix, rooted, names: kept }, platform)
      return joinBelow(base(variable), kept.slice(1), platform)
    },
  }

  /** Maps a resource from elsewhere as Tauri's bundler does. */
  function getResourceParts(path: string): readonly string[] {
    const { rooted, names } = splitPath(path, platform)
    const placed = names.filter(name => name !== '.').map(name => (name === '..' ? '_up_' : name))
    return rooted ? ['_root_', ...placed] : placed
  }
}

/** Returns the home directory of the user, also if `HOME` is empty or relative. @throws {Error} for a user who is not known to the system */
export function getHomeDirectory(): string {
  const home = homedir()
  return isAbsoluteHere(home) ? home : userInfo().homedir
}

/** Reads the environment of this process. @param resources the URL of the directory of resources */
export function readPathEnvironment(identifier: string, resources: string | undefined): PathEnvironment {
  const { platform, env } = process
  return {
    platform: platform === 'darwin' || platform === 'win32' ? platform : 'linux',
    env,
    // Read on demand: few hosts need it.
    get home() {
      try {
        return getHomeDirectory()
      } catch {
        return undefined // A user of a container need not be in `/etc/passwd`.
      }
    },
    identifier,
    resources: resources && resolve(fileURLToPath(resources)),
    userDirs(config) {
      try {
        return readFileSync(join(config, 'user-dirs.dirs'), 'utf8')
      } catch {
        return undefined
      }
    },
  }
}

/** Everything that the result depends on. */
export interface PathEnvironment {
  readonly platform: 'linux' | 'darwin' | 'win32'
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string | undefined
  /** `com.example.app`, the name of the program's own directories. */
  readonly identifier: string
  /** The option `resources`. It has no default: any directory of the program has code in it, or next to it. */
  readonly resources: string | undefined
  /** Linux: returns the content of `user-dirs.dirs`, which xdg-user-dirs keeps in the configuration directory. */
  userDirs(config: string): string | undefined
}

export const toPathPlatform = (platform: PathEnvironment['platform']): PathPlatform =>
  platform === 'win32' ? 'win32' : 'posix'

interface Place {
  /** Linux: the variable of an XDG base directory, and its default path below the home directory. */
  readonly xdg?: readonly [variable: string, path: string]
  /** Linux: the variable of xdg-user-dirs. */
  readonly user?: string
  /** The path below the home directory. */
  readonly darwin?: string
  /** The default path below the home directory. Node has no API for locations that a user has changed. */
  readonly win32?: string
}

const PLACES: Partial<Record<DirectoryName, Place>> = {
  Audio: { user: 'MUSIC', darwin: 'Music', win32: 'Music' },
  Cache: { xdg: ['XDG_CACHE_HOME', '.cache'], darwin: 'Library/Caches' },
  Config: { xdg: ['XDG_CONFIG_HOME', '.config'], darwin: 'Library/Application Support' },
  Data: { xdg: ['XDG_DATA_HOME', '.local/share'], darwin: 'Library/Application Support' },
  LocalData: { xdg: ['XDG_DATA_HOME', '.local/share'], darwin: 'Library/Application Support' },
  Document: { user: 'DOCUMENTS', darwin: 'Documents', win32: 'Documents' },
  Download: { user: 'DOWNLOAD', darwin: 'Downloads', win32: 'Downloads' },
  Picture: { user: 'PICTURES', darwin: 'Pictures', win32: 'Pictures' },
  Public: { user: 'PUBLICSHARE', darwin: 'Public' },
  Video: { user: 'VIDEOS', darwin: 'Movies', win32: 'Videos' },
  Desktop: { user: 'DESKTOP', darwin: 'Desktop', win32: 'Desktop' },
  Executable: { xdg: ['XDG_BIN_HOME', '.local/bin'] },
  Font: { darwin: 'Library/Fonts' },
  Template: { user: 'TEMPLATES' },
}

/** Directories of the program, each named after it within a directory of the user. */
const APP_DIRECTORIES: Partial<Record<DirectoryName, DirectoryName>> = {
  AppConfig: 'Config',
  AppData: 'Data',
  AppLocalData: 'LocalData',
  AppCache: 'Cache',
}

/** Returns `undefined` if the platform has no such directory. */
export function getDirectory(name: DirectoryName, environment: PathEnvironment): string | undefined {
  const { platform, env, identifier } = environment
  const at = (base: string | undefined, path: string | undefined): string | undefined =>
    pushTo(base, path, toPathPlatform(platform))
  if (name === 'Home') return environment.home
  if (name === 'Resource') return environment.resources
  if (name === 'Temp') {
    return platform === 'win32' ? (env['TMP'] ?? env['TEMP'] ?? env['USERPROFILE']) : env['TMPDIR'] || '/tmp'
  }
  if (name === 'AppLog') {
    if (platform === 'darwin') return at(at(environment.home, 'Library/Logs'), identifier)
    return at(at(getDirectory('LocalData', environment), identifier), 'logs')
  }
  const userDirectory = APP_DIRECTORIES[name]
  if (userDirectory) return at(getDirectory(userDirectory, environment), identifier)
  const { xdg, user, darwin, win32 } = PLACES[name] ?? {}
  if (platform === 'darwin') return at(environment.home, darwin)
  if (platform === 'win32') return getWindowsDirectory(name, environment) ?? at(environment.home, win32)
  if (name === 'Runtime') return getAbsolute(env['XDG_RUNTIME_DIR'])
  if (name === 'Font') return at(getDirectory('Data', environment), 'fonts')
  if (xdg) return getAbsolute(env[xdg[0]]) ?? at(environment.home, xdg[1])
  const config = user && getDirectory('Config', environment)
  return config && readUserDirectory(user, environment.userDirs(config), environment.home)
}

const pushTo = (
  base: string | undefined,
  path: string | undefined,
  platform: Parameters<typeof push>[2],
): string | undefined => (base === undefined || path === undefined ? undefined : push(base, path, platform))

/** Returns a directory that Windows names in a variable, or that is within one of those. */
function getWindowsDirectory(name: DirectoryName, { env, home }: PathEnvironment): string | undefined {
  const roaming = env['APPDATA'] || pushTo(home, 'AppData\\Roaming', 'win32')
  if (name === 'Config' || name === 'Data') return roaming
  if (name === 'Cache' || name === 'LocalData') return env['LOCALAPPDATA'] || pushTo(home, 'AppData\\Local', 'win32')
  if (name === 'Public') return env['PUBLIC'] || 'C:\\Users\\Public'
  return name === 'Template' ? pushTo(roaming, 'Microsoft\\Windows\\Templates', 'win32') : undefined
}

/** XDG ignores relative paths. */
const getAbsolute = (path: string | undefined): string | undefined =>
  path !== undefined && isAbsolute(path, 'posix') ? path : undefined

/** Reads `XDG_MUSIC_DIR="$HOME/Music"`. A value equal to the home directory means that there is no such directory. */
function readUserDirectory(name: string, text: string | undefined, home: string | undefined): string | undefined {
  const line = new RegExp(`^\\s*XDG_${name}_DIR\\s*=\\s*"(.*)"\\s*$`, 'm').exec(text ?? '')
  const value = line?.[1]?.replaceAll(/\\(.)/g, '$1')
  if (value === undefined || value === '$HOME/' || value === '$HOME') return undefined
  if (value.startsWith('$HOME/')) return pushTo(home, value.slice('$HOME/'.length), 'posix')
  return value.startsWith('/') ? value : undefined
}
