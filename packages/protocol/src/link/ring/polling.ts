// When a thread polls its ring rather than sleep. Two threads that poll answer each other in about two microseconds; but a
// poll takes a core, also the one that the peer may be waiting for. So one end leads: it tries where frames come close
// together, and tries again at once only where polling has shortened the time between them; the other end polls while it
// sees the leader do so. `docs/adr/0006-polling.md` has the measurements. All times are milliseconds.
import { RING_WORD, type RingMemory } from './ring-buffer.js'

/** Polling begins only where frames come closer together than this, */
const GAP_LIMIT = 0.25
/** and have done so for this long: a short burst is over before a poll has paid. */
const WARM_UP = 50
/** So long a silence ends that. */
const SILENCE = 10
/** A gap longer than this counts as this: one delay should not take dozens of frames to forget. */
const GAP_MAX = 0.6
/**
 * What one poll may wait in vain, all in all. Longer than the scheduler lets a thread run on: where both threads share a
 * core, it is their polling at the same time that makes it move one of them.
 */
const BUDGET = 3
/** What each frame that is found gives back: about the processor time that waking up would have taken. */
const REFUND = 0.015
/** A poll has paid where it found so many frames, and so many times the bytes that come while this end sleeps. */
const FRAMES = 64
const GAIN = 1.1
/** What comes while this end sleeps is averaged over so many frames: enough that one delay weighs what it should. */
const ASLEEP_FRAMES = 512
/** After a poll that has not paid there is none for a time that doubles with each. */
const PENALTY_MIN = 1
const PENALTY_MAX = 500

export class RingPolling {
  readonly #leads: boolean
  /** The moving average of the time between arrivals. */
  #gap = GAP_MAX
  #last = Number.NEGATIVE_INFINITY
  /** When the last long silence ended. */
  #warmingSince = 0
  /** How far the ring had been read then, mod 2^32. */
  #position = 0
  /** While this end sleeps: the mean time between frames, delays and all, and their mean size. */
  #asleepFrames = 0
  #asleepGap = 0
  #asleepBytes = 0
  /** Of the present poll: when it began, how many frames and bytes it found, and since when it looks for the next. */
  #began = 0
  #frames = 0
  #bytes = 0
  #lookedAt = 0
  #budget = 0
  #polls = false
  #penalty = 0
  #notBefore = 0

  constructor(leads: boolean) {
    this.#leads = leads
  }

  /** The last poll did not pay: the two threads are better off taking turns. */
  get didNotPay(): boolean {
    return this.#penalty > PENALTY_MIN && !this.#polls
  }

  /** Frames came by the doorbell; the ring has been read up to `position`. */
  onDoorbell(now: number, position: number): void {
    const gap = now - this.#last
    const bytes = this.#read(position)
    if (gap > SILENCE) this.#warmingSince = now
    else {
      const weight = 1 / Math.min(ASLEEP_FRAMES, ++this.#asleepFrames)
      this.#asleepGap += (gap - this.#asleepGap) * weight
      this.#asleepBytes += (bytes - this.#asleepBytes) * weight
    }
    this.#arrived(now)
  }

  /** A poll found frames; the ring has been read up to `position`. */
  onFound(now: number, position: number): void {
    this.#frames++
    this.#bytes += this.#read(position)
    this.#budget = Math.min(BUDGET, this.#budget + REFUND - this.#waited(now))
    this.#lookedAt = 0
    this.#arrived(now)
  }

  /** @param peerPolls the peer polls its own ring: whoever does not lead follows it */
  mayStart(now: number, peerPolls: boolean): boolean {
    if (this.#gap >= GAP_LIMIT) return false
    return this.#leads ? now >= this.#notBefore && now - this.#warmingSince >= WARM_UP : peerPolls
  }

  start(now: number): void {
    this.#began = now
    this.#lookedAt = 0
    this.#frames = this.#bytes = 0
    this.#budget = BUDGET
    this.#polls = true
  }

  /** Whether a poll that has found nothing now should go on. */
  mayContinue(now: number): boolean {
    // From the first look in vain on: before it, this thread did what it was woken for.
    this.#lookedAt ||= now
    if (this.#waited(now) < this.#budget) return true
    this.#polls = false
    // What was waited in vain is the poll's, and not counted to the time asleep.
    this.#last = now
    const asleepRate = this.#asleepBytes / this.#asleepGap
    const paid = this.#frames >= FRAMES && this.#bytes > (now - this.#began) * asleepRate * GAIN
    this.#penalty = paid ? PENALTY_MIN : Math.min(PENALTY_MAX, Math.max(PENALTY_MIN, this.#penalty * 2))
    this.#notBefore = now + this.#penalty
    return false
  }

  #waited(now: number): number {
    return this.#lookedAt === 0 ? 0 : now - this.#lookedAt
  }

  /** How many bytes came since this was last asked. */
  #read(position: number): number {
    const bytes = (position - this.#position) >>> 0
    this.#position = position
    return bytes
  }

  #arrived(now: number): void {
    this.#gap += (Math.min(GAP_MAX, now - this.#last) - this.#gap) * 0.25
    this.#last = now
  }
}

// The doorbell of a thread: an asynchronous wait on the word that says it is parked. It measures the same as a port's
// message, and leaves no queue that a hostile side could fill; it does not keep a thread alive, which the port does.

// ES2024, in every Node that is supported; the libraries that TypeScript loads here end before.
type WaitAsync = (
  words: Int32Array,
  index: number,
  value: number,
) => { async: false; value: string } | { async: true; value: Promise<string> }
const { waitAsync } = Atomics as unknown as { waitAsync: WaitAsync }

export class RingDoorbell {
  readonly #control: Int32Array<SharedArrayBuffer>
  readonly #rung: () => void
  /** One wait at a time. It outlives times in which nobody is parked: nobody rings then. */
  #waits = false

  constructor(ring: RingMemory, heard: () => void) {
    this.#control = ring.control
    this.#rung = () => {
      this.#waits = false
      heard()
    }
  }

  /** Waits to be rung once. To be called after `park`: a ring in between is heard as well. */
  listen(): void {
    if (this.#waits) return
    this.#waits = true
    const wait = waitAsync(this.#control, RING_WORD.parked, 1)
    if (wait.async) void wait.value.then(this.#rung)
    else setImmediate(this.#rung)
  }

  /** Lets the wait go: a waiter that is never woken is memory that is never freed. */
  stop(): void {
    if (this.#waits) Atomics.notify(this.#control, RING_WORD.parked, 16)
  }
}
