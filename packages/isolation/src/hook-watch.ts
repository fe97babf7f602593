// Tells the host, through a word of shared memory, when this thread is inside the user's hook: the host's watchdog ends
// one that does not come back. A hook may go on in promises after it has returned, but only until this turn's have
// settled: it has no timers, and no ports.

export interface HookWatch {
  /** Before each run of the hook's code, and while it goes on with the next message: what counts is that this is called. */
  enter(): void
  /** Where the thread waits, or works, for something that is not the hook's doing. */
  rest(): void
}

const OUTSIDE = 0
const settled = Promise.resolve()

/** Without memory nobody watches. @param left is called each time that the thread has left the hook */
export function createHookWatch(memory: SharedArrayBuffer | undefined, left?: () => void): HookWatch {
  if (memory === undefined) return { enter() {}, rest() {} }
  const word = new Int32Array(memory)
  let count = 0
  let leaving = false

  // What a promise puts in the queue of ticks runs once all promises have settled, even those that new ones wait for.
  const afterPromises = (): void => {
    const seen = count
    process.nextTick(() => {
      if (count !== seen) return void settled.then(afterPromises)
      leaving = false
      Atomics.store(word, 0, OUTSIDE)
      left?.()
    })
  }

  return {
    enter() {
      count = (count + 1) | 0 || 1
      Atomics.store(word, 0, count)
      if (leaving) return
      leaving = true
      void settled.then(afterPromises)
    },
    rest: () => void Atomics.store(word, 0, OUTSIDE),
  }
}
