// Finds a peer that is gone, or stopped, without a word: one timer a link, which no message touches.

/** So many pings remain unanswered before the peer is given up. */
const PINGS = 3
/** Milliseconds for a peer that is said to be gone. */
const DOUBT_MS = 250

export class Pulse {
  readonly #ping: () => void
  readonly #lost: (silence: number) => void
  readonly #timer: NodeJS.Timeout
  #heard = false
  #pings = 0
  #doubt: NodeJS.Timeout | undefined

  /**
   * @param every milliseconds without a word until a ping, and from one ping to the next
   * @param lost after so many milliseconds without a word
   */
  constructor(every: number, ping: () => void, lost: (silence: number) => void) {
    this.#ping = ping
    this.#lost = lost
    this.#timer = setInterval(() => {
      if (this.#heard) this.#pings = 0
      else if (this.#pings++ === PINGS) return lost((PINGS + 1) * every)
      else ping()
      this.#heard = false
    }, every).unref()
  }

  heard(): void {
    this.#heard = true
    if (this.#doubt) this.#endDoubt()
  }

  /** Unless it is heard soon, it is given up. */
  doubt(): void {
    if (this.#doubt) return
    this.#doubt = setTimeout(() => {
      // What has come meanwhile is heard first.
      setImmediate(() => this.#doubt && this.#lost(DOUBT_MS))
    }, DOUBT_MS).unref()
    this.#ping()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#endDoubt()
  }

  #endDoubt(): void {
    clearTimeout(this.#doubt)
    this.#doubt = undefined
  }
}
