// Counts repeats of a line, which would hide other lines: a plugin can make a denied call in a loop.
import { later } from '@sallyport/protocol/internal/contract'

/** Time from the first line to the first count. */
const FIRST_INTERVAL_MS = 10_000
/** Time between further counts. */
const NEXT_INTERVAL_MS = 60_000
/** Different lines that are compared at a time. */
const MAX_KEYS = 1000

interface Repeated<Line> {
  line: Line
  /** Number of lines since `since`. */
  count: number
  /** True if all lines that are counted have been written. */
  isWritten: boolean
  since: number
  endWait(): void
}

/** How often a line was repeated within the last `ms` milliseconds. */
export interface RepeatCount<Line> {
  /** The first one. */
  line: Line
  count: number
  ms: number
}

export class Repeats<Line> {
  readonly #summarize: (counts: readonly RepeatCount<Line>[]) => void
  readonly #keys = new Map<string, Repeated<Line>>()
  readonly #flush = (): void => this.flush()

  /** @param summarize - receives the counts of repeats: those of one key, or at a flush of all */
  constructor(summarize: (counts: readonly RepeatCount<Line>[]) => void) {
    this.#summarize = summarize
  }

  /**
   * Counts a line. Returns the line that it repeats, or `undefined` if the caller is to write it: repeats are summarized 10 s after the
   * first line, then each minute. After a minute without one, the next line counts as new.
   *
   * @param count - how many lines this one stands for
   */
  add(key: string, line: Line, count: number): Line | undefined {
    const known = this.#keys.get(key)
    if (known) {
      known.count += count
      known.isWritten = false
      return known.line
    }
    if (this.#keys.size === MAX_KEYS) this.#summarize(this.#end(this.#keys.keys().next().value!))
    if (this.#keys.size === 0) process.once('exit', this.#flush)
    const endWait = later(FIRST_INTERVAL_MS, () => this.#next(key))
    this.#keys.set(key, { line, count, isWritten: true, since: performance.now(), endWait })
    return undefined
  }

  /** Summarizes all repeats, or those of some lines. The next line of each of their keys counts as new. */
  flush(matches: (line: Line) => boolean = () => true): void {
    const keys = [...this.#keys].filter(([, { line }]) => matches(line)).map(([key]) => key)
    this.#summarize(keys.flatMap(key => this.#end(key)))
  }

  #next(key: string): void {
    const repeated = this.#keys.get(key)!
    if (repeated.isWritten) return void this.#end(key)
    this.#summarize([getCount(repeated)])
    Object.assign(repeated, { count: 0, isWritten: true, since: performance.now() })
    repeated.endWait = later(NEXT_INTERVAL_MS, () => this.#next(key))
  }

  /** Forgets a key. Returns its count, unless that has been written. */
  #end(key: string): RepeatCount<Line>[] {
    const repeated = this.#keys.get(key)!
    repeated.endWait()
    this.#keys.delete(key)
    if (this.#keys.size === 0) process.off('exit', this.#flush)
    return repeated.isWritten ? [] : [getCount(repeated)]
  }
}

const getCount = <Line>({ line, count, since }: Repeated<Line>): RepeatCount<Line> => ({
  ...{ line, count, ms: performance.now() - since },
})
