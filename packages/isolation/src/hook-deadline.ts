// Deadlines that share one timer. All are equally long, so that the oldest always ends first: a set in order of its
// entries is all the queue there is, and a message costs no timer.

export interface Deadlines {
  /** Starts one; `missed` is called when it passes. The function ends it: true if it had not passed, nor ended before. */
  start(missed: () => void): () => boolean
}

interface Pending {
  readonly at: number
  readonly missed: () => void
}

const LONGEST_TIMER = 2 ** 31 - 1

/** `milliseconds` may be `Infinity`. The timer does not keep the thread alive. */
export function createDeadlines(milliseconds: number): Deadlines {
  const pending = new Set<Pending>()
  let timer: NodeJS.Timeout | undefined

  function arm(): void {
    const [first] = pending
    if (first === undefined || first.at === Infinity) return
    timer = setTimeout(expire, Math.min(Math.max(first.at - performance.now(), 1), LONGEST_TIMER))
    timer.unref()
  }

  function expire(): void {
    timer = undefined
    const now = performance.now()
    for (const entry of pending) {
      if (entry.at > now) break
      pending.delete(entry)
      entry.missed()
    }
    arm()
  }

  return {
    start(missed) {
      const entry = { at: performance.now() + milliseconds, missed }
      pending.add(entry)
      if (timer === undefined) arm()
      return () => pending.delete(entry)
    },
  }
}
