// The scope of the asset protocol: which paths a page can load files from, as in `app.security.assetProtocol.scope`.
import { realpath } from 'node:fs/promises'
import { isAbsolute, join, parse } from 'node:path'
import type { AssetScope as ScopeConfig, PathResolver } from '@sallyport/core/internal'
import { BusError, describeThrown } from '@sallyport/protocol/internal'
import { createPathGlob, type PathGlobOptions } from './path-glob.js'

const WILDCARD = /[*?[]/

export const isWindows: boolean = process.platform === 'win32'
const ignoresCase = isWindows || process.platform === 'darwin'

export class AssetScope {
  readonly #allow: readonly string[]
  readonly #deny: readonly string[]
  readonly #hidesDotFiles: boolean

  /** @param warn - receives what is ignored: a directory that this system does not have @throws {BusError} InvalidParams for a wrong glob */
  constructor(config: ScopeConfig, paths: PathResolver, warn: (text: string) => void) {
    const resolve = (patterns: readonly string[] = []): string[] =>
      patterns.flatMap(each => parsePattern(each, paths, warn))
    this.#allow = resolve(config.allow)
    this.#deny = resolve(config.deny)
    this.#hidesDotFiles = config.requireLiteralLeadingDot ?? config['require-literal-leading-dot'] ?? !isWindows
  }

  /** @param canonical - the path without links @param path - the path as it was asked for */
  async allows(canonical: string, path: string): Promise<boolean> {
    const deny: PathGlobOptions = { hidesDotFiles: false, ignoresCase: true }
    const allow: PathGlobOptions = { hidesDotFiles: this.#hidesDotFiles, ignoresCase }
    for (const pattern of this.#deny) {
      const forms = [pattern, await resolveLinks(pattern)]
      if (forms.some(form => isMatch(form, canonical, deny) || isMatch(form, path, deny))) return false
    }
    for (const pattern of this.#allow) {
      if (isMatch(await resolveLinks(pattern), canonical, allow)) return true
    }
    return false
  }
}

function parsePattern(pattern: string, paths: PathResolver, warn: (text: string) => void): string[] {
  const where = `app.security.assetProtocol.scope: ${JSON.stringify(pattern)}`
  let path: string
  try {
    path = paths.parse(pattern)
  } catch (error) {
    warn(`${where} is ignored: ${describeThrown(error)}`)
    return []
  }
  try {
    createPathGlob(splitPath(path), { hidesDotFiles: false, ignoresCase: false })
  } catch (cause) {
    throw new BusError('InvalidParams', `${where}: ${describeThrown(cause)}`, { cause })
  }
  return [path]
}

const isMatch = (pattern: string, path: string, options: PathGlobOptions): boolean =>
  createPathGlob(splitPath(pattern), options)(splitPath(path))

/** A drive or share is the first name. */
const splitPath = (path: string): string[] => path.split(isWindows ? /[\\/]+/ : /\/+/)

/** Replaces the names before the first wildcard by their real path, as far as they exist. */
async function resolveLinks(pattern: string): Promise<string> {
  const { root } = parse(pattern)
  if (!isAbsolute(pattern)) return pattern
  const names = splitPath(pattern.slice(root.length))
  const wildcard = names.findIndex(name => WILDCARD.test(name))
  for (let count = wildcard < 0 ? names.length : wildcard; count > 0; count--) {
    try {
      const found = await realpath(join(root, ...names.slice(0, count)))
      return [escape(found), ...names.slice(count)].join('/')
    } catch {
      // A shorter part can exist.
    }
  }
  return pattern
}

/** Returns a pattern that matches the path alone. */
const escape = (path: string): string => path.replaceAll(/[*?[]/g, '[$&]')
