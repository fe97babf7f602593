// Decides when core sends late answers. Those of one tick leave in one frame: a frame for each, and a wake-up of the peer,
// would cost more than the answer. Answers that a received frame leads to by promises alone leave as soon as these settle.

let isFlushingAfterMicrotasks = false

/** Called when handlers of a received frame have returned promises. Until these have settled, `onEndOfTick` flushes after microtasks. */
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

/** Calls `flush` at the end of the tick, or once the promises of a received frame have settled. */
export function onEndOfTick(flush: () => void): void {
  if (isFlushingAfterMicrotasks) process.nextTick(flush)
  else setImmediate(flush)
}

let tickCount = 0
let isCounting = false

/** Returns a number that grows with each tick in which it is asked for. The event loop does not sleep before the next tick. */
export function getTickCount(): number {
  if (!isCounting) {
    isCounting = true
    setImmediate(countTick)
  }
  return tickCount
}

function countTick(): void {
  isCounting = false
  tickCount++
}
