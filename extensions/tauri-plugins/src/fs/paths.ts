// The permission `fs:own`, and where the directories are that `$OWN` stands for.
import { getEntries, toDirectory } from '../shared/plugin.js'
import type { Permission } from '../shared/permissions.js'
import { join } from 'node:path'
import { BaseDirectory, type CommandContext } from '@sallyport/core'
import {
  getOwnName,
  getOwnRest,
  type PathRules,
  PathScope,
  type PathScopeOptions,
  toPattern,
} from '@sallyport/paths/internal'
import { foldCase } from '@sallyport/paths/internal/glob'

export const OWN_PERMISSION: Permission = {
  identifier: 'own',
  description: "Allows all commands in the directory of the frontend's own label.",
  scope: { allow: ['$OWN', '$OWN/**'] },
}

export class OwnDirectories {
  readonly #parent: string | undefined
  /** Whether scopes name `$OWN`. Core gives each call of a frontend's command the same object. */
  readonly #known = new WeakMap<CommandContext['scope'], boolean>()

  constructor(parent: string | URL | undefined) {
    this.#parent = toDirectory(parent)
  }

  /** Returns the directory of the caller's label if its scope names it. @throws {string} if there is no place for such directories */
  get({ app, label, scope }: Pick<CommandContext, 'app' | 'label' | 'scope'>): string | undefined {
    let isNamed = this.#known.get(scope)
    if (isNamed === undefined) {
      isNamed = getEntries(scope).allow.some(entry => getOwnRest(toPattern(entry)) !== undefined)
      this.#known.set(scope, isNamed)
    }
    return isNamed ? join(this.#parent ?? this.#resolveDefault(app), getOwnName(label)) : undefined
  }

  #resolveDefault(app: CommandContext['app']): string {
    try {
      return app.path.resolve(BaseDirectory.AppData, 'own')
    } catch {
      throw 'fs:own needs the option `own` of fs, or the option `identifier` of the bus'
    }
  }
}

/** Compiled scopes. Core gives each call of a frontend's command the same object until its capabilities change. */
const compiled = new WeakMap<
  CommandContext['scope'],
  { scope: PathScope; options: PathScopeOptions; own: string | undefined }
>()

/** Returns the compiled scope of a call. @param own - the caller's own directory @throws {Error} like `PathScope` */
export function getPathScope(
  { scope, app }: Pick<CommandContext, 'scope' | 'app'>,
  options: PathScopeOptions,
  own?: string,
): PathScope {
  const known = compiled.get(scope)
  if (known?.options === options && known.own === own) return known.scope
  const created = new PathScope(getEntries(scope), app.path, options, own)
  compiled.set(scope, { scope: created, options, own })
  return created
}

interface Holder {
  readonly paths: readonly string[]
  readonly isExclusive: boolean
  readonly ended: Promise<void>
}

/**
 * Runs work on paths. Work on one path runs together. Exclusive work on a path runs alone there and below it, and with no other exclusive work
 * above it, in the order of the calls. It can take seconds, so other work above it does not wait for it: the entries of a directory don't decide
 * where its own path leads. Work on paths that do not contain each other never waits for each other.
 */
export class PathLock {
  readonly #holders = new Set<Holder>()
  readonly #rules: PathRules

  constructor(rules: PathRules) {
    this.#rules = rules
  }

  /** @param paths - canonical @param run - receives true if it had to wait, so that the paths can lead elsewhere by now */
  async run<T>(paths: readonly string[], isExclusive: boolean, run: (hasWaited: boolean) => Promise<T>): Promise<T> {
    const keys = paths.map(path => this.#toKey(path))
    // Only earlier work is waited for, so two calls never wait for each other.
    const waitsFor = Array.from(this.#holders)
      .filter(
        ({ paths, ...held }) => (held.isExclusive && isBelow(keys, paths)) || (isExclusive && isBelow(paths, keys)),
      )
      .map(({ ended }) => ended)
    let end!: () => void
    const holder: Holder = { paths: keys, isExclusive, ended: new Promise(resolve => (end = resolve)) }
    this.#holders.add(holder)
    try {
      if (waitsFor.length > 0) await Promise.all(waitsFor)
      return await run(waitsFor.length > 0)
    } finally {
      this.#holders.delete(holder)
      end()
    }
  }

  /** Returns the path with a separator at its end: `/a/` is above `/a/b/`, and not above `/ab/`. */
  #toKey(path: string): string {
    const { isCaseSensitive, separators, path: rules } = this.#rules
    const key = isCaseSensitive ? path : foldCase(path)
    return separators.includes(key.at(-1)!) ? key : key + rules.sep
  }
}

/** True if one of the keys is one of `above`, or below it. */
const isBelow = (keys: readonly string[], above: readonly string[]): boolean =>
  keys.some(key => above.some(each => key.startsWith(each)))
