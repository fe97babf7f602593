// What `await` would wait for: a promise, of this or another realm, or what a library gives in its place.

export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'

// The promise of a link that has room again: one for all who wait.
export class RoomSignal {
  #waiting: { promise: Promise<void>; resolve(): void } | undefined

  /** Resolves with the next `letGo`. */
  get promise(): Promise<void> {
    if (!this.#waiting) {
      let resolve!: () => void
      const promise = new Promise<void>(settle => (resolve = settle))
      this.#waiting = { promise, resolve }
    }
    return this.#waiting.promise
  }

  /** There is room, or there is nothing to wait for any more. */
  release(): void {
    this.#waiting?.resolve()
    this.#waiting = undefined
  }
}
