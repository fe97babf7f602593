// Counts repeats of a line, which would hide other lines: a plugin can make a denied call in a loop.

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
  timer: NodeJS.Timeout
}

export class Repeats<Line> {
  readonly #summarize: (line: Line, count: number, ms: number) => void
  readonly #keys = new Map<string, Repeated<Line>>()
  readonly #flush = (): void => this.flush()

  /** @param summarize - receives the latest line of a key, and how often the key was added within the last `ms` milliseconds */
  constructor(summarize: (line: Line, count: number, ms: number) => void) {
    this.#summarize = summarize
  }

  /**
   * Returns true if the caller is to write the line. Otherwise the line is counted: repeats are summarized 10 s after the first
   * line, then each minute. After a minute without one, the next line counts as new.
   *
   * @param count - how many lines this one stands for
   */
  isNew(key: string, line: Line, count: number): boolean {
    const known = this.#keys.get(key)
    if (known) {
      known.count += count
      known.line = line
      known.isWritten = false
      return false
    }
    if (this.#keys.size === MAX_KEYS) this.#end(this.#keys.keys().next().value!)
    if (this.#keys.size === 0) process.once('exit', this.#flush)
    const timer = this.#startTimer(key, FIRST_INTERVAL_MS)
    this.#keys.set(key, { line, count, isWritten: true, since: performance.now(), timer })
    return true
  }

  /** Summarizes all repeats. The next line of each key counts as new. */
  flush(): void {
    for (const key of [...this.#keys.keys()]) this.#end(key)
  }

  #startTimer(key: string, ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#next(key), ms).unref()
  }

  #next(key: string): void {
    const repeated = this.#keys.get(key)!
    if (repeated.isWritten) return this.#end(key)
    this.#write(repeated)
    Object.assign(repeated, { count: 0, isWritten: true, since: performance.now() })
    repeated.timer = this.#startTimer(key, NEXT_INTERVAL_MS)
  }

  #end(key: string): void {
    const repeated = this.#keys.get(key)!
    clearTimeout(repeated.timer)
    this.#keys.delete(key)
    if (this.#keys.size === 0) process.off('exit', this.#flush)
    this.#write(repeated)
  }

  #write({ line, count, isWritten, since }: Repeated<Line>): void {
    if (!isWritten) this.#summarize(line, count, performance.now() - since)
  }
}
