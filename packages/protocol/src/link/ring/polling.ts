// When a thread polls its ring, and how it is woken when it sleeps.
import { onNextTick } from '#platform'
import type { RingMemory } from './ring-buffer.js'

// All times are milliseconds. docs/adr/0006-polling.md has the measurements.

/**
 * Polling begins only after this number of frames without a silence, if the mean gap between them is below the second value. A short burst
 * is over before a poll has paid, and code that runs for the first time needs the processor itself. Frames above `SMALL_FRAME` bytes carry
 * many messages for each wake-up, so a poll gains less, and gaps are longer.
 */
const SMALL_FRAMES = { minFrames: 128, maxMeanGap: 0.25 }
const LARGE_FRAMES = { minFrames: 80, maxMeanGap: 1 }
const SMALL_FRAME = 512
/** A silence of this length restarts the count of frames. */
const SILENCE = 5
/** A longer gap counts as this one, so that the mean forgets a single delay within a few frames. */
const MAX_GAP = 2
/**
 * The time that one poll can wait for frames that do not come, in total. It is longer than a tick of the scheduler, 4 ms on many systems:
 * if both threads share a processor, one of them is moved only because both were runnable at a tick.
 */
const BUDGET = 5
/** The budget that each frame restores, about the processor time of a wake-up. */
const REFUND = 0.015
/** A poll has paid only if it found this many frames. With fewer, the peer probably had no processor of its own. */
const MIN_FRAMES = 64
/** A poll has paid only if it found this many times the bytes that would have come while this end slept. */
const MIN_GAIN = 1.3
/** Number of frames in the averages of sleeping, enough to give a single delay its due weight. */
const SLEEPING_FRAMES = 512
/** After a poll that did not pay, the time without polling doubles from the first value to the second. */
const MIN_PENALTY = 1
const MAX_PENALTY = 500

/** Decides when a thread polls its ring instead of sleeping. */
export interface PollPolicy {
  /** True if the last polls found next to nothing: the two threads probably share a processor, and are better off alternating. */
  readonly sharesProcessor: boolean
  /** Records frames that came while this end slept. @param position - up to which the ring has been read */
  onDoorbell(now: number, position: number): void
  /** Records frames that a poll found. @param position - up to which the ring has been read */
  onFound(now: number, position: number): void
  /** @param peerPolls - true if the peer polls its own ring */
  mayStart(now: number, peerPolls: boolean): boolean
  start(now: number): void
  mayContinue(now: number): boolean
}

/** `adaptive`: each end polls while that pays. `never`: all ends sleep, because a poll would take the core of the thread that it waits for. */
export type PollMode = 'adaptive' | 'never'

export const createPollPolicy = (mode: PollMode, leads: boolean): PollPolicy | undefined =>
  mode === 'adaptive' ? new AdaptivePolling(leads) : undefined

/**
 * Polls while frames come close together. Two threads that poll answer each other within about two microseconds. But
 * a poll occupies a processor, possibly the one that the peer waits for. So one end leads: it tries when frames come close together,
 * and tries again soon only if polling has shortened the time between them. The other end polls while it sees the leader do so.
 */
class AdaptivePolling implements PollPolicy {
  readonly #leads: boolean
  /** Moving average of the time between arrivals. */
  #meanGap = MAX_GAP
  #lastArrival = Number.NEGATIVE_INFINITY
  /** Frames since the last silence. */
  #framesInRow = 0
  /** How far the ring has been read, mod 2^32. */
  #position = 0
  // While this end sleeps: number of frames, mean time between them including delays, and their mean size.
  #sleepingFrames = 0
  #sleepingGap = 0
  #sleepingBytes = 0
  // The current poll.
  #isPolling = false
  #startedAt = 0
  #frames = 0
  #bytes = 0
  #budget = 0
  /** Since when the poll waits for the next frame; 0 if it does not wait. */
  #waitingSince = 0
  /** The last poll found fewer than `MIN_FRAMES`. */
  #foundFew = false
  #penalty = 0
  #penaltyEnd = 0

  constructor(leads: boolean) {
    this.#leads = leads
  }

  get sharesProcessor(): boolean {
    return this.#foundFew && this.#penalty > MIN_PENALTY && !this.#isPolling
  }

