// The host's functions that a plugin calls, in the thread of the host. They note when calls arrive, because not every plugin has a clock.

export class HostCode {
  /** Times of the calls since the last `reset`, in ms. */
  readonly arrivals: number[] = []
  #awaited = 0
  #resolve = (): void => {}

  readonly functions = {
    greet: ({ name }: { name: string }): string => {
      this.#note()
      return `Hello, ${name}!`
    },
    echo_bytes: (bytes: Uint8Array): Uint8Array => {
      this.#note()
      return bytes
    },
  }

  reset(): void {
    this.arrivals.length = 0
  }

  /** Resolves to the time of the last of the next `count` calls. One caller can wait at a time. */
  async waitForCalls(count = 1): Promise<number> {
    this.#awaited = count
    await new Promise<void>(resolve => (this.#resolve = resolve))
    return this.arrivals.at(-1)!
  }

  #note(): void {
    this.arrivals.push(performance.now())
    if (--this.#awaited === 0) this.#resolve()
  }
}
