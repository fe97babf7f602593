// The progress of a call with an idle deadline, `timeout: { idle }`: the items of its channels and streams, in either direction.

/** A deadline that each item of the call's channels and streams extends. Not in web pages. */
export interface IdleTimeout {
  /** Milliseconds without an item, in either direction, after which the call rejects with `Timeout`. */
  idle: number
}

/** Extends the idle deadline of one call with each item. Items cost the reading of a clock, and set no timer. */
export class CallProgress implements IdleTimeout {
  readonly idle: number
  /** When the last item passed. */
  #lastAt = performance.now()
  readonly #readers: (() => boolean)[] = []
  readonly #ended: (() => void)[] = []

  constructor({ idle }: IdleTimeout) {
    this.idle = idle
  }

  /** Records that an item has passed, or that its reader goes on. */
  record(): void {
    this.#lastAt = performance.now()
  }

  /** @param isAwaited - returns true while the other side waits for the reader of items: that time does not count */
  addReader(isAwaited: () => boolean): void {
    this.#readers.push(isAwaited)
  }

  /** Calls `ended` once the deadline is no longer watched. */
  onEnd(ended: () => void): void {
    this.#ended.push(ended)
  }

  /** Calls `expired` when nothing has passed for too long. Returns a function that stops watching. */
  watch(expired: () => void): () => void {
    const check = (): void => {
      if (this.#readers.some(isAwaited => isAwaited())) this.record()
      const left = this.#lastAt + this.idle - performance.now()
      if (left > 0) timer = setTimeout(check, Math.ceil(left))
      else expired()
    }
    this.record()
    let timer = setTimeout(check, this.idle)
    return () => {
      clearTimeout(timer)
      for (const ended of this.#ended.splice(0)) ended()
    }
  }
}

/** Returns the progress of a call whose options have an idle deadline. It is the `timeout` to watch. */
export const createProgress = (timeout: number | false | IdleTimeout | undefined): CallProgress | undefined =>
  typeof timeout === 'object' ? new CallProgress(timeout) : undefined
