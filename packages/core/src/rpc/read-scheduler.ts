// How much of a frontend is served: nothing while the way back to it has no room, and no more than a share of each turn of
// core's event loop, so that a frontend that floods core takes turns with the others. What is not served yet waits in its
// link, and there makes the frontend wait.
import type { Link } from '@sallyport/protocol'
import { getTickCount } from './batching.js'
import type { SendQueue } from './send-queue.js'

/** Milliseconds of one turn that one frontend's messages may take, before those of others that wait. */
const TIME_SLICE_MS = 2
/** Messages from one look at the clock to the next: a look costs about a tenth of a short call. Fewer where they take long. */
const LOOK_EVERY = 32
/** Milliseconds that should pass between looks at most. */
const LOOK_WITHIN = 0.5

/** Why nothing is taken. */
export const PAUSED = { noRoom: 1, turnUsed: 2 } as const

const NONE: readonly never[] = []

export interface ReadSchedulerOptions {
  link: Pick<Link, 'pause' | 'resume'>
  serve(message: unknown): void
  replies: Pick<SendQueue, 'hold' | 'flush'>
  /** Called after each run of them. */
  served(): void
}

export class ReadScheduler {
  readonly #parts: ReadSchedulerOptions
  /** Of the frame that came last, from `#at` on. */
  #messages: readonly unknown[] = NONE
  #at = 0
  #held = 0
  #step = LOOK_EVERY
  #untilLook = LOOK_EVERY
  #turn = -1
  #began = 0
  #looked = 0
  #counted = 0

  constructor(parts: ReadSchedulerOptions) {
    this.#parts = parts
  }

  take(messages: readonly unknown[]): void {
    this.#messages = this.#at < this.#messages.length ? [...this.#messages.slice(this.#at), ...messages] : messages
    this.#at = 0
    if (this.#held === 0) this.#serve()
  }

  hold(why: number): void {
    if (this.#held === 0) this.#parts.link.pause()
    this.#held |= why
  }

  release(why: number): void {
    if ((this.#held & why) === 0) return
    this.#held &= ~why
    if (this.#held === 0 && this.#at < this.#messages.length) this.#serve()
    if (this.#held === 0) this.#parts.link.resume()
  }

  /** Nothing more is served. */
  stop(): void {
    this.#messages = NONE
  }

  #serve(): void {
    // What is answered at once leaves as one frame, without waiting for the turn's end.
    const { replies, serve } = this.#parts
    replies.hold()
    try {
      while (this.#at < this.#messages.length && this.#held === 0) {
        serve(this.#messages[this.#at++])
        if (--this.#untilLook === 0) this.#look()
      }
    } finally {
      replies.flush()
      this.#parts.served()
    }
  }

  #look(): void {
    const now = performance.now()
    // Quick as it was since the last look, or another turn: the next look may come later.
    let step = this.#step * 2
    // To count turns costs one: the loop does not sleep before the next.
    if (now - this.#counted >= LOOK_WITHIN) {
      this.#counted = now
      const turn = getTickCount()
      if (turn !== this.#turn) {
        this.#turn = turn
        this.#began = now
      } else {
        step = Math.floor((LOOK_WITHIN * this.#step) / (now - this.#looked))
        if (now - this.#began >= TIME_SLICE_MS) {
          this.hold(PAUSED.turnUsed)
          setImmediate(() => this.release(PAUSED.turnUsed))
        }
      }
    }
    this.#looked = now
    this.#untilLook = this.#step = Math.max(1, Math.min(LOOK_EVERY, step))
  }
}
