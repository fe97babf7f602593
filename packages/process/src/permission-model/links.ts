// Links below the directories of a grant. Node and Deno compare a grant with the path that is asked for, and then follow its links: one that leads
// out would open what nobody granted. So each link that is there at a start, and leads out, is left out of the grants.
import { type Dirent, existsSync, opendirSync, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deniesMissing, hasHost, isWithin, type ReadGrants, readManifest, type WriteGrants } from './grants.js'

export interface Link {
  readonly path: string
  /** Where it leads: a real path, also if nothing is there. */
  readonly target: string
}

/** Returns the links that lead out of all grants, and those to a directory that contains such a link. */
export function findOutwardLinks({ directories, files }: ReadGrants): Link[] {
  const granted = [...directories, ...files]
  if (granted.includes('/')) return []
  const installation = listInstallation()
  const isLeadingOut = ({ target }: Link): boolean =>
    !isWithin(granted, target) && !(isWithin(installation, target) && isOwnPackage(target))
  return withThoseAbove(directories.flatMap(listLinks), isLeadingOut)
}

/**
 * Returns a link in directories to write by which code could change something else: one that leads elsewhere, if only to what may be read, or that does once it
 * is moved. Where Node or Deno decides, code can rename a link and each directory above it, but make none.
 */
export const findWayOut = ({ directories, paths }: WriteGrants): Link | undefined =>
  paths
    .flatMap(listLinks)
    .find(({ path, target }) => !isWithin(directories, target) || readlinkSync(path).split(sep).includes('..'))

/** Returns true if directories have more files and directories than that. It reads no further: code that may write there can make millions. */
export function hasMoreFiles(directories: readonly string[], most: number): boolean {
  const waiting = [...directories]
  let count = 0
  for (const directory of waiting) {
    for (const entry of readEach(directory)) {
      if (++count > most) return true
      if (entry.isDirectory()) waiting.push(join(directory, entry.name))
    }
  }
  return false
}

function* readEach(path: string): Generator<Dirent, void, void> {
  try {
    const directory = opendirSync(path)
    try {
      for (let entry = directory.readSync(); entry; entry = directory.readSync()) yield entry
    } finally {
      directory.closeSync()
    }
  } catch {
    // It is gone, or of another user.
  }
}

/** Returns links of a kind, and those to a directory that contains one of them. */
function withThoseAbove(links: readonly Link[], isOf: (link: Link) => boolean): Link[] {
  const all = new Set(links.filter(isOf))
  for (let last = [...all]; last.length > 0;) {
    const above = new Set(last.flatMap(({ path }) => listAncestors(path)))
    last = links.filter(link => above.has(link.target) && !all.has(link))
    for (const link of last) all.add(link)
  }
  return [...all]
}

/** Returns where Sallyport is installed: what a link to one of its packages there leads to is no secret. Elsewhere, anybody can have given it the name. */
function listInstallation(): string[] {
  const own = listAncestors(realpathSync(fileURLToPath(import.meta.url))).find(isOwnPackage)
  return own === undefined ? [] : [dirname(dirname(own))]
}

const isOwnPackage = (directory: string): boolean =>
  JSON.stringify(readManifest(directory)['name'] ?? '').startsWith('"@sallyport/')

/** With the path itself. */
function listAncestors(path: string): string[] {
  const parent = dirname(path)
  return parent === path ? [path] : [path, ...listAncestors(parent)]
}

const isPackages = (path: string): boolean => basename(path) === 'node_modules'

/** All is visited but in the packages of the host: the author of a plugin can have put a link everywhere, also into a `node_modules` above it. */
function listLinks(directory: string): readonly Link[] {
  if (isPackages(directory) && hasHost(dirname(directory))) return listPackageLinks(directory)
  const paths: string[] = []
  visit(directory, paths, path => path)
  return paths.map(path => ({ path, target: getTarget(path) }))
}

function list(directory: string): Dirent[] {
  // Most packages have none of their own, and an error takes longer.
  if (!existsSync(directory)) return []
  try {
    return readdirSync(directory, { withFileTypes: true })
  } catch {
    // It is gone, or of another user.
    return []
  }
}

/** @param next - returns the directory to visit for one that was found */
function visit(
  directory: string,
  links: string[],
  next: (path: string, name: string, parent: string) => string | undefined,
): void {
  for (const entry of list(directory)) {
    const path = `${directory}${sep}${entry.name}`
    if (entry.isSymbolicLink()) links.push(path)
    else if (entry.isDirectory()) {
      const found = next(path, entry.name, directory)
      if (found) visit(found, links, next)
    }
  }
}

const known = new Map<string, { readonly stamp: string; readonly links: readonly Link[] }>()

/**
 * Package managers put links beside packages, and none into one. What they change there changes a time of the stamp. Most lead to a package of the same
 * directory, where none leads out: they are not kept.
 */
function listPackageLinks(directory: string): readonly Link[] {
  const stamp = getStamp(directory)
  const last = known.get(directory)
  if (last?.stamp === stamp) return last.links
  const paths: string[] = []
  const start = dirname(directory).length
  visit(directory, paths, (path, name, parent) => findPackages(path, name, parent, STORED.test(path.slice(start))))
  const links = withThoseAbove(findTargets(directory, paths), ({ target }) => !isWithin([directory], target))
  known.set(directory, { stamp, links })
  return links
}

