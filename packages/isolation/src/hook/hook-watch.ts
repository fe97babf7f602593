// The gate's part of the watchdog: marks in shared memory when the hook is running, so that the host can terminate a hook that
// hangs, and reports a hook that keeps too much memory.
import { getHeapStatistics } from 'node:v8'
import type { ConsoleSink } from '../compartment/console.js'

export interface HookWatch {
  /** Marks that the hook's code runs. Must be called before each run, also if the hook has not been left since the last. */
  enter(): void
  /** Marks that the thread waits, or works, on behalf of other code than the hook's. */
  rest(): void
  /** Called whenever the thread has left the hook. */
  onLeave?: () => void
}

const OUTSIDE = 0
/** The log of the hook that ran last in this thread: no promise of another hook has been rejected since. */
let lastLog: ConsoleSink | undefined
/** The counter of the hook that was entered last in this thread: one that another hook follows runs no more, until the promises of the tick. */
let current: Int32Array | undefined
/** True while promises of all hooks that this tick has entered can run. Whose does is unknown, so all are marked. */
let areAllMarked = false
const settled = Promise.resolve()

/**
 * Creates a watch on a shared counter, which is zero while the thread is outside of the hook. A hook can continue in promises after
 * it has returned, but only until the promises of the same tick have settled: it has neither timers nor ports.
 *
 * @param memory - without it, the hook is not watched
 * @param log - the hook's log
 */
export function createHookWatch(memory: SharedArrayBuffer | undefined, log?: ConsoleSink): HookWatch {
  if (memory === undefined) return { enter() {}, rest() {} }
  const counter = new Int32Array(memory)
  let count = 0
  let isLeaving = false

  // A tick that a promise adds with `nextTick` runs once all promises have settled, including those that others create.
  const leaveAfterPromises = (): void => {
    const countBefore = count
    areAllMarked = true
    Atomics.store(counter, 0, count)
    process.nextTick(() => {
      areAllMarked = false
      if (count !== countBefore) return void settled.then(leaveAfterPromises)
      isLeaving = false
      Atomics.store(counter, 0, OUTSIDE)
      watch.onLeave?.()
    })
  }

  const watch: HookWatch = {
    enter() {
      count = (count + 1) | 0 || 1
      if (current && current !== counter && !areAllMarked) Atomics.store(current, 0, OUTSIDE)
      current = counter
      Atomics.store(counter, 0, count)
      if (isLeaving) return
      isLeaving = true
      lastLog = log
      void settled.then(leaveAfterPromises)
    },
    rest: () => void Atomics.store(counter, 0, OUTSIDE),
  }
  return watch
}

/** Reports a rejected promise of a hook, which must not end its gate. The reason is not read, because reading it can run the hook's code. */
export const reportRejection = (): void =>
  lastLog?.('warn', 'The isolation hook did not catch the rejection of a promise')

const MiB = 2 ** 20

/** Limit of the thread's heap in bytes. Without a hook, the heap needs 10 to 200 MB, depending on the size of messages. */
export const MAX_HEAP: number = 768 * MiB
/** Limit of ArrayBuffers in bytes, which are outside of the heap: several messages of the largest size, and their records. */
export const MAX_OUTSIDE: number = 2048 * MiB

/** A check takes 0.2 to 10 µs, so not every run of the hook is followed by one. */
const RUNS_PER_CHECK = 16
/** A hook that runs long can allocate much: the memory is also checked after this time. */
const CHECK_INTERVAL_MS = 10

export interface MemoryUsage {
  used_heap_size: number
  external_memory?: number
}

/**
 * Creates a function to call after each run of the hook. It reports the limit that is exceeded, once. V8's own limits are not enough: a
 * full heap ends the whole process if one large object does not fit, such as the table of a growing Map. It does not limit bytes.
 */
export function createMemoryCheck(
  onExceeded: (limit: string) => void,
  getUsage: () => MemoryUsage = getHeapStatistics,
): () => void {
  let runs = 0
  let checkedAt = 0
  let isExceeded = false
  return () => {
    runs += 1
    const now = performance.now()
    if (isExceeded || (runs < RUNS_PER_CHECK && now - checkedAt < CHECK_INTERVAL_MS)) return
    runs = 0
    checkedAt = now
    const { used_heap_size: heap, external_memory: outside = 0 } = getUsage()
    isExceeded = heap >= MAX_HEAP || outside >= MAX_OUTSIDE
    if (isExceeded) onExceeded(heap >= MAX_HEAP ? `${MAX_HEAP / MiB} MiB` : `${MAX_OUTSIDE / MiB} MiB of bytes`)
  }
}
