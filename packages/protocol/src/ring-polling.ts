// When a thread polls its ring rather than sleep. Two threads that poll answer each other in about two microseconds; but a
// poll takes a core, also the one that the peer may be waiting for. So one end leads: it tries where frames come close
// together, and tries again at once only where polling has shortened the time between them; the other end polls while it
// sees the leader do so. `docs/adr/0006-polling.md` has the measurements. All times are milliseconds.

/** Polling begins only where frames come closer together than this, */
const GAP_LIMIT = 0.1
/** and have done so for this long: a short burst is over before a poll has paid. */
const WARM_UP = 50
/** So long a silence ends that. */
const SILENCE = 10
/** A gap longer than this counts as this: one long silence should not take dozens of frames to forget. */
const GAP_MAX = 0.4
/**
 * What one poll may wait in vain, all in all. Longer than the scheduler lets a thread run on: where both threads share a
 * core, it is their polling at the same time that makes it move one of them.
 */
const BUDGET = 3
/** What each frame that is found gives back: about the processor time that waking up would have taken. */
const REFUND = 0.015
/** A poll has paid where it found so many frames, so many times closer together than they came before. */
const FRAMES = 64
const GAIN = 1.5
/** After a poll that has not paid there is none for a time that doubles with each. */
const PENALTY_MIN = 1
const PENALTY_MAX = 1000

export class RingPolling {
  readonly #leads: boolean
  /** The moving average of the time between arrivals. */
  #gap = GAP_MAX
  #last = Number.NEGATIVE_INFINITY
  /** When the last long silence ended. */
  #warmingSince = 0
  #penalty = 0
  #notBefore = 0
  /** Of the present poll: when it began, and what the gap was then; how many frames it found, the last one when. */
  #began = 0
  #gapBefore = 0
  #frames = 0
  #since = 0
  #budget = 0

  constructor(leads: boolean) {
    this.#leads = leads
  }

  /** Frames came by the doorbell. */
  woken(now: number): void {
    const gap = now - this.#last
    if (gap > SILENCE) this.#warmingSince = now
    this.#gap += (Math.min(GAP_MAX, gap) - this.#gap) * 0.25
    this.#last = now
  }

  /** A poll found frames at `seen`, and has handed them over `now`. */
  found(seen: number, now: number): void {
    this.#frames++
    this.#budget = Math.min(BUDGET, this.#budget + REFUND - (seen - this.#since))
    this.#since = now
    this.woken(now)
  }

  /** @param peerPolls the peer polls its own ring: whoever does not lead follows it */
  mayStart(now: number, peerPolls: boolean): boolean {
    if (this.#gap >= GAP_LIMIT) return false
    return this.#leads ? now >= this.#notBefore && now - this.#warmingSince >= WARM_UP : peerPolls
  }

  start(now: number): void {
    this.#began = this.#since = now
    this.#gapBefore = this.#gap
    this.#frames = 0
    this.#budget = BUDGET
  }

  /** Whether a poll that has found nothing now should go on. */
  mayGoOn(now: number): boolean {
    if (now - this.#since < this.#budget) return true
    const paid = this.#frames >= FRAMES && (now - this.#began) * GAIN < this.#frames * this.#gapBefore
    this.#penalty = paid ? PENALTY_MIN : Math.min(PENALTY_MAX, Math.max(PENALTY_MIN, this.#penalty * 2))
    this.#notBefore = now + this.#penalty
    return false
  }
}
