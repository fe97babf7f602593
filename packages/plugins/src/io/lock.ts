// Keeps a move from replacing a directory between the check of a path and its use.

/**
 * Runs shared work together and exclusive work alone, in the order of the calls. A lock that prefers either would starve the other: a
 * frontend can call without end.
 */
export class FairLock {
  #exclusive: Promise<unknown> = Promise.resolve()
  #shared = new Set<Promise<unknown>>()

  /** Runs after the exclusive work that was requested before. */
  shared<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#exclusive.then(run)
    const running = this.#shared
    const end: Promise<unknown> = toSettled(result).then(() => running.delete(end))
    running.add(end)
    return result
  }

  /** Runs after all work that was requested before. */
  exclusive<T>(run: () => Promise<T>): Promise<T> {
    const result = Promise.all([this.#exclusive, ...this.#shared]).then(run)
    this.#exclusive = toSettled(result)
    this.#shared = new Set()
    return result
  }
}

const toSettled = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    () => undefined,
  )
