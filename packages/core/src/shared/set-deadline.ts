// A deadline by which this thread has to have heard from another one.

/**
 * Calls `onLate` after `ms` milliseconds. If this thread was busy, it first reads what has arrived meanwhile, which can end the deadline: the event
 * loop runs timers before it reads. Returns a function that ends it.
 */
export function setDeadline(ms: number, onLate: () => void): () => void {
  let immediate: NodeJS.Immediate | undefined
  const timer = setTimeout(() => (immediate = setImmediate(onLate)), ms)
  return () => {
    clearTimeout(timer)
    clearImmediate(immediate)
  }
}
