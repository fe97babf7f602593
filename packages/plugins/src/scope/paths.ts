// Which paths a caller may use: patterns of its permissions, and paths that the host grants at run time. A deny wins, and without an
// allow nothing is allowed.
import type { CommandContext, CommandScope, PathResolver } from '@sallyport/core'
import { realpathSync } from 'node:fs'
import { getPathRules, type PathRules } from '../io/path-rules.js'
import { foldCase, Glob, type GlobMatchOptions, splitNames } from './glob.js'

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

/** The most paths that are granted to a label at run time. The oldest is revoked for a new one. */
const MAX_GRANTS = 1024

/** Paths that were granted to labels at run time, for instance by a dialog. They are literals, never patterns. Use it as a key of `app.state`. */
export class PathGrants {
  readonly #labels = new Map<string, Map<string, boolean>>()

  /** Grants a file, or a directory with its entries; with `recursive`, all that is below it. Lasts until core ends. */
  grant(label: string, path: string, recursive = false): void {
    const canonical = toCanonical(path)
    const paths = this.#labels.get(label) ?? new Map<string, boolean>()
    const isRecursive = recursive || paths.get(canonical) === true
    paths.delete(canonical)
    paths.set(canonical, isRecursive)
    if (paths.size > MAX_GRANTS) paths.delete(paths.keys().next().value!)
    this.#labels.set(label, paths)
  }

  /** True if the canonical path was granted to the label. */
  includes(label: string, path: string, { separators, path: { dirname } }: PathRules): boolean {
    const paths = this.#labels.get(label)
    if (!paths) return false
    if (paths.has(path) || paths.has(dirname(path))) return true
    return [...paths].some(
      ([granted, recursive]) =>
        recursive &&
        path.startsWith(granted) &&
        (separators.includes(granted.at(-1)!) || separators.includes(path.charAt(granted.length))),
    )
  }
}

/** The patterns of one command's scope. */
export class PathScope {
  readonly #allow: readonly Glob[]
  readonly #deny: readonly Glob[]
  readonly #options: PathScopeOptions

  /** @throws {Error} if an entry is not a path, or its pattern is malformed */
  constructor({ allow, deny, global }: CommandScope, path: PathResolver, options: PathScopeOptions) {
    const compile = (entries: readonly unknown[]): Glob[] =>
      entries.flatMap(entry => compilePath(toPattern(entry), path, options.rules))
    this.#allow = compile([...allow, ...global.allow])
    this.#deny = compile([...deny, ...global.deny])
    this.#options = options
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

  /** True if a deny matches the path. Case, Unicode composition and dots do not hide it. */
  isDenied(path: string): boolean {
    if (this.#deny.length === 0) return false
    const names = splitNames(path, this.#options.rules.separators)
    const folded = splitNames(foldCase(path), this.#options.rules.separators)
    return this.#deny.some(
      glob =>
        glob.matches(folded, { requireLiteralLeadingDot: false, ignoreCase: true }) ||
        glob.matches(names, { requireLiteralLeadingDot: false, ignoreCase: false }),
    )
  }

  /** True if an allow matches the canonical path. @param hidden - if true, names that begin with a dot are included */
  isAllowed(path: string, hidden = false): boolean {
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

/** Returns the path of an entry: `"path"` or `{ path }`. */
function toPattern(entry: unknown): string {
  const pattern = typeof entry === 'string' ? entry : (Object(entry) as { path?: unknown }).path
  if (typeof pattern === 'string' && pattern !== '') return pattern
  throw new Error(`${JSON.stringify(entry)} is not a path. Write a string or { path }`)
}

/** Returns no pattern for a variable that this platform lacks, and two if the pattern's directory is a link. */
function compilePath(pattern: string, path: PathResolver, rules: PathRules): Glob[] {
  let resolved: string
  try {
    resolved = path.parse(pattern)
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

/** Compiled scopes. Core gives each call of a frontend's command the same object until its capabilities change. */
const compiled = new WeakMap<CommandScope, { readonly scope: PathScope; readonly options: PathScopeOptions }>()

/** Returns the compiled scope of a call. @throws {Error} like `PathScope` */
export function getPathScope(
  { scope, app }: Pick<CommandContext, 'scope' | 'app'>,
  options: PathScopeOptions,
): PathScope {
  const known = compiled.get(scope)
  if (known?.options === options) return known.scope
  const created = new PathScope(scope, app.path, options)
  compiled.set(scope, { scope: created, options })
  return created
}
