// Files that code under Node's permission model may read, and directories that it may change. Node compares a grant with the requested path,
// without resolving links.
import { existsSync, lstatSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { homedir, tmpdir, userInfo } from 'node:os'
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { BusError } from '@sallyport/protocol/internal/errors'
import { decodeText, parseJson } from '@sallyport/protocol/internal/util'

/** The URL of a module, or a function that starts a worker with it in a program that bundles Sallyport. */
export type Entry = string | ((...args: never[]) => unknown)

export interface ReadGrants {
  /** Directories with all that is in them. */
  readonly directories: readonly string[]
  readonly files: readonly string[]
}

/** The permission model knows only files, and a worker under it has no loader for packages in archives. */
const PLUG_N_PLAY =
  "A frontend or gate under Node's permission model cannot find its modules in the archives of Yarn's Plug'n'Play: " +
  'set `nodeLinker: node-modules` in .yarnrc.yml and install again, or use `sandbox: "none"` for a frontend that you trust'

export const getGateGrants = (entry: Entry, dir: URL | undefined): ReadGrants =>
  joinGrants([getEntryGrants(entry), ...(dir ? [getReadGrants(dir)] : [])])

/** Returns the working directory unless it is granted: the worker verifies that it cannot read there. */
export function getUnexpectedRead({ directories }: ReadGrants): string | undefined {
  const [cwd] = listRealPaths([() => process.cwd()])
  return cwd === undefined || isWithin(directories, cwd) ? undefined : cwd
}

const [major = 0, minor = 0, patch = 0] = process.versions.node.split('.').map(Number)

/** Where Node looks for a package, it takes a directory that is missing and not granted for a denial before 20.19.5, and before 22.13. */
export const deniesMissing: boolean = (major === 20 && minor === 19 && patch < 5) || (major === 22 && minor < 13)

const entryGrants = new Map<string, ReadGrants>()

/** Grants the package of an entry, and the protocol, which most of them import. They don't move while the process runs. */
export function getEntryGrants(entry: Entry): ReadGrants {
  // A bundler puts the entry into the directory of this file.
  if (typeof entry === 'function') return getModuleGrants(new URL(import.meta.url))
  if ('pnp' in process.versions) throw new BusError('InvalidParams', PLUG_N_PLAY)
  let grants = entryGrants.get(entry)
  if (!grants) {
    const protocol = new URL(import.meta.resolve('@sallyport/protocol/internal/wire'))
    grants = joinGrants([new URL(entry), protocol].map(module => getModuleGrants(module)))
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

/**
 * Grants a module's directory, each `node_modules` above it, and the package.json files that Node looks for. Without what is a link: above a plugin can be
 * the rest of its repository, whose author could name any file `package.json`.
 */
export function getModuleGrants(module: URL): ReadGrants {
  if (module.protocol !== 'file:') return { directories: [], files: [] }
  const directory = dirname(fileURLToPath(module))
  const directories = [directory]
  const files: string[] = []
  for (let ancestor = directory; ; ancestor = dirname(ancestor)) {
    const isGranted = (path: string): boolean => !isLink(path) || hasHost(ancestor)
    const [packages, manifest] = [join(ancestor, 'node_modules'), join(ancestor, 'package.json')]
    if (isGranted(packages) && (deniesMissing || existsSync(packages))) directories.push(...withRealPath(packages))
    if (isGranted(manifest)) files.push(manifest)
    if (dirname(ancestor) === ancestor) return { directories, files }
  }
}

const isLink = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true

/** True for a directory that contains the host's program or this package: its links are those of the host's user. */
export const hasHost = (directory: string): boolean =>
  listRealPaths([() => process.argv[1], getOwnFile]).some(file => isWithin([directory], file))

const getOwnFile = (): string => fileURLToPath(import.meta.url)

/** Grants a file or directory. A missing one is taken for a file. */
export function getReadGrants(location: URL): ReadGrants {
  const paths = withRealPath(fileURLToPath(location).replace(/(?<=.)[\\/]$/, ''))
  const isDirectory = statSync(location, { throwIfNoEntry: false })?.isDirectory() ?? false
  return isDirectory ? { directories: paths, files: [] } : { directories: [], files: paths }
}

/** @throws {BusError} InvalidParams for what does not exist: it would be taken for a file, also once it is a directory */
export function checkReads(place: string, locations: readonly URL[]): void {
  const missing = locations.map(location => fileURLToPath(location)).find(path => !existsSync(path))
  if (missing === undefined) return
  const rule = `${place}.read must list files and directories that exist: ${JSON.stringify(missing)} cannot be read`
  throw new BusError('InvalidParams', `${rule}. Make it before the frontend starts`)
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
    throw new BusError('InvalidParams', `Node cannot grant reads of ${wild}: an asterisk in a path matches anything`)
  }
  return { directories, files: files.toSorted() }
}

export function isWithin(directories: readonly string[], path: string): boolean {
  return directories.some(directory => path === directory || path.startsWith(withSlash(directory)))
}

const withSlash = (directory: string): string => (directory.endsWith(sep) ? directory : directory + sep)

export function withRealPath(path: string): string[] {
  try {
    return [...new Set([path, realpathSync(path)])]
  } catch {
    return [path]
  }
}

/** Directories below a package that have the module's code. */
const CODE_DIRECTORY = /^(?:build|cjs|dist|esm|lib|out|src)$/

/**
 * Returns the directory of the nearest `package.json` above a module, or the module's own directory.
 *
 * What is in a directory above was not written by the plugin's author unless it is the same package: a plugin without a
 * `package.json` must not get the files of the application that contains it, or those of its neighbors. So the `package.json`
 * counts only if it names the module, or if the module is in a directory with a usual name for code. It never counts if its
 * directory contains the host.
 *
 * @param path - the real path of the module
 * @param hostFiles - files and directories of the host
 */
export function getPackageDirectory(path: string, hostFiles: readonly string[]): string {
  const directory = dirname(path)
  let root = directory
  while (!existsSync(join(root, 'package.json'))) {
    const parent = dirname(root)
    if (parent === root || basename(root) === 'node_modules') return directory
    root = parent
  }
  const place = relative(root, directory)
  if (place === '') return directory
  if (!place.split(sep).every(name => CODE_DIRECTORY.test(name)) && !namesModule(root, path)) return directory
  return [...hostFiles, ...getHostFiles()].some(file => isWithin([root], file)) ? directory : root
}

/** True if one of the entries of a package is the module. */
function namesModule(root: string, path: string): boolean {
  const module = relative(root, path).replaceAll(sep, '/')
  const isModule = (value: unknown): boolean => {
    if (typeof value === 'string') return value.replace(/^\.\//, '') === module
    return typeof value === 'object' && value !== null && Object.values(value).some(isModule)
  }
  const { main, module: esm, exports, bin } = readManifest(root)
  return [main, esm, exports, bin].some(isModule)
}

/** Returns what is in the `package.json` of a directory: nothing if it cannot be read. */
export function readManifest(directory: string): Readonly<Record<string, unknown>> {
  try {
    return Object(parseJson(decodeText(readFileSync(join(directory, 'package.json')))))
  } catch {
    return {}
  }
}

/** Returns the paths that show where the host is: its program, its working directory, this package; and directories of the user. */
function getHostFiles(): string[] {
  const home = (): string => (isAbsolute(homedir()) ? homedir() : userInfo().homedir)
  return listRealPaths([() => process.argv[1], () => process.cwd(), getOwnFile, home, tmpdir])
}

/** Without those that do not exist: a working directory can be removed. */
export const listRealPaths = (paths: readonly (() => string | undefined)[]): string[] =>
  paths.flatMap(getPath => {
    try {
      const path = getPath()
      return path === undefined ? [] : [realpathSync(path)]
    } catch {
      return []
    }
  })

export interface WriteGrants {
  /** Real paths. */
  readonly directories: readonly string[]
  /** The same directories, with the paths by which they were named. */
  readonly paths: readonly string[]
}

/** The kernel's interfaces: files there are no files. */
export const KERNEL_DIRECTORIES: readonly string[] = ['/proc', '/sys', '/dev']
/** Programs, libraries and settings that every process of the machine loads, the wall's own too. */
const SYSTEM_DIRECTORIES = ['/bin', '/sbin', '/lib', '/lib64', '/usr', '/etc', '/boot']

/** Returns the directories of the code of host, relay and frontend. */
function getOwnDirectories(modules: readonly string[]): string[] {
  const own = [import.meta.url, import.meta.resolve('@sallyport/protocol/internal/wire')]
  return [...own, ...modules].flatMap(module => withRealPath(dirname(fileURLToPath(module))))
}

/**
 * Verifies the directories, each time a frontend starts: another one could have replaced a directory by a link meanwhile.
 *
 * @param place - the place of the sandbox, for error texts
 * @param modules - the modules of host and frontend
 * @param reads - what the frontend reads besides: its own code, Sallyport's packages, and the option `read`
 * @throws {BusError} InvalidParams
 */
export function getWriteGrants(
  place: string,
  locations: readonly URL[],
  modules: readonly string[],
  reads: ReadGrants = { directories: [], files: [] },
): WriteGrants {
  if (locations.length === 0) return { directories: [], paths: [] }
  const own = getOwnDirectories(modules)
  const paths = locations.flatMap(location => {
    const path = fileURLToPath(location).replace(/(?<=.)[\\/]+$/, '')
    const real = getDirectory(place, path)
    const refuse = (text: string): BusError =>
      new BusError('InvalidParams', `${place}.write must not contain ${JSON.stringify(path)}: ${text}`)
    const foreign = [...SYSTEM_DIRECTORIES, ...KERNEL_DIRECTORIES, ...own]
    if (real.split(sep).includes('node_modules') || isWithin(foreign, real)) {
      throw refuse('it belongs to the system or to installed packages. Make a directory for the frontend elsewhere')
    }
    const code = [...getHostFiles(), ...own, ...withRealPath(process.execPath)].find(file => isWithin([real], file))
    if (code !== undefined) throw refuse(`the host uses ${code}. Make a directory below it for the frontend`)
    const read = [...reads.directories, ...reads.files].find(file => isWithin([real], file) && exists(file))
    if (read !== undefined) {
      throw refuse(`the frontend could change ${read}, which it reads. Move one of them, or leave it out of "read"`)
    }
    return withRealPath(path)
  })
  const joined = joinGrants([{ directories: paths, files: [] }]).directories
  return { paths: joined, directories: [...new Set(joined.map(path => realpathSync(path)))] }
}

/** Node compares a grant with the requested path. */
export const getWriteFlags = ({ paths }: WriteGrants): string[] =>
  paths.map(path => `--allow-fs-write=${withSlash(path)}*`)

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined

/** Returns its real path. @throws {BusError} InvalidParams */
function getDirectory(place: string, path: string): string {
  const rule = `${place}.write must list directories that exist: ${JSON.stringify(path)}`
  try {
    if (statSync(path).isDirectory()) return realpathSync(path)
  } catch (cause) {
    throw new BusError('InvalidParams', `${rule} cannot be read. Make it before the frontend starts`, { cause })
  }
  throw new BusError('InvalidParams', `${rule} is a file. List its directory`)
}
