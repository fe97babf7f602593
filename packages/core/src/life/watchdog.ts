// What the host sees of a thread from outside. Shared counters show hung isolation hooks and blocked event loops: turns are counted instead of
// reading the clock, so a suspended process is not mistaken for a hang. And how long a thread has run: its event loop and the CPU time of its process.
import { every, type Heartbeat } from '@sallyport/protocol/internal/contract'
import { createRequire } from 'node:module'
import type { Worker } from 'node:worker_threads'

/** Polls in each timeout: a hang is detected at most a quarter of the timeout late. */
const POLLS_PER_TIMEOUT = 4
/** The counter's value while a gate's thread is outside the hook. */
const IDLE = 0

/**
 * Calls `onStuck` once if the counter does not change for `timeout` ms in which the thread could run, except at a breakpoint. Returns a function that
 * stops watching.
 *
 * @param thread - the one that counts, if it can be one of several in its thread
 */
export function watchCounter(
  memory: SharedArrayBuffer,
  timeout: number,
  onStuck: () => void,
  thread: Pick<RunningThread, 'readEntries'> = {},
  isDebugged: () => boolean = isInspectorOpen,
): () => void {
  const counter = new Int32Array(memory)
  const turn = timeout / POLLS_PER_TIMEOUT
  let turns = 0
  let sign: unknown
  let from: number | undefined
  const poll = (): void => {
    turns += turn
    const value = Atomics.load(counter, 0)
    // The relay of a process knows for how long that could not run.
    const now = turns - (counter.length > 1 ? Atomics.load(counter, 1) : 0)
    const next = `${value} ${thread.readEntries?.() ?? ''}`
    if (value === IDLE || isDebugged() || next !== sign) from = undefined
    sign = next
    if (value === IDLE || isDebugged()) return
    from ??= now
    if (now - from < timeout) return
    end()
    onStuck()
  }
  const end = every(turn, poll)
  return end
}

/** True while a debugger can be attached. Loads the module on first use, because Node can be built without an inspector. */
export function isInspectorOpen(): boolean {
  try {
    const { url }: typeof import('node:inspector') = createRequire(import.meta.url)('node:inspector')
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

export interface RunningThread {
  /** How long the event loop of its thread was busy. Absent if that is not known, as of a process. */
  readonly performance?: Worker['performance'] | undefined
  /** Milliseconds of CPU time of its process. By default, of this one. */
  readProcessCpuMs?(): number
  /** True while its thread, which has other members, does not run its code. Absent if it has a thread of its own. */
  readonly isHeld?: boolean
  /** How often code of the other members of its thread was entered. Absent if it has a thread of its own. */
  readEntries?(): number
}

/** Share of the time in which a thread waits within its code that counts: for something that never comes, but also for a core of a busy machine. */
const WAITING_SHARE = 0.1

const readCpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/**
 * Returns a function that reads the milliseconds for which code has run since the function was first called: time in which the event loop of its thread
 * does not wait to be woken, no neighbor runs, and for which this process has used a core. Returns `undefined` where that is unknown.
 */
export function createRunningTime(thread: RunningThread): (turn: number) => number | undefined {
  let last: { active: number; cpu: number; entries: number | undefined } | undefined
  let running = 0
  return turn => {
    const { performance } = thread
    // It is not charged for what passes until it can tell again.
    if (!performance) return (last = undefined)
    const { active } = performance.eventLoopUtilization()
    const cpu = thread.readProcessCpuMs?.() ?? readCpuMs()
    const entries = thread.readEntries?.()
    const wasHeld = thread.isHeld === true || entries !== (last?.entries ?? entries)
    const passed = wasHeld ? 0 : active - (last?.active ?? active)
    // A process that was stopped has waited for no more than a turn.
    const waited = Math.min(passed, turn) * WAITING_SHARE
    running += Math.max(Math.min(passed, cpu - (last?.cpu ?? cpu)), waited)
    last = { active, cpu, entries }
    return running
  }
}
