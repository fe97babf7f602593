// Sessions that were welcomed and have not said a word under their keys yet: whoever asks for many of them, or plays hellos
// again, takes a bounded room for a short time.

/** Milliseconds for the first word. */
const FIRST_WORD = 10_000
const MOST = 1024
/** Of one credential: a frontend has one session, and now and then another attempt. */
const MOST_OF_ONE = 4

interface Waiting {
  credential: string
  timer: NodeJS.Timeout
  giveUp: () => void
}

export class HalfOpen {
  readonly #waiting = new Map<string, Waiting>()

  get isFull(): boolean {
    return this.#waiting.size >= MOST
  }

  /** Where one credential has too many, the oldest of them is given up. */
  add(session: string, credential: string, giveUp: () => void): void {
    const others = [...this.#waiting.values()].filter(each => each.credential === credential)
    if (others.length >= MOST_OF_ONE) others[0]!.giveUp()
    this.#waiting.set(session, { credential, timer: setTimeout(giveUp, FIRST_WORD).unref(), giveUp })
  }

  /** It has said something, or is gone. */
  delete(session: string): void {
    clearTimeout(this.#waiting.get(session)?.timer)
    this.#waiting.delete(session)
  }

  giveUp(): void {
    for (const { giveUp } of [...this.#waiting.values()]) giveUp()
  }
}
