// Detects a peer that is gone or stopped. One timer a link, which messages do not touch.

/** Unanswered pings after which the peer counts as lost. */
const MAX_PINGS_OUT = 3
/** Share of the heartbeat that a suspected peer has to answer. */
const SUSPECT_SHARE = 0.5

export class KeepAlive {
  readonly #ping: () => void
  readonly #lost: (silenceMs: number) => void
  /** Silence after which the peer is lost in any case. */
  readonly #silenceMs: number
  readonly #timer: NodeJS.Timeout
  #hasReceived = false
  #pingsOut = 0
  #suspicion: NodeJS.Timeout | undefined
  #suspicionMs: number

  /** @param heartbeat - milliseconds of silence before a ping, and between pings */
  constructor(heartbeat: number, ping: () => void, lost: (silenceMs: number) => void) {
    this.#ping = ping
    this.#lost = lost
    this.#suspicionMs = SUSPECT_SHARE * heartbeat
    this.#silenceMs = (MAX_PINGS_OUT + 1) * heartbeat
    this.#timer = setInterval(() => {
      if (this.#hasReceived) this.#pingsOut = 0
      else if (this.#pingsOut++ === MAX_PINGS_OUT) return lost(this.#silenceMs)
      else ping()
      this.#hasReceived = false
    }, heartbeat).unref()
  }

  messageReceived(): void {
    this.#hasReceived = true
    if (!this.#suspicion) return
    this.#endSuspicion()
    this.#suspicionMs *= 2
  }

  /** Ends a silent peer soon. The delay doubles after each false alarm; beyond the regular timeout, suspicions are ignored. */
  suspect(): void {
    const delay = this.#suspicionMs
    if (this.#suspicion || delay >= this.#silenceMs) return
    this.#suspicion = setTimeout(() => {
      // Messages that have already arrived are handled first.
      setImmediate(() => this.#suspicion && this.#lost(delay))
    }, delay).unref()
    this.#ping()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#endSuspicion()
  }

  #endSuspicion(): void {
    clearTimeout(this.#suspicion)
    this.#suspicion = undefined
  }
}
