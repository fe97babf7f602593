// Signals of a script in this thread. Each is kept while a call or a stream that has it lasts: a script can use any number of them.
import { BusError } from '@sallyport/protocol/internal/errors'
import { MAX_IN_FLIGHT } from '@sallyport/protocol/internal/wire'
import type { CrossedError } from './values.js'

const MAX_SIGNALS = MAX_IN_FLIGHT
const MAX_REASON_LENGTH = 1000

export class ScriptSignals {
  readonly #held = new Map<number, { readonly controller: AbortController; uses: number }>()
  /** Those of the message that is being handled. */
  #taken: number[] = []

  /** Returns a signal that is in a message. @throws {BusError} Overloaded */
  get(id: number): AbortSignal {
    let held = this.#held.get(id)
    if (!held) {
      if (this.#held.size >= MAX_SIGNALS)
        throw new BusError('Overloaded', `The script uses ${MAX_SIGNALS} signals at once`)
      this.#held.set(id, (held = { controller: new AbortController(), uses: 0 }))
    }
    held.uses++
    this.#taken.push(id)
    return held.controller.signal
  }

  has(id: number): boolean {
    return this.#held.has(id)
  }

  /** Returns the id of a signal that is in the message that is being handled. */
  getId(signal: unknown): number | undefined {
    return this.#taken.find(id => this.#held.get(id)?.controller.signal === signal)
  }

  abort(id: number, { name, message }: CrossedError): void {
    // A slice of a text keeps all of it, and a signal its reason.
    const copy = (text: unknown): string => Buffer.from(String(text).slice(0, MAX_REASON_LENGTH)).toString()
    this.#held.get(id)?.controller.abort(new DOMException(copy(message), copy(name ?? 'Error')))
  }

  /** Returns a function that releases the signals of the message that is being handled, for what the message has begun to call once it ends. */
  take(): () => void {
    const ids = this.#taken
    this.#taken = []
    return () => {
      for (const id of ids.splice(0)) {
        const held = this.#held.get(id)
        if (held && --held.uses === 0) this.#held.delete(id)
      }
    }
  }
}
