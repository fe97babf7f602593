// Finds a peer that is gone, or stopped, without a word: one timer a link, which no message touches.

/** So many pings remain unanswered before the peer is given up. */
const PINGS = 3

export class Pulse {
  readonly #timer: NodeJS.Timeout
  #heard = false
  #pings = 0

  /** @param every milliseconds without a word until a ping, and from one ping to the next */
  constructor(every: number, ping: () => void, lost: () => void) {
    this.#timer = setInterval(() => {
      if (this.#heard) this.#pings = 0
      else if (this.#pings++ === PINGS) return lost()
      else ping()
      this.#heard = false
    }, every).unref()
  }

  heard(): void {
    this.#heard = true
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
