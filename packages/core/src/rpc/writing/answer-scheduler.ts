// Decides when core sends late answers. Those of one tick leave in one frame: a frame for each, and a wake-up of the peer,
// would cost more than the answer. Answers that a received frame leads to by promises alone leave as soon as these settle.
import { nextTick, onNextTick, queueMicrotask } from '@sallyport/protocol/internal/util'
import type { FlushScheduler } from '@sallyport/protocol/internal/rpc'

/**
 * The scheduler of all sessions of a core, which owns it. They share it because one session's call can send to another: the event or
 * the call of a function that its handler makes leaves as early as its answer.
 */
export class AnswerScheduler implements FlushScheduler {
  #isFlushingAfterMicrotasks = false

  /** Flushes at the end of the tick, after everything that is ready, or once the promises of a received frame have settled. */
  schedule(flush: () => void): void {
    if (this.#isFlushingAfterMicrotasks) nextTick(flush)
    else onNextTick(flush)
  }

  /** Called when a received frame has led to promises. Until these have settled, `schedule` flushes after microtasks. */
  flushAfterMicrotasks(): void {
    if (this.#isFlushingAfterMicrotasks) return
    this.#isFlushingAfterMicrotasks = true
    queueMicrotask(this.#afterMicrotask)
  }

  // `nextTick` within a microtask runs after all microtasks. Called outside of one, it would run before them.
  readonly #afterMicrotask = (): void => nextTick(this.#endMicrotasks)

  readonly #endMicrotasks = (): void => {
    this.#isFlushingAfterMicrotasks = false
  }
}
