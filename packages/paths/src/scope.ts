// Which paths a caller may use: patterns of its permissions, and paths that the host grants at run time. A deny wins, and without an
// allow nothing is allowed.
import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import type { PathResolver } from './directories.js'
import { foldCase, Glob, type GlobMatchOptions, splitNames } from './glob.js'
import { getPathRules, isDeviceName, type PathRules } from './resolve.js'

/** Entries of a scope: a pattern, or `{ path }` with one. Values of other types are refused. */
export interface PathScopeEntries {
  readonly allow: readonly unknown[]
  readonly deny: readonly unknown[]
}

/** Options of scopes of paths. */
export interface PathScopeOptions {
  /** If true, the wildcards of an allowed pattern do not match names that begin with a dot. */
  readonly requireLiteralLeadingDot: boolean
  readonly rules: PathRules
}

/** Returns Tauri's default: names with a dot are hidden on Unix. */
export const getPathScopeOptions = (requireLiteralLeadingDot?: boolean): PathScopeOptions => ({
  requireLiteralLeadingDot: requireLiteralLeadingDot ?? process.platform !== 'win32',
  rules: getPathRules(),
})

/** The most paths that are granted to a frontend at run time. The oldest is revoked for a new one. */
const MAX_GRANTS = 1024

/** Paths that were granted to frontends at run time, for instance by a dialog. They are literals, never patterns. Use it as a key of `app.state`. */
export class PathGrants {
  readonly #paths = new WeakMap<object, Map<string, boolean>>()

  /**
   * Grants a file, or a directory with its entries; with `recursive`, all that is below it.
   *
   * @param life - lasts as long as the frontend, and so does the grant: the next one with its label has none
   */
  grant(life: object, path: string, recursive = false): void {
    const canonical = toCanonical(path)
    const paths = this.#paths.get(life) ?? new Map<string, boolean>()
    const isRecursive = recursive || paths.get(canonical) === true
    paths.delete(canonical)
    paths.set(canonical, isRecursive)
    if (paths.size > MAX_GRANTS) paths.delete(paths.keys().next().value!)
    this.#paths.set(life, paths)
  }

  /** True if the canonical path was granted to the frontend. */
  includes(life: object, path: string, { path: { dirname } }: PathRules): boolean {
    const paths = this.#paths.get(life)
    if (!paths) return false
    if (paths.has(path) || paths.has(dirname(path))) return true
    for (let above = path; above !== dirname(above);) {
      above = dirname(above)
      if (paths.get(above)) return true
    }
    return false
  }
}

/**
 * Patterns that allow and deny paths.
 *
 * A path has two forms: as the caller wrote it, and canonical, which is without links. The patterns are those of Rust's `glob` crate, as in
 * Tauri. Where systems and spellings differ, the scope decides for the side that allows less:
 *
 * - A deny is compared with both forms. It matches names that begin with a dot, whatever the options are. It matches if it does in exact
 *   case or without case and Unicode composition. Both are needed: `[_-z]` is an empty range in upper case, and `[!A]` excludes `a`.
 * - An allow is compared with the canonical form alone, and in exact case unless names of the platform have none.
 * - On Linux `/proc` is denied.
 * - The links in the directory of a pattern are resolved once, when the scope is created. A link that appears later moves no pattern.
 * - A pattern with an unknown variable, or without a root, matches nothing.
 * - `$OWN` is the directory of the caller's label. `$OWN/**` is all that is below it, names that begin with a dot included.
 */
export class PathScope {
  readonly #allow: readonly Glob[]
  readonly #deny: readonly Glob[]
  readonly #options: PathScopeOptions
  /** The canonical directory of the caller's label with the separator after it, if all below it is allowed. */
  readonly #own: string | undefined

  /**
   * @param own - the existing directory of the caller's label. Without it `$OWN` matches nothing
   * @throws {Error} if an entry is not a path, or its pattern is malformed
   */
  constructor({ allow, deny }: PathScopeEntries, path: PathResolver, options: PathScopeOptions, own?: string) {
    const compile = (entry: unknown): Glob[] => compilePath(toPattern(entry), path, options.rules, own)
    this.#allow = allow.flatMap(compile)
    this.#deny = deny.flatMap(compile)
    this.#options = options
    const hasAll = own !== undefined && allow.some(entry => /^[/\\]\*\*$/.test(getOwnRest(toPattern(entry)) ?? ''))
    this.#own = hasAll ? toCanonical(own, options.rules) + options.rules.path.sep : undefined
  }