/** Of a store of pnpm or Yarn (`.pnpm/a@1/node_modules`), what belongs to a package is beside it: it has none within. */
function findPackages(path: string, name: string, parent: string, isStored: boolean): string | undefined {
  const isOfStore = basename(parent).startsWith('.')
  if (isPackages(path) || (!isOfStore && /^[@.]/.test(name))) return path
  return isOfStore || !isStored ? join(path, 'node_modules') : undefined
}

function getStamp(directory: string): string {
  const names = list(directory).flatMap(({ name }) => (/^[@.]/.test(name) ? [name] : []))
  return ['', ...names].map(name => name + statSync(join(directory, name), { throwIfNoEntry: false })?.mtimeMs).join()
}

/** Other systems take two names for one, and have other separators. */
const canCompare = process.platform === 'linux'

/** @param paths - all links that a package manager has put below the directory */
function findTargets(directory: string, paths: readonly string[]): Link[] {
  const links = new Set(paths)
  const isPlain = canCompare && getTarget(directory) === directory
  return paths.map(path => ({ path, target: (isPlain && findNear(directory, links, path)) || getTarget(path) }))
}

/**
 * Returns where a link leads if that is below the same directory, and no other link is in the way. A store of pnpm has thousands of such links, and
 * `realpath` takes ten times as long for each.
 */
function findNear(directory: string, links: ReadonlySet<string>, path: string): string | undefined {
  let text: string
  try {
    text = readlinkSync(path)
  } catch {
    return undefined
  }
  // What follows a name could go up from where that leads.
  const isPlain =
    !isAbsolute(text) &&
    !text
      .replace(/^(?:\.\.\/)+/, '')
      .split('/')
      .includes('..')
  const target = resolve(dirname(path), text)
  if (!isPlain || !isWithin([directory], target)) return undefined
  for (let above = target; above !== directory; above = dirname(above)) if (links.has(above)) return undefined
  return target
}

/** As many as Linux follows. */
const MAX_LINKS = 40

function getTarget(path: string, depth = 0): string {
  try {
    return realpathSync.native(path)
  } catch {
    // Something can be there later.
  }
  const parent = dirname(path)
  if (parent === path || depth > MAX_LINKS) return path
  const real = getTarget(parent, depth + 1)
  try {
    return getTarget(resolve(real, readlinkSync(path)), depth + 1)
  } catch {
    return join(real, basename(path))
  }
}

/** Returns patterns of Node for what a directory has beside these links. */
function listPatterns(directory: string, links: readonly Link[]): string[] {
  const below = links.filter(({ path }) => isWithin([directory], path))
  if (below.length === 0) return [join(directory, '*')]
  const left = new Set(below.map(({ path }) => relative(directory, path).split(sep)[0]!))
  const entries = list(directory)
  const inner = entries.filter(entry => left.has(entry.name) && entry.isDirectory())
  const names = entries.map(({ name }) => name).filter(name => !left.has(name))
  return [
    ...listStarts(names, [...left], '').map(start => join(directory, start)),
    ...inner.flatMap(({ name }) => listPatterns(join(directory, name), below)),
  ]
}

/** Returns as few patterns for names as leave others out: an operating system limits the length of a command. */
function listStarts(names: readonly string[], left: readonly string[], start: string): string[] {
  // It would be a pattern itself.
  if (start.includes('*')) return []
  if (!left.some(name => name.startsWith(start))) return [`${start}*`]
  // With a whole character: half of one is no name.
  const next = new Set(names.map(name => start + (/./su.exec(name.slice(start.length))?.[0] ?? '')))
  return [...next].flatMap(longer => {
    const more = names.filter(name => name.startsWith(longer))
    return longer === start ? [start] : listStarts(more, left, longer)
  })
}

/** @param links - what is left out. Where Node denies what is missing it would find no other package, so all is granted */
export function getReadFlags(reads: ReadGrants, links: readonly Link[] = []): string[] {
  const directories = reads.directories.flatMap(directory => listPatterns(directory, deniesMissing ? [] : links))
  return [...reads.files, ...directories].map(path => `--allow-fs-read=${path}`)
}

const warned = new WeakMap<object, Set<string>>()

/** In the store of a package manager, such as `node_modules/.pnpm`: nobody asks for it by this name. */
const STORED = /[/\\]node_modules[/\\]\./

/** Warns once of each link. @param log - that of a bus */
export function warnOfLinks(
  log: { warn(fields: object, text: string): void },
  name: string,
  all: readonly Link[],
): void {
  const before = warned.get(log) ?? new Set()
  warned.set(log, before)
  const links = all.filter(({ path }) => !before.has(path) && !STORED.test(path))
  if (links.length === 0) return
  for (const { path } of links) before.add(path)
  const fields = {
    links: links.slice(0, MAX_NAMED).map(({ path, target }) => `${path} -> ${target}`),
    count: links.length,
  }
  const does = deniesMissing ? 'reads, until you update Node.js,' : 'does not read'
  const remedy = `Allow one: add read: [${JSON.stringify(links[0]!.target)}] to its sandbox`
  log.warn(fields, `${name} ${does} what links below its directories lead to, outside of them. ${remedy}`)
}

const MAX_NAMED = 5
