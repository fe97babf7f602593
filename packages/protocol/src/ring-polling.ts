// When a thread polls its ring rather than sleep: only while frames come close together, never long, and less and less
// where polls find nothing. Sparse traffic so never spins, a machine that has no core to spare stops spinning within a few
// misses, and a hot loop spins. `docs/adr/0006-polling.md` has the measurements. All times are milliseconds.

/** Polling begins only where frames come closer together than this. */
const GAP_LIMIT = 0.25
/** A gap longer than this counts as this: one long silence should not take dozens of frames to forget. */
const GAP_MAX = 20
/** A poll that finds nothing ends after three gaps and a little, at the latest after this. */
const POLL_MAX = 0.3
const POLL_EXTRA = 0.02
/** After a poll in vain there is none for a time that doubles with each. */
const PENALTY_MIN = 1
const PENALTY_MAX = 1000
/** So many polls that found something, with none in vain, forgive the penalty. */
const HITS_TO_FORGIVE = 64

export class RingPolling {
  /** The moving average of the time between arrivals. */
  #gap = GAP_MAX
  #last = Number.NEGATIVE_INFINITY
  /** When the present poll last found something, or began. */
  #since = 0
  #penalty = 0
  #notBefore = 0
  #hits = 0

  /** Frames came by the doorbell. A gap that grows is believed sooner than one that shrinks. */
  woken(now: number): void {
    this.#arrived(now, now - this.#last > this.#gap ? 0.5 : 0.25)
  }

  /** A poll found frames. */
  found(now: number): void {
    if (++this.#hits > HITS_TO_FORGIVE) this.#penalty = 0
    this.#arrived(now, 0.25)
    this.#since = now
  }

  mayStart(now: number): boolean {
    return this.#gap < GAP_LIMIT && now >= this.#notBefore
  }

  start(now: number): void {
    this.#since = now
  }

  /** Whether a poll that has found nothing should go on; `false` counts as a miss. */
  mayGoOn(now: number): boolean {
    if (now - this.#since <= Math.min(POLL_MAX, this.#gap * 3 + POLL_EXTRA)) return true
    this.#hits = 0
    this.#penalty = Math.min(PENALTY_MAX, Math.max(PENALTY_MIN, this.#penalty * 2))
    this.#notBefore = now + this.#penalty
    return false
  }

  #arrived(now: number, weight: number): void {
    this.#gap += (Math.min(GAP_MAX, now - this.#last) - this.#gap) * weight
    this.#last = now
  }
}
