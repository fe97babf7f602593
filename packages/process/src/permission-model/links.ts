// Links below the directories of a grant. Node and Deno compare a grant with the path that is asked for, and then follow its links: one that leads
// out would open what nobody granted. So each link that is there at a start, and leads out, is left out of the grants.
import { type Dirent, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { deniesMissing, isWithin, type ReadGrants, readManifest } from './grants.js'

export interface Link {
  readonly path: string
  /** Where it leads: a real path, also if nothing is there. */
  readonly target: string
}

/** Returns the links that lead out of all grants, and those to a directory that contains such a link. */
export function findOutwardLinks({ directories, files }: ReadGrants): Link[] {
  const granted = [...directories, ...files]
  if (granted.includes('/')) return []
  const isLeadingOut = ({ target }: Link): boolean => !isWithin(granted, target) && !isOwnPackage(target)
  const links = directories.flatMap(listLinks)
  const outward = new Set(links.filter(isLeadingOut))
  for (let last = [...outward]; last.length > 0;) {
    const above = new Set(last.flatMap(({ path }) => listAncestors(path)))
    last = links.filter(link => above.has(link.target) && !outward.has(link))
    for (const link of last) outward.add(link)
  }
  return [...outward]
}

/** What a link to a package of Sallyport leads to is no secret. */
const isOwnPackage = (directory: string): boolean =>
  JSON.stringify(readManifest(directory)['name'] ?? '').startsWith('"@sallyport/')

/** With the path itself. */
function listAncestors(path: string): string[] {
  const parent = dirname(path)
  return parent === path ? [path] : [path, ...listAncestors(parent)]
}

const isPackages = (path: string): boolean => basename(path) === 'node_modules'

/** Of a plugin's own directory all is visited, `node_modules` too: its author can have put a link everywhere. */
function listLinks(directory: string): readonly Link[] {
  if (isPackages(directory)) return listPackageLinks(directory)
  const links: Link[] = []
  visit(directory, links, path => path)
  return links
}

function list(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
  } catch {
    // It is gone, or of another user.
    return []
  }
}

/** @param next - returns the directory to visit for one that was found */
function visit(directory: string, links: Link[], next: (path: string, name: string) => string): void {
  for (const entry of list(directory)) {
    const path = join(directory, entry.name)
    if (entry.isSymbolicLink()) links.push({ path, target: getTarget(path) })
    else if (entry.isDirectory()) visit(next(path, entry.name), links, next)
  }
}

const known = new Map<string, { readonly stamp: string; readonly links: readonly Link[] }>()

/** Package managers put links beside packages, and none into one. What they change there changes a time of the stamp. */
function listPackageLinks(directory: string): readonly Link[] {
  const stamp = getStamp(directory)
  const last = known.get(directory)
  if (last?.stamp === stamp) return last.links
  const links: Link[] = []
  // Scopes (`@a`), and the stores of pnpm and Yarn (`.pnpm/a@1/node_modules`), have packages in them.
  visit(directory, links, (path, name) => (/^[@.]/.test(name) || isPackages(path) ? path : join(path, 'node_modules')))
  known.set(directory, { stamp, links })
  return links
}

function getStamp(directory: string): string {
  const names = list(directory).flatMap(({ name }) => (/^[@.]/.test(name) ? [name] : []))
  return ['', ...names].map(name => name + statSync(join(directory, name), { throwIfNoEntry: false })?.mtimeMs).join()
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
  const entries = list(directory)
  const left = entries.filter(({ name }) => below.some(({ path }) => isWithin([join(directory, name)], path)))
  const names = entries.filter(entry => !left.includes(entry)).map(({ name }) => name)
  const starts = listStarts(
    names,
    left.map(({ name }) => name),
    '',
  )
  const inner = left
    .filter(entry => entry.isDirectory())
    .flatMap(({ name }) => listPatterns(join(directory, name), below))
  return [...starts.map(start => join(directory, start)), ...inner]
}

/** Returns as few patterns for names as leave others out: an operating system limits the length of a command. */
function listStarts(names: readonly string[], left: readonly string[], start: string): string[] {
  // It would be a pattern itself.
  if (start.includes('*')) return []
  if (!left.some(name => name.startsWith(start))) return [`${start}*`]
  const next = new Set(names.map(name => name.slice(0, start.length + 1)))
  return [...next].flatMap(longer =>
    longer === start
      ? [start]
      : listStarts(
          names.filter(name => name.startsWith(longer)),
          left,
          longer,
        ),
  )
}

/** @param links - what is left out. Where Node denies what is missing it would find no other package, so all is granted */
export function getReadFlags(reads: ReadGrants, links: readonly Link[] = findOutwardLinks(reads)): string[] {
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
