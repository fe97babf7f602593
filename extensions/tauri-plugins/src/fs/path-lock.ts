// Keeps a move from replacing a directory between the check of a path and its use.
import type { PathRules } from '@sallyport/paths/internal'
import { foldCase } from '@sallyport/paths/internal/glob'

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
