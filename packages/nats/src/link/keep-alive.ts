// Finds a peer that is gone, or stopped, without a word: one timer a link, which no message touches.

/** So many pings remain unanswered before the peer is given up. */
const PINGS = 3
/** Of the time between pings: for a peer that is said to be gone. Twice as much after each time that it was not. */
const SUSPECT = 0.5

export class KeepAlive {
  readonly #ping: () => void
  readonly #lost: (silence: number) => void
  /** After which it is lost in any case. */
  readonly #silence: number
  readonly #timer: NodeJS.Timeout
  #heard = false
  #pings = 0
  #doubt: NodeJS.Timeout | undefined
  #patience: number

  /**
   * @param every milliseconds without a word until a ping, and from one ping to the next
   * @param lost after so many milliseconds without a word
   */
  constructor(every: number, ping: () => void, lost: (silence: number) => void) {
    this.#ping = ping
    this.#lost = lost
    this.#patience = SUSPECT * every
    this.#silence = (PINGS + 1) * every
    this.#timer = setInterval(() => {
      if (this.#heard) this.#pings = 0
      else if (this.#pings++ === PINGS) return lost(this.#silence)
      else ping()
      this.#heard = false
    }, every).unref()
  }

  heard(): void {
    this.#heard = true
    if (!this.#doubt) return
    this.#endDoubt()
    this.#patience *= 2
  }

  /** Unless it is heard soon, it is given up. Whoever says so again and again, of a peer that is there, is not heeded any more. */
  doubt(): void {
    const patience = this.#patience
    if (this.#doubt || patience >= this.#silence) return
    this.#doubt = setTimeout(() => {
      // What has come meanwhile is heard first.
      setImmediate(() => this.#doubt && this.#lost(patience))
    }, patience).unref()
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
