// Keeps a move from replacing a directory between the check of a path and its use.
import type { PathRules } from '@sallyport/paths/internal'
import { foldCase } from '@sallyport/paths/internal/glob'

interface Holder {
  readonly paths: readonly string[]
  readonly isExclusive: boolean
  readonly ended: Promise<void>
}

/**
 * Runs work on paths. Work on one path runs together; exclusive work on a path runs alone there, and below and above it, in the order of the
 * calls. Work on paths that do not contain each other never waits for each other.
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
      .filter(holder => isExclusive || holder.isExclusive)
      .filter(holder => holder.paths.some(held => keys.some(key => held.startsWith(key) || key.startsWith(held))))
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