  onDoorbell(now: number, position: number): void {
    const gap = now - this.#lastArrival
    const bytes = this.#onArrival(now, position)
    if (gap > SILENCE) {
      // New traffic can differ from the old. Only a penalty for a lack of processors outlasts the silence.
      this.#framesInRow = 1
      this.#sleepingFrames = 0
      if (!this.#foundFew) this.#penalty = this.#penaltyEnd = 0
    } else {
      const weight = 1 / Math.min(SLEEPING_FRAMES, ++this.#sleepingFrames)
      this.#sleepingGap += (gap - this.#sleepingGap) * weight
      this.#sleepingBytes += (bytes - this.#sleepingBytes) * weight
    }
  }

  onFound(now: number, position: number): void {
    this.#frames++
    this.#bytes += this.#onArrival(now, position)
    this.#budget = Math.min(BUDGET, this.#budget + REFUND - this.#getWait(now))
    this.#waitingSince = 0
  }

  /** The end that does not lead follows its peer. */
  mayStart(now: number, peerPolls: boolean): boolean {
    const { maxMeanGap, minFrames } = this.#sleepingBytes > SMALL_FRAME ? LARGE_FRAMES : SMALL_FRAMES
    if (this.#meanGap >= maxMeanGap) return false
    return this.#leads ? now >= this.#penaltyEnd && this.#framesInRow >= minFrames : peerPolls
  }

  start(now: number): void {
    this.#isPolling = true
    this.#startedAt = now
    this.#waitingSince = 0
    this.#frames = this.#bytes = 0
    this.#budget = BUDGET
  }

  mayContinue(now: number): boolean {
    // The wait starts with the first unsuccessful check: before it, this thread handled what it had been woken for.
    this.#waitingSince ||= now
    if (this.#getWait(now) < this.#budget) return true
    this.#isPolling = false
    // The unsuccessful wait belongs to the poll and not to the time asleep.
    this.#lastArrival = now
    this.#foundFew = this.#frames < MIN_FRAMES
    const sleepingRate = this.#sleepingBytes / this.#sleepingGap
    const hasPaid = !this.#foundFew && this.#bytes > (now - this.#startedAt) * sleepingRate * MIN_GAIN
    this.#penalty = hasPaid ? MIN_PENALTY : Math.min(MAX_PENALTY, Math.max(MIN_PENALTY, this.#penalty * 2))
    this.#penaltyEnd = now + this.#penalty
    return false
  }

  #getWait(now: number): number {
    return this.#waitingSince === 0 ? 0 : now - this.#waitingSince
  }

  /** Counts an arrival. Returns the bytes since the previous one. */
  #onArrival(now: number, position: number): number {
    this.#framesInRow++
    this.#meanGap += (Math.min(MAX_GAP, now - this.#lastArrival) - this.#meanGap) * 0.25
    this.#lastArrival = now
    const bytes = (position - this.#position) >>> 0
    this.#position = position
    return bytes
  }
}

/**
 * The doorbell of a thread: an asynchronous wait on a word of a ring, which is 1 while the thread waits. It is as fast as a message of a
 * port, and has no queue that a hostile peer could fill. It does not keep the thread alive.
 */
export class RingDoorbell {
  readonly #control: Int32Array<SharedArrayBuffer>
  readonly #word: number
  readonly #onWoken: () => void
  /** One wait at a time. It can outlast times in which the word is 0, because the peer rings only if it is 1. */
  #isWaiting = false

  /** @param word - `parked` for the consumer of the ring, `wanted` for its producer */
  constructor(ring: RingMemory, word: number, onRing: () => void) {
    this.#control = ring.control
    this.#word = word
    this.#onWoken = () => {
      this.#isWaiting = false
      onRing()
    }
  }

  /** Waits for one ring. Call this after the word was set: a ring in between is noticed too. */
  listen(): void {
    if (this.#isWaiting) return
    this.#isWaiting = true
    const wait = Atomics.waitAsync(this.#control, this.#word, 1)
    if (wait.async) void wait.value.then(this.#onWoken)
    else onNextTick(this.#onWoken)
  }

  /** Ends the wait. The memory of a waiter that is never woken would leak. */
  stop(): void {
    if (this.#isWaiting) Atomics.notify(this.#control, this.#word)
  }
}
