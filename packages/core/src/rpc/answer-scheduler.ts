// Decides when core sends late answers. Those of one tick leave in one frame: a frame for each, and a wake-up of the peer,
// would cost more than the answer. Answers that a received frame leads to by promises alone leave as soon as these settle.
import type { FlushScheduler } from '@sallyport/protocol/internal'

let isFlushingAfterMicrotasks = false

/** Flushes at the end of the tick, after everything that is ready, or once the promises of a received frame have settled. */
export const answerScheduler: FlushScheduler = {
  schedule(flush) {
    if (isFlushingAfterMicrotasks) process.nextTick(flush)
    else setImmediate(flush)
  },
}

/** Called when handlers of a received frame have returned promises. Until these have settled, `answerScheduler` flushes after microtasks. */
export function flushAfterMicrotasks(): void {
  if (isFlushingAfterMicrotasks) return
  isFlushingAfterMicrotasks = true
  queueMicrotask(afterMicrotask)
}

// `nextTick` within a microtask runs after all microtasks. Called outside of one, it would run before them.
const afterMicrotask = (): void => process.nextTick(endMicrotasks)

function endMicrotasks(): void {
  isFlushingAfterMicrotasks = false
}
