// Reads files of capabilities and of permissions, alone or from a folder with all that are in it. What they hold is not
// looked at here.
import { BusError } from '@sallyport/protocol'
import { readdir, realpath, stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AclSource } from '../../authority/acl.js'
import { readConfigFile } from './parse.js'

const EXTENSIONS = ['.json', '.json5', '.toml']
/** Tauri writes JSON schemas beside the files that follow them. */
const SCHEMAS = 'schemas'

/**
 * @param what the option that names it, for error texts
 * @throws BusError `InvalidParams` where there is no such file or folder, or a file can't be parsed
 */
export async function readFileOrFolder(what: string, url: URL): Promise<AclSource[]> {
  const path = fileURLToPath(url)
  const found = await stat(path).catch((cause: unknown) => {
    throw new BusError('InvalidParams', `${what}: there is no file or folder ${path}`, { cause })
  })
  if (found.isDirectory()) return readFolder(path)
  if (!EXTENSIONS.includes(extname(path))) {
    throw new BusError('InvalidParams', `${what}: ${path} is no file of ${EXTENSIONS.join(', ')}`)
  }
  return [await readSource(path)]
}

/** Every file in a folder and the folders in it, in the order of their paths; none where there is no folder. */
export async function readFolder(folder: string): Promise<AclSource[]> {
  const paths = await filesIn(folder, new Set())
  return Promise.all(paths.toSorted().map(readSource))
}

/**
 * Links are followed, as in Tauri: a capability that nobody reads would deny nothing.
 *
 * @param seen real paths of folders, so that a link to a folder above ends
 */
async function filesIn(folder: string, seen: Set<string>): Promise<string[]> {
  const real = await realpath(folder).catch(() => folder)
  if (seen.has(real)) return []
  seen.add(real)
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return []
    throw new BusError('InvalidParams', `createBus: ${folder} can't be read: ${cause.code}`, { cause })
  })
  const paths = entries.map(async (entry): Promise<string[]> => {
    const path = join(folder, entry.name)
    const isWanted = EXTENSIONS.includes(extname(path)) && basename(folder) !== SCHEMAS
    const target = entry.isSymbolicLink() ? await stat(path).catch(() => undefined) : entry
    if (target?.isDirectory()) return filesIn(path, seen)
    // A link that leads nowhere is read as well: that it can't be is then said.
    return isWanted && (target?.isFile() ?? true) ? [path] : []
  })
  return (await Promise.all(paths)).flat()
}

const readSource = async (path: string): Promise<AclSource> => ({ value: await readConfigFile(path), from: path })
