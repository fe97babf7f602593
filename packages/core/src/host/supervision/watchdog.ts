// Detects hung isolation hooks and blocked event loops by polling shared counters. The watchdog counts polls instead of reading
// the clock, so a suspended process is not mistaken for a hang.
import { createRequire } from 'node:module'
import { every, type Heartbeat } from '@sallyport/protocol/internal/contract'

/** Polls in each timeout: a hang is detected at most a quarter of the timeout late. */
const POLLS_PER_TIMEOUT = 4
/** The counter's value while a gate's thread is outside the hook. */
const IDLE = 0

/** Calls `onStuck` once if the counter does not change for `timeout` ms, except at a breakpoint. Returns a function that stops watching. */
export function watchCounter(
  memory: SharedArrayBuffer,
  timeout: number,
  onStuck: () => void,
  isDebugged: () => boolean = isInspectorOpen,
): () => void {
  const counter = new Int32Array(memory)
  let lastValue = IDLE
  let unchangedPolls = 0
  const poll = (): void => {
    const value = Atomics.load(counter, 0)
    const isUnchanged = value !== IDLE && value === lastValue && !isDebugged()
    unchangedPolls = isUnchanged ? unchangedPolls + 1 : 0
    lastValue = value
    if (unchangedPolls < POLLS_PER_TIMEOUT) return
    end()
    onStuck()
  }
  const end = every(timeout / POLLS_PER_TIMEOUT, poll)
  return end
}

/** True while a debugger can be attached. Loads the module on first use, because Node can be built without an inspector. */
export function isInspectorOpen(): boolean {
  try {
    const { url } = createRequire(import.meta.url)('node:inspector') as typeof import('node:inspector')
    return url() !== undefined
  } catch {
    return false
  }
}

/** Beats of a limit: a thread whose event loop turns so often has read what it was sent before. */
const BEATS = 8

/** Calls `onTurned` once a thread has beaten eight times from now on, unless `isOver` says that nobody waits for it any more. */
export function awaitBeats(heartbeat: Heartbeat, isOver: () => boolean, onTurned: () => void): void {
  const word = new Int32Array(heartbeat.memory)
  let last = Atomics.load(word, 0)
  let beats = 0
  const end = every(heartbeat.every, () => {
    const next = Atomics.load(word, 0)
    if (next !== last) beats++
    last = next
    if (!isOver() && beats < BEATS) return
    end()
    if (!isOver()) onTurned()
  })
}