  /** True if an allow begins with this network share of Windows: `\\\\server\\share`. */
  namesShare(share: string): boolean {
    const names = splitNames(foldCase(share), this.#options.rules.separators).filter(Boolean)
    return this.#allow.some(({ prefix: [root, empty, ...rest] }) => {
      return (
        root === '' && empty === '' && names.every((name, at) => rest[at] !== undefined && foldCase(rest[at]) === name)
      )
    })
  }

  /** True if the path is allowed, and no deny matches one of its forms. @param original - the path with its links */
  includes(canonical: string, original: string): boolean {
    return !this.isDenied(canonical) && !this.isDenied(original) && this.isAllowed(canonical)
  }

  /** True if a deny matches the path. Case, Unicode composition and dots do not hide it. */
  isDenied(path: string): boolean {
    const { platform, separators } = this.#options.rules
    // Files of the kernel: reading one can have no end, and some lead to every other file.
    if (platform === 'linux' && /^\/proc(?:\/|$)/.test(path)) return true
    if (this.#deny.length === 0) return false
    const names = splitNames(path, separators)
    const folded = splitNames(foldCase(path), separators)
    return this.#deny.some(
      glob =>
        glob.matches(folded, { requireLiteralLeadingDot: false, ignoreCase: true }) ||
        glob.matches(names, { requireLiteralLeadingDot: false, ignoreCase: false }),
    )
  }

  /** True if an allow matches the canonical path. @param hidden - if true, names that begin with a dot are included */
  isAllowed(path: string, hidden = false): boolean {
    if (this.#own !== undefined && path.startsWith(this.#own)) return true
    const { requireLiteralLeadingDot, rules } = this.#options
    const ignoreCase = !rules.isCaseSensitive
    const options: GlobMatchOptions = { requireLiteralLeadingDot: requireLiteralLeadingDot && !hidden, ignoreCase }
    const names = splitNames(ignoreCase ? foldCase(path) : path, rules.separators)
    return this.#allow.some(glob => glob.matches(names, options))
  }
}

/** Checks an entry of a scope. @throws {Error} if it is not a path, or its pattern is malformed */
export function checkPathEntry(entry: unknown, { separators }: PathRules = getPathRules()): void {
  Glob.parse(toPattern(entry), separators)
}

/** Returns the path of an entry: `"path"` or `{ path }`. @throws {Error} for anything else */
export function toPattern(entry: unknown): string {
  const pattern = typeof entry === 'string' ? entry : (Object(entry) as { path?: unknown }).path
  if (typeof pattern === 'string' && pattern !== '') return pattern
  throw new Error(`${JSON.stringify(entry)} is not a path. Write a string or { path }`)
}

/** Returns no pattern for a variable that this platform lacks, and two if the pattern's directory is a link. */
function compilePath(pattern: string, path: PathResolver, rules: PathRules, own: string | undefined): Glob[] {
  const rest = getOwnRest(pattern)
  if (rest !== undefined && own === undefined) return []
  let resolved: string
  try {
    resolved = rest === undefined ? path.parse(pattern) : escapeGlob(own!) + rest
  } catch {
    return []
  }
  // A pattern without a root, such as an unknown variable, matches no canonical path.
  if (!rules.path.isAbsolute(resolved)) return []
  const glob = Glob.parse(resolved, rules.separators)
  const prefix = glob.prefix
  const directory = prefix.join(rules.path.sep)
  const canonical = toCanonical(prefix.length === 1 ? directory + rules.path.sep : directory)
  if (canonical === directory || prefix.length <= 1) return [glob]
  const isRoot = rules.separators.includes(canonical.at(-1)!)
  return [glob, glob.withPrefix(splitNames(isRoot ? canonical.slice(0, -1) : canonical, rules.separators))]
}

/** Resolves the links of a path. Names that do not exist yet are kept: a link that appears later is not followed. */
export function toCanonical(path: string, rules: PathRules = getPathRules()): string {
  const { dirname, basename, join } = rules.path
  try {
    return realpathSync.native(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(toCanonical(parent, rules), basename(path))
  }
}

/** A directory for each label, which no other label's scope can name, as `$OWN`, `$OWN/notes/*` or `$OWN/**`. */
const OWN = /^\$OWN(?=$|[/\\])/

/** Returns the rest of a pattern after `$OWN`, or `undefined` for any other pattern. */
export const getOwnRest = (pattern: unknown): string | undefined =>
  typeof pattern === 'string' && OWN.test(pattern) ? pattern.slice('$OWN'.length) : undefined

/** Longer names are shortened: file systems take 255 bytes. */
const MAX_NAME = 200

/**
 * Returns the name of the directory of a label. Labels have different names, also where names have no case. None is that of a device, or
 * of the directory that Node takes packages from.
 *
 * @example getOwnName('acme-x') === 'acme-x'; getOwnName('A/b') === '%41%2Fb'
 */
export function getOwnName(label: string): string {
  const escape = (text: string): string => Buffer.from(text).toString('hex').toUpperCase().replaceAll(/../g, '%$&')
  const name = label.replaceAll(/[^a-z0-9_-]+/g, escape)
  if (name.length > MAX_NAME) return `${name.slice(0, 100)}%${createHash('sha256').update(label).digest('hex')}`
  return isDeviceName(name) || name === 'node_modules' ? escape(name[0]!) + name.slice(1) : name
}

/** Writes a path as a pattern that matches nothing else. */
const escapeGlob = (path: string): string => path.replaceAll(/[[*?]/g, '[$&]')
