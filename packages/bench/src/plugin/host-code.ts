// The host's functions that a plugin calls, in the thread of the host. They note when calls arrive, because not every plugin has a clock.

export interface HostFunctions {
  greet(args: { name: string }): string
  echo_bytes(bytes: Uint8Array): Uint8Array
}

export class HostCode {
  /** Times of the calls since the last `reset`, in ms. */
  readonly arrivals: number[] = []
  readonly #waiting: (() => void)[] = []

  readonly functions: HostFunctions = {
    greet: ({ name }) => {
      this.#note()
      return `Hello, ${name}!`
    },
    echo_bytes: bytes => {
      this.#note()
      return bytes
    },
  }

  reset(): void {
    this.arrivals.length = 0
  }

  /** Resolves to the time of the next call. */
  async waitForCall(): Promise<number> {
    await new Promise<void>(resolve => this.#waiting.push(resolve))
    return this.arrivals.at(-1)!
  }

  #note(): void {
    this.arrivals.push(performance.now())
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
