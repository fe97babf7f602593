// Tells the host, through a word of shared memory, when this thread is inside the user's hook: the host's watchdog ends
// one that does not come back. A hook may go on in promises after it has returned, but only until this turn's have
// settled: it has no timers, and no ports.
import { getHeapStatistics } from 'node:v8'

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

// Ends a hook that keeps more and more, before V8 would: a thread whose heap is full takes the whole process with it where
// what does not fit is one large thing, as the table of a Map or a Set that grows. Bytes are outside the heap, where V8 bounds
// nothing at all.

const MiB = 2 ** 20

/** In bytes, of the whole thread. Without a hook its heap needs 10 to 200 MB, by the size of its messages. */
export const MAX_HEAP: number = 768 * MiB
/** Bytes outside the heap, of ArrayBuffers: several messages of the largest size, and their records. */
export const MAX_OUTSIDE: number = 2048 * MiB

/** A look takes 0.2 to 10 µs. */
const TURNS_PER_LOOK = 16
/** Turns that take long may keep much: after so many milliseconds the next is looked at. */
const TIME_PER_LOOK = 10

/** The numbers of `getHeapStatistics` that are looked at. */
export interface Used {
  used_heap_size: number
  external_memory?: number
}

/** To be called after each turn of the hook. Tells, once, how much is too much. */
export function createMemoryCheck(exceeded: (what: string) => void, look: () => Used = getHeapStatistics): () => void {
  let turns = 0
  let looked = 0
  let over = false
  return () => {
    turns += 1
    const now = performance.now()
    if (over || (turns < TURNS_PER_LOOK && now - looked < TIME_PER_LOOK)) return
    turns = 0
    looked = now
    const { used_heap_size: heap, external_memory: outside = 0 } = look()
    over = heap >= MAX_HEAP || outside >= MAX_OUTSIDE
    if (over) exceeded(heap >= MAX_HEAP ? `${MAX_HEAP / MiB} MiB` : `${MAX_OUTSIDE / MiB} MiB of bytes`)
  }
}
