// Which files a worker under the permission model may read: those that it is made of. Node holds a grant against the path
// that is asked for, links and all.
import { existsSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { BusError } from '@sallyport/protocol'

/** Places that may be read whole, and single files. */
export interface ReadGrants {
  readonly folders: readonly string[]
  readonly files: readonly string[]
}

/** A module as Node loads it, by its real path: on the way there, each link would have to be granted. */
export function realModule(module: string): URL {
  const url = new URL(module)
  if (url.protocol !== 'file:') return url
  return new URL(url.search + url.hash, pathToFileURL(realpathSync(url)))
}

/** A module, by its real path: its folder, what it may import from `node_modules`, and the package.json files that Node looks into. */
export function getModuleGrants(module: URL): ReadGrants {
  if (module.protocol !== 'file:') return { folders: [], files: [] }
  const folders: string[] = []
  const files: string[] = []
  const folder = dirname(fileURLToPath(module))
  folders.push(folder)
  for (const above of upwards(folder)) {
    const packages = join(above, 'node_modules')
    if (existsSync(packages)) folders.push(...bothWays(packages))
    files.push(join(above, 'package.json'))
  }
  return { folders, files }
}

/** A file or folder, by name. Nothing yet: taken for a file. */
export function getReadGrants(place: URL): ReadGrants {
  const paths = bothWays(fileURLToPath(place).replace(/(?<=.)[\\/]$/, ''))
  const isFolder = statSync(place, { throwIfNoEntry: false })?.isDirectory() ?? false
  return isFolder ? { folders: paths, files: [] } : { folders: [], files: paths }
}

/**
 * One list without what is in another's folder. Node 20 ends the whole process over a grant of a folder beside one of all
 * that is in it.
 *
 * @throws BusError `InvalidParams` for a path with an asterisk, which Node takes for a pattern
 */
export function joinGrants(all: readonly ReadGrants[]): ReadGrants {
  const folders = outermost(new Set(all.flatMap(reads => reads.folders)))
  const files = [...new Set(all.flatMap(reads => reads.files))].filter(file => !isWithin(folders, file))
  const wild = [...folders, ...files].find(path => path.includes('*'))
  if (wild !== undefined) {
    throw new BusError('InvalidParams', `Node can’t grant reads of ${wild}: an asterisk in a path stands for anything`)
  }
  return { folders, files: files.toSorted() }
}

export function isWithin(folders: readonly string[], path: string): boolean {
  return folders.some(folder => path === folder || path.startsWith(withSlash(folder)))
}

/** As flags of Node. */
export const getFlags = ({ folders, files }: ReadGrants): string[] => [
  ...files.map(file => `--allow-fs-read=${file}`),
  ...folders.map(folder => `--allow-fs-read=${withSlash(folder)}*`),
]

const withSlash = (folder: string): string => (folder.endsWith(sep) ? folder : folder + sep)

function outermost(folders: ReadonlySet<string>): string[] {
  const all = [...folders].toSorted()
  return all.filter(folder => !all.some(other => other !== folder && isWithin([other], folder)))
}

/** As it is named, and as it really is. */
function bothWays(path: string): string[] {
  try {
    return [...new Set([path, realpathSync(path)])]
  } catch {
    return [path]
  }
}

function upwards(folder: string): string[] {
  const above = dirname(folder)
  return above === folder ? [folder] : [folder, ...upwards(above)]
}
