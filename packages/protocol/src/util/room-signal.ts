/** The promise of a full link that it has room again, shared by everyone who waits. */
export class RoomSignal {
  #waiting: { promise: Promise<void>; resolve(): void } | undefined

  /** Resolves with the next `release`. */
  get promise(): Promise<void> {
    if (!this.#waiting) {
      let resolve!: () => void
      const promise = new Promise<void>(settle => (resolve = settle))
      this.#waiting = { promise, resolve }
    }
    return this.#waiting.promise
  }

  /** Resolves the promise: there is room, or the link has ended. */
  release(): void {
    this.#waiting?.resolve()
    this.#waiting = undefined
  }
}
