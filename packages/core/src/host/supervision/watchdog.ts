// Detects hung isolation hooks and blocked event loops by polling shared counters. The watchdog counts polls instead of reading
// the clock, so a suspended process is not mistaken for a hang.
import { createRequire } from 'node:module'

/** Polls in each timeout: a hang is detected at most a quarter of the timeout late. */
const POLLS_PER_TIMEOUT = 4
/** The counter's value while a gate's thread is outside the hook. */
const IDLE = 0

interface WatchedCounter {
  readonly counter: Int32Array
  readonly onStuck: () => void
  lastValue: number
  unchangedPolls: number
}

export interface Watchdog {
  /** Calls `onStuck` once if the counter in `memory` does not change for the timeout. Returns a function that stops watching. */
  watch(memory: SharedArrayBuffer, onStuck: () => void): () => void
}

/**
 * @param timeout - milliseconds that a hook is given for one message
 * @param isDebugged - nothing counts as stuck while this returns true: a developer might be at a breakpoint
 */
export function createWatchdog(timeout: number, isDebugged: () => boolean = isInspectorOpen): Watchdog {
  const watched = new Set<WatchedCounter>()
  let timer: NodeJS.Timeout | undefined

  function poll(): void {
    for (const entry of watched) {
      const value = Atomics.load(entry.counter, 0)
      const isUnchanged = value !== IDLE && value === entry.lastValue && !isDebugged()
      entry.unchangedPolls = isUnchanged ? entry.unchangedPolls + 1 : 0
      entry.lastValue = value
      if (entry.unchangedPolls < POLLS_PER_TIMEOUT) continue
      remove(entry)
      entry.onStuck()
    }
  }

  function remove(entry: WatchedCounter): void {
    watched.delete(entry)
    if (watched.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  return {
    watch(memory, onStuck) {
      const entry: WatchedCounter = { counter: new Int32Array(memory), onStuck, lastValue: IDLE, unchangedPolls: 0 }
      watched.add(entry)
      timer ??= setInterval(poll, timeout / POLLS_PER_TIMEOUT).unref()
      return () => remove(entry)
    },
  }
}

/** Loads the module on first use, because Node can be built without an inspector. */
function isInspectorOpen(): boolean {
  try {
    const { url } = createRequire(import.meta.url)('node:inspector') as typeof import('node:inspector')
    return url() !== undefined
  } catch {
    return false
  }
}

/** One watchdog for each timeout in use. */
const heartbeatWatchdogs = new Map<number, Watchdog>()

/** Calls `onStuck` once if a worker's heartbeat does not change for `timeout` ms. Returns a function that stops watching. */
export function watchHeartbeat(memory: SharedArrayBuffer, timeout: number, onStuck: () => void): () => void {
  let watchdog = heartbeatWatchdogs.get(timeout)
  if (!watchdog) heartbeatWatchdogs.set(timeout, (watchdog = createWatchdog(timeout)))
  return watchdog.watch(memory, onStuck)
}
