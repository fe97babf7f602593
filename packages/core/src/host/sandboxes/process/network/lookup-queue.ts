// Resolutions of names of one frontend. Node cannot cancel them, and runs few at a time: those of one frontend would delay all others.
import type { LookupFunction } from 'node:net'

/** At a time. */
const MAX_LOOKUPS = 2
const MAX_WAITING = 1000

export class LookupQueue {
  readonly #waiting: (() => void)[] = []
  #running = 0

  /** Returns a function that resolves names when others of this queue are done. */
  limit(lookup: LookupFunction): LookupFunction {
    return (name, options, callback) => {
      const run = (): void => {
        this.#running++
        lookup(name, options, (...found) => {
          this.#running--
          this.#waiting.shift()?.()
          callback(...found)
        })
      }
      if (this.#running < MAX_LOOKUPS) run()
      else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(run)
      else callback(new Error('Too many names are being resolved'), '', 0)
    }
  }
}
