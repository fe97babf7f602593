// Reads files of capabilities and of permissions, alone or from a folder with all that are in it. What they hold is not
// looked at here.
import { BusError } from '@sallyport/protocol'
import { readdir, stat } from 'node:fs/promises'
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
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return []
      throw new BusError('InvalidParams', `createBus: ${folder} can't be read: ${cause.code}`, { cause })
    },
  )
  const paths = entries
    .filter(entry => !entry.isDirectory() && EXTENSIONS.includes(extname(entry.name)))
    .filter(({ parentPath }) => basename(parentPath) !== SCHEMAS)
    .map(({ parentPath, name }) => join(parentPath, name))
  return Promise.all(paths.toSorted().map(readSource))
}

const readSource = async (path: string): Promise<AclSource> => ({ value: await readConfigFile(path), from: path })
