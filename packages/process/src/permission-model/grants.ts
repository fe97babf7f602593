// Files that code under Node's permission model may read: those that it is made of. Node compares a grant with the requested path,
// without resolving links.
import { existsSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { BusError } from '@sallyport/protocol/internal/errors'

/** The URL of a module, or a function that starts a worker with it in a program that bundles Sallyport. */
export type Entry = string | ((...args: never[]) => unknown)

export interface ReadGrants {
  /** Directories with all that is in them. */
  readonly directories: readonly string[]
  readonly files: readonly string[]
}

/** The permission model knows only files, and a worker under it has no loader for packages in archives. */
const PLUG_N_PLAY =
  "A frontend or gate under Node's permission model can't find its modules in the archives of Yarn's Plug'n'Play: " +
  'set `nodeLinker: node-modules` in .yarnrc.yml and install again, or use `sandbox: "none"` for a frontend that you trust'

export const getGateGrants = (entry: Entry, dir: URL | undefined): ReadGrants =>
  joinGrants([getEntryGrants(entry), ...(dir ? [getReadGrants(dir)] : [])])

/** Returns the working directory unless it is granted: the worker verifies that it cannot read there. */
export function getUnexpectedRead({ directories }: ReadGrants): string | undefined {
  const cwd = realpathSync(process.cwd())
  return isWithin(directories, cwd) ? undefined : cwd
}

const [major = 0, minor = 0, patch = 0] = process.versions.node.split('.').map(Number)

/** Where Node looks for a package, it takes a directory that is missing and not granted for a denial before 20.19.5, and before 22.13. */
const deniesMissing = (major === 20 && minor === 19 && patch < 5) || (major === 22 && minor < 13)

const entryGrants = new Map<string, ReadGrants>()

/** Grants the package of an entry, and the protocol, which each of them imports. They don't move while the process runs. */
export function getEntryGrants(entry: Entry): ReadGrants {
  // A bundler puts the entry into the directory of this file.
  if (typeof entry === 'function') return getModuleGrants(new URL(import.meta.url))
  if ('pnp' in process.versions) throw new BusError('InvalidParams', PLUG_N_PLAY)
  let grants = entryGrants.get(entry)
  if (!grants) {
    const protocol = new URL(import.meta.resolve('@sallyport/protocol/internal/wire'))
    grants = joinGrants([new URL(entry), protocol].map(getModuleGrants))
    entryGrants.set(entry, grants)
  }
  return grants
}

/**
 * Returns a module's URL with its real path: otherwise each link in the path would need a grant.
 *
 * @param hasFile - false if only the directory exists
 */
export function realModule(module: string, hasFile = true): URL {
  const url = new URL(module)
  if (url.protocol !== 'file:') return url
  if (!hasFile)
    return new URL(module.slice(module.lastIndexOf('/') + 1), toDirectoryUrl(realpathSync(new URL('.', url))))
  return new URL(url.search + url.hash, pathToFileURL(realpathSync(url)))
}

const toDirectoryUrl = (path: string): URL => pathToFileURL(withSlash(path))

/** Grants a module's directory, each `node_modules` above it, and the package.json files that Node looks for. */
export function getModuleGrants(module: URL): ReadGrants {
  if (module.protocol !== 'file:') return { directories: [], files: [] }
  const directory = dirname(fileURLToPath(module))
  const directories = [directory]
  const files: string[] = []
  for (let ancestor = directory; ; ancestor = dirname(ancestor)) {
    const packages = join(ancestor, 'node_modules')
    if (deniesMissing || existsSync(packages)) directories.push(...withRealPath(packages))
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

export const getReadFlags = ({ directories, files }: ReadGrants): string[] => [
  ...files.map(file => `--allow-fs-read=${file}`),
  ...directories.map(directory => `--allow-fs-read=${withSlash(directory)}*`),
]

export const withSlash = (directory: string): string => (directory.endsWith(sep) ? directory : directory + sep)

export function withRealPath(path: string): string[] {
  try {
    return [...new Set([path, realpathSync(path)])]
  } catch {
    return [path]
  }
}
