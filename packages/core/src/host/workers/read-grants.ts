// Files that a worker under the permission model may read: those that it is made of. Node compares a grant with the requested path,
// without resolving links.
import { existsSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { BusError } from '@sallyport/protocol/internal'

export interface ReadGrants {
  /** Directories with all that is in them. */
  readonly directories: readonly string[]
  readonly files: readonly string[]
}

/** Returns a module's URL with its real path: otherwise each link in the path would need a grant. */
export function realModule(module: string): URL {
  const url = new URL(module)
  if (url.protocol !== 'file:') return url
  return new URL(url.search + url.hash, pathToFileURL(realpathSync(url)))
}

/** Grants a module's directory, each `node_modules` above it, and the package.json files that Node looks for. */
export function getModuleGrants(module: URL): ReadGrants {
  if (module.protocol !== 'file:') return { directories: [], files: [] }
  const directory = dirname(fileURLToPath(module))
  const directories = [directory]
  const files: string[] = []
  for (let ancestor = directory; ; ancestor = dirname(ancestor)) {
    const packages = join(ancestor, 'node_modules')
    if (existsSync(packages)) directories.push(...withRealPath(packages))
    files.push(join(ancestor, 'package.json'))
    if (dirname(ancestor) === ancestor) return { directories, files }
  }
}

/** Grants a file or directory. A missing one is taken for a file. */
export function getReadGrants(location: URL): ReadGrants {
  const paths = withRealPath(fileURLToPath(location).replace(/(?<=.)[\\/]$/, ''))
  const isDirectory = statSync(location, { throwIfNoEntry: false })?.isDirectory() ?? false
  return isDirectory ? { directories: paths, files: [] } : { directories: [], files: paths }
}

/**
 * Joins grants, without those that others contain. Node 20 ends the process if a directory is granted both itself and within another.
 *
 * @throws {BusError} InvalidParams for a path with an asterisk, which Node takes for a pattern
 */
export function joinGrants(all: readonly ReadGrants[]): ReadGrants {
  const granted = [...new Set(all.flatMap(grants => grants.directories))].toSorted()
  const directories = granted.filter(path => !granted.some(other => other !== path && isWithin([other], path)))
  const files = [...new Set(all.flatMap(grants => grants.files))].filter(file => !isWithin(directories, file))
  const wild = [...directories, ...files].find(path => path.includes('*'))
  if (wild !== undefined) {
    throw new BusError('InvalidParams', `Node can't grant reads of ${wild}: an asterisk in a path matches anything`)
  }
  return { directories, files: files.toSorted() }
}

export function isWithin(directories: readonly string[], path: string): boolean {
  return directories.some(directory => path === directory || path.startsWith(withSlash(directory)))
}

export const getFlags = ({ directories, files }: ReadGrants): string[] => [
  ...files.map(file => `--allow-fs-read=${file}`),
  ...directories.map(directory => `--allow-fs-read=${withSlash(directory)}*`),
]

const withSlash = (directory: string): string => (directory.endsWith(sep) ? directory : directory + sep)

function withRealPath(path: string): string[] {
  try {
    return [...new Set([path, realpathSync(path)])]
  } catch {
    return [path]
  }
}
