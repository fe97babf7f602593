// Resolves paths for handlers and scopes: below a base directory, or with a variable (`$APPDATA/notes`).
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BusError } from '@sallyport/protocol/internal'
import { below, splitPath, pathError, push, joinParts } from './components.js'
import { BaseDirectory, type DirectoryName, getDirectory, type Surroundings, textPlatform } from './directories.js'

/** Directories and paths, as in Tauri's path API. */
export interface PathResolver {
  /**
   * Returns `path` within a base directory. A `Resource` path that leads out of it, or is absolute, is mapped into it, as
   * Tauri's bundler places it; any other absolute path is returned as it is.
   *
   * @param directory one of `BaseDirectory`, as `@tauri-apps/api` numbers them; numbers from a frontend are checked
   * @throws {BusError} InvalidParams if the number is unknown; CommandFailed, `unknown path`, if this platform has no such
   * directory
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
export const directoryName = (number: unknown): DirectoryName | undefined => NAMES.get(number)

export function createPathResolver(around: Surroundings): PathResolver {
  const platform = textPlatform(around.platform)
  const base = (name: DirectoryName): string => {
    if (name.startsWith('App') && around.identifier === '') {
      throw new BusError('InternalError', `${name} is named after the program: the bus needs an \`identifier\``)
    }
    const found = getDirectory(name, around)
    if (found === undefined) throw pathError('unknown path')
    return found
  }
  return {
    resolve(directory, path) {
      const name = directoryName(directory)
      if (!name) throw new BusError('InvalidParams', `There is no base directory ${String(directory)}`)
      const found = base(name)
      if (path === undefined) return found
      return name === 'Resource' ? below(found, placeOfResource(path), platform) : push(found, path, platform)
    },
    parse(path) {
      const { prefix, rooted, names } = splitPath(path, platform)
      const free = prefix === '' && !rooted
      const kept = names.filter((name, at) => name !== '..' || (at === 0 && free))
      const variable = free ? VARIABLES.get(names[0] ?? '') : undefined
      if (!variable) return joinParts({ prefix, rooted, names: kept }, platform)
      return below(base(variable), kept.slice(1), platform)
    },
  }

  /** Maps a resource from elsewhere as Tauri's bundler does. */
  function placeOfResource(path: string): readonly string[] {
    const { rooted, names } = splitPath(path, platform)
    const placed = names.filter(name => name !== '.').map(name => (name === '..' ? '_up_' : name))
    return rooted ? ['_root_', ...placed] : placed
  }
}

/** Reads the surroundings of this process. @param module the core module's URL */
export function surroundingsHere(identifier: string, module: string | undefined): Surroundings {
  const { platform, env } = process
  return {
    platform: platform === 'darwin' || platform === 'win32' ? platform : 'linux',
    env,
    // Read on demand: a system without a home directory can run a bus.
    get home() {
      return homedir()
    },
    identifier,
    resources: module?.startsWith('file:') ? dirname(fileURLToPath(module)) : undefined,
    userDirs(config) {
      try {
        return readFileSync(join(config, 'user-dirs.dirs'), 'utf8')
      } catch {
        return undefined
      }
    },
  }
}
