// Connections of one frontend at a time. Further requests wait in their order.

/** Returns a slot. Calls after the first do nothing. */
export type Release = () => void

/** A number of slots, which requests take and return. */
export class Slots {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(size: number) {
    this.#free = size
  }

  /** Waits for a slot. Rejects with the signal's reason. */
  async take(signal: AbortSignal): Promise<Release> {
    signal.throwIfAborted()
    if (this.#free > 0) this.#free--
    else await this.#wait(signal)
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      const [next] = this.#waiting
      if (next) next()
      else this.#free++
    }
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#waiting.delete(start)
        signal.removeEventListener('abort', stop)
      }
      const start = (): void => {
        settle()
        resolve()
      }
      const stop = (): void => {
        settle()
        reject(signal.reason as Error)
      }
      this.#waiting.add(start)
      signal.addEventListener('abort', stop)
    })
  }
}
