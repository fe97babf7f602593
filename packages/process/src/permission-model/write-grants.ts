// Directories that a frontend may change. What is in them is as trustworthy as the frontend, so none may have code that others run.
import { realpathSync, statSync } from 'node:fs'
import { dirname, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BusError } from '@sallyport/protocol/internal/errors'
import { isWithin, joinGrants, type ReadGrants, withRealPath, withSlash } from './grants.js'
import { getHostFiles } from './package-directory.js'

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
