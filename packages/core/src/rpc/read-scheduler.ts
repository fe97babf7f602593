// Fair scheduling of what a session reads: nothing while the link to its frontend has no room, and at most one time slice per
// tick, so that a busy frontend cannot starve the others. Unread messages stay in the link, which makes the frontend wait.
import { onNextTick } from '@sallyport/protocol/internal/util'
import type { Link } from '@sallyport/protocol/internal/wire'

/** Time that one session's messages can take in one tick, if others wait. */
const TIME_SLICE_MS = 2
/** Messages between two checks of the clock, at most: a check costs about a tenth of a short call. */
const CHECK_EVERY = 32
/** Time between two checks of the clock. Slow messages make checks more frequent. */
const CHECK_INTERVAL_MS = 0.5

/** Reasons to read nothing, as bits. */
export const PAUSED = { noRoom: 1, timeSliceUsed: 2 } as const

const NO_MESSAGES: readonly never[] = []

export class ReadScheduler {
  readonly #link: Pick<Link, 'pause' | 'resume'>
  readonly #serve: () => void
  /** Messages of the latest frame. Those from `#next` on are unread. */
  #messages: readonly unknown[] = NO_MESSAGES
  #next = 0
  #paused = 0
  #messagesPerCheck = CHECK_EVERY
  #messagesUntilCheck = CHECK_EVERY
  #checkedAt = 0
  #tick = -1
  #tickStartedAt = 0
  #tickCountedAt = 0

  /** @param serve called when reading goes on after a pause: serves messages while the scheduler `isReady` */
  constructor(link: Pick<Link, 'pause' | 'resume'>, serve: () => void) {
    this.#link = link
    this.#serve = serve
  }

  /** Adds the messages of a frame. Returns true if they can be served now. 4 KiB count as a message: large ones take longer. */
  add(messages: readonly unknown[], bytes: number): boolean {
    this.#messagesUntilCheck -= bytes >> 12
    const hasUnread = this.#next < this.#messages.length
    this.#messages = hasUnread ? [...this.#messages.slice(this.#next), ...messages] : messages
    this.#next = 0
    return this.#paused === 0
  }

  /** True if `take` may be called. Checks the clock now and then. */
  get isReady(): boolean {
    if (this.#messagesUntilCheck <= 0) this.#checkClock()
    return this.#paused === 0 && this.#next < this.#messages.length
  }

  take(): unknown {
    this.#messagesUntilCheck--
    return this.#messages[this.#next++]
  }

  pause(reason: number): void {
    if (this.#paused === 0) this.#link.pause()
    this.#paused |= reason
  }

  /** Undoes `pause` with this reason. Reading goes on once no reason is left. */
  resume(reason: number): void {
    if ((this.#paused & reason) === 0) return
    this.#paused &= ~reason
    if (this.#paused === 0 && this.#next < this.#messages.length) this.#serve()
    if (this.#paused === 0) this.#link.resume()
  }

  stop(): void {
    this.#messages = NO_MESSAGES
  }

  #checkClock(): void {
    const now = performance.now()
    // Still within the interval, or on a new tick: check half as often.
    let messagesPerCheck = this.#messagesPerCheck * 2
    // Ticks are not counted at each check, because counting keeps the event loop from sleeping for one tick.
    if (now - this.#tickCountedAt >= CHECK_INTERVAL_MS) {
      this.#tickCountedAt = now
      const tick = getTickCount()
      if (tick !== this.#tick) {
        this.#tick = tick
        this.#tickStartedAt = now
      } else {
        messagesPerCheck = Math.floor((CHECK_INTERVAL_MS * this.#messagesPerCheck) / (now - this.#checkedAt))
        if (now - this.#tickStartedAt >= TIME_SLICE_MS) {
          this.pause(PAUSED.timeSliceUsed)
          onNextTick(() => this.resume(PAUSED.timeSliceUsed))
        }
      }
    }
    this.#checkedAt = now
    this.#messagesUntilCheck = this.#messagesPerCheck = Math.max(1, Math.min(CHECK_EVERY, messagesPerCheck))
  }
}

let tickCount = 0
let isCounting = false

/** Returns a number that grows with each tick in which it is asked for. The event loop does not sleep before the next tick. */
function getTickCount(): number {
  if (isCounting) return tickCount
  isCounting = true
  onNextTick(() => {
    isCounting = false
    tickCount++
  })
  return tickCount
}
