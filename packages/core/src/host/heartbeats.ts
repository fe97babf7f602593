// Finds threads that do nothing but compute: what a worker's timer writes into its word of memory does not change any more.
// It is the watchdog of hooks with another limit: one for each limit that somebody has set.
import { createWatchdog, type Watchdog } from './watchdog.js'

const watchdogs = new Map<number, Watchdog>()

/** Calls `stuck`, once, where the word in `memory` stays the same for `limit` milliseconds. Gives back what ends that. */
export function watchHeartbeat(memory: SharedArrayBuffer, limit: number, stuck: () => void): () => void {
  let watchdog = watchdogs.get(limit)
  if (!watchdog) watchdogs.set(limit, (watchdog = createWatchdog(limit)))
  return watchdog.watch(memory, stuck)
}
