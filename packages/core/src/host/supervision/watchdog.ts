// Finds hooks that do not come back. It looks at what each gate has written of itself, a few times in every limit: who is
// inside the hook for one message, at so many looks in a row, is stuck. Looks are counted and no clock is read, so that
// time in which the whole process stood still is nobody's fault.
import { createRequire } from 'node:module'

/** Looks for each limit: a hook is ended a fourth of the limit late at most. */
const LOOKS = 4
/** What a gate's word holds while its thread is outside the hook. */
const OUTSIDE = 0

interface Watched {
  readonly word: Int32Array
  readonly stuck: () => void
  seen: number
  looks: number
}

export interface Watchdog {
  /** Calls `stuck`, once, if the hook that writes here does not come back. Gives back what ends that. */
  watch(memory: SharedArrayBuffer, stuck: () => void): () => void
}

/**
 * @param limit milliseconds that a hook may take for one message
 * @param debugged while it says so, nothing is stuck: somebody stands at a breakpoint
 */
export function createWatchdog(limit: number, debugged: () => boolean = isInspected): Watchdog {
  const all = new Set<Watched>()
  let timer: NodeJS.Timeout | undefined

  function look(): void {
    for (const one of all) {
      const now = Atomics.load(one.word, 0)
      one.looks = now !== OUTSIDE && now === one.seen && !debugged() ? one.looks + 1 : 0
      one.seen = now
      if (one.looks < LOOKS) continue
      forget(one)
      one.stuck()
    }
  }

  function forget(one: Watched): void {
    all.delete(one)
    if (all.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  return {
    watch(memory, stuck) {
      const one: Watched = { word: new Int32Array(memory), stuck, seen: OUTSIDE, looks: 0 }
      all.add(one)
      timer ??= setInterval(look, limit / LOOKS).unref()
      return () => forget(one)
    },
  }
}

/** Loaded when it is first asked: a Node without an inspector has no such module. */
function isInspected(): boolean {
  try {
    const { url } = createRequire(import.meta.url)('node:inspector') as typeof import('node:inspector')
    return url() !== undefined
  } catch {
    return false
  }
}

// Finds threads that do nothing but compute: what a worker's timer writes into its word of memory does not change any more.
// It is the watchdog of hooks with another limit: one for each limit that somebody has set.

const watchdogs = new Map<number, Watchdog>()

/** Calls `stuck`, once, where the word in `memory` stays the same for `limit` milliseconds. Gives back what ends that. */
export function watchHeartbeat(memory: SharedArrayBuffer, limit: number, stuck: () => void): () => void {
  let watchdog = watchdogs.get(limit)
  if (!watchdog) watchdogs.set(limit, (watchdog = createWatchdog(limit)))
  return watchdog.watch(memory, stuck)
}
