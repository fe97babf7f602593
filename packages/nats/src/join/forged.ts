// What came for a session and nobody with its key has sent. It is dropped, and counts for nothing but this: who is told of it is told
// no more than once in a while, whoever floods.
import { BusError } from '@sallyport/protocol'

/** Milliseconds from one word of it to the next. */
const EVERY_MS = 1000

export class Forged {
  readonly #tell: (label: string, error: BusError) => void
  readonly #counts = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(tell: (label: string, error: BusError) => void) {
    this.#tell = tell
  }

  /** One more, for the frontend of this label. */
  add(label: string): void {
    this.#counts.set(label, (this.#counts.get(label) ?? 0) + 1)
    this.#timer ??= setTimeout(() => this.flush(), EVERY_MS).unref()
  }

  /** Tells of those that were not told of. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const [label, count] of this.#counts) {
      const what =
        count === 1
          ? 'A message that was forged or repeated was'
          : `${count} messages that were forged or repeated were`
      this.#tell(label, new BusError('InvalidRequest', `${what} dropped`))
    }
    this.#counts.clear()
  }
}
