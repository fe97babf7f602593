// Counts what comes in floods, and tells of it at once and then once a second.

const SECOND = 1000

export class ThrottledCounter {
  readonly #tell: (count: number) => void
  #count = 0
  #timer: NodeJS.Timeout | undefined

  constructor(tell: (count: number) => void) {
    this.#tell = tell
  }

  add(count: number): void {
    this.#count += count
    if (this.#timer) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (this.#count > 0) this.add(0)
    }, SECOND).unref()
    this.#say()
  }

  /** Tells of the rest: nothing more comes. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#count > 0) this.#say()
  }

  #say(): void {
    const count = this.#count
    this.#count = 0
    this.#tell(count)
  }
}

// How the log tells of a flood: the latest of many, and their number.
export const formatSuppressed = (text: string, more: number): string => (more > 0 ? `${text}, and ${more} more` : text)
