// Finds Tauri's base directories by the rules of Rust's `dirs` and of Tauri, as a pure function of the platform,
// its environment and the program.
import { isAbsolute, type PathPlatform, push } from './components.js'

/** Everything that the result depends on. */
export interface Surroundings {
  readonly platform: 'linux' | 'darwin' | 'win32'
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  /** `com.example.app`, the name of the program's own directories. */
  readonly identifier: string
  /** The directory of the core module, or `undefined` if the module is not a file. */
  readonly resources: string | undefined
  /** Linux: returns the content of `user-dirs.dirs`, which xdg-user-dirs keeps in the configuration directory. */
  userDirs(config: string): string | undefined
}

export const textPlatform = (platform: Surroundings['platform']): PathPlatform =>
  platform === 'win32' ? 'win32' : 'posix'

/** Returns `undefined` if the platform has no such directory. */
export function getDirectory(name: DirectoryName, around: Surroundings): string | undefined {
  const { platform, env, identifier, resources } = around
  const at = (base: string | undefined, path: string): string | undefined =>
    base === undefined ? undefined : push(base, path, textPlatform(platform))
  if (name === 'Resource') return resources
  if (name === 'Temp') {
    return platform === 'win32' ? (env['TMP'] ?? env['TEMP'] ?? env['USERPROFILE']) : env['TMPDIR'] || '/tmp'
  }
  if (name === 'AppLog') {
    if (platform === 'darwin') return at(at(around.home, 'Library/Logs'), identifier)
    return at(at(getDirectory('LocalData', around), identifier), 'logs')
  }
  const general = OF_THE_APP[name]
  if (general) return at(getDirectory(general, around), identifier)
  return DIRECTORIES[platform](name, around)
}

const OF_THE_APP: Partial<Record<DirectoryName, DirectoryName>> = {
  AppConfig: 'Config',
  AppData: 'Data',
  AppLocalData: 'LocalData',
  AppCache: 'Cache',
}

type Directories = (name: DirectoryName, around: Surroundings) => string | undefined

const MACOS: Partial<Record<DirectoryName, string>> = {
  Audio: 'Music',
  Cache: 'Library/Caches',
  Config: 'Library/Application Support',
  Data: 'Library/Application Support',
  LocalData: 'Library/Application Support',
  Document: 'Documents',
  Download: 'Downloads',
  Picture: 'Pictures',
  Public: 'Public',
  Video: 'Movies',
  Desktop: 'Desktop',
  Font: 'Library/Fonts',
}

/** Default locations of Windows' user directories. Node has no API for locations that a user has changed. */
const WINDOWS: Partial<Record<DirectoryName, string>> = {
  Audio: 'Music',
  Document: 'Documents',
  Download: 'Downloads',
  Picture: 'Pictures',
  Video: 'Videos',
  Desktop: 'Desktop',
}

/** XDG base directories: the variable, and the default path. */
const XDG: Partial<Record<DirectoryName, readonly [variable: string, path: string]>> = {
  Cache: ['XDG_CACHE_HOME', '.cache'],
  Config: ['XDG_CONFIG_HOME', '.config'],
  Data: ['XDG_DATA_HOME', '.local/share'],
  LocalData: ['XDG_DATA_HOME', '.local/share'],
  Executable: ['XDG_BIN_HOME', '.local/bin'],
}

/** Variables of xdg-user-dirs. */
const XDG_USER: Partial<Record<DirectoryName, string>> = {
  Audio: 'MUSIC',
  Document: 'DOCUMENTS',
  Download: 'DOWNLOAD',
  Picture: 'PICTURES',
  Public: 'PUBLICSHARE',
  Video: 'VIDEOS',
  Desktop: 'DESKTOP',
  Template: 'TEMPLATES',
}

const DIRECTORIES: Record<Surroundings['platform'], Directories> = {
  linux(name, around) {
    const { env, home } = around
    const absolute = (path: string | undefined): string | undefined =>
      path !== undefined && isAbsolute(path, 'posix') ? path : undefined
    if (name === 'Home') return home
    if (name === 'Runtime') return absolute(env['XDG_RUNTIME_DIR'])
    if (name === 'Font') return push(DIRECTORIES.linux('Data', around)!, 'fonts', 'posix')
    const base = XDG[name]
    if (base) return absolute(env[base[0]]) ?? push(home, base[1], 'posix')
    const user = XDG_USER[name]
    return user && userDirectory(user, around.userDirs(DIRECTORIES.linux('Config', around)!), home)
  },
  darwin(name, { home }) {
    if (name === 'Home') return home
    const path = MACOS[name]
    return path && push(home, path, 'posix')
  },
  win32(name, { env, home }) {
    const at = (path: string): string => push(home, path, 'win32')
    const roaming = env['APPDATA'] || at('AppData\\Roaming')
    if (name === 'Home') return home
    if (name === 'Config' || name === 'Data') return roaming
    if (name === 'Cache' || name === 'LocalData') return env['LOCALAPPDATA'] || at('AppData\\Local')
    if (name === 'Public') return env['PUBLIC'] || 'C:\\Users\\Public'
    if (name === 'Template') return push(roaming, 'Microsoft\\Windows\\Templates', 'win32')
    const path = WINDOWS[name]
    return path && at(path)
  },
}

/**
 * Reads `XDG_MUSIC_DIR="$HOME/Music"`. A value equal to the home directory means that there is no such
 * directory.
 */
function userDirectory(name: string, text: string | undefined, home: string): string | undefined {
  const line = new RegExp(`^\\s*XDG_${name}_DIR\\s*=\\s*"(.*)"\\s*$`, 'm').exec(text ?? '')
  const value = line?.[1]?.replaceAll(/\\(.)/g, '$1')
  if (value === undefined || value === '$HOME/' || value === '$HOME') return undefined
  if (value.startsWith('$HOME/')) return push(home, value.slice('$HOME/'.length), 'posix')
  return value.startsWith('/') ? value : undefined
}

// Tauri's base directories by name and number.

/** Numbers as in `@tauri-apps/api/path`. */
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
