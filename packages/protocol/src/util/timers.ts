// The clocks of the bus. Three kinds of them wait for somebody else, and there is no fourth (docs/internals/machines.md lists each):
//
// - a deadline of a user, which is an option, or a limit that the docs name: `deadline`, `within`, `withDeadline`
// - a question, which asks whether somebody runs, and then waits again: `patience`
// - no sign of life, which counts only time in which the one that is waited for could run: `silence`
//
// What begins work of this thread's own later waits for nobody: `later`, `every`, `pause`.
//
// The event loop runs timers before it reads: a clock that is late first lets this thread read what has arrived.
import { IS_NODE, onNextTick } from '#platform'

/** A timer counts whole milliseconds, and comes up to two of them after its time. */
const ON_TIME_MS = 2
// Taken when this module loads: the fake clock of a test replaces the globals.
const { setTimeout: startTimer, clearTimeout: clearTimer } = globalThis

/**
 * Calls `onLate` at a deadline that a user set or the docs name, and keeps the thread alive until then. This thread first reads what has
 * arrived meanwhile, which can end the deadline. Returns a function that ends it.
 */
export function deadline(ms: number, onLate: () => void): () => void {
  let isOver = false
  // Most calls have a deadline: reading the clock for it would cost each of them. With a fake clock, one that is on time ends at once.
  const due = IS_NODE && setTimeout !== startTimer ? performance.now() + ms : undefined
  const timer = setTimeout(() => {
    if (due !== undefined && performance.now() - due <= ON_TIME_MS) onLate()
    else onNextTick(() => isOver || onLate())
  }, ms)
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}

/** Waits for a promise until a deadline. */
export function within<T>(ms: number, awaited: Promise<T>): Promise<T | undefined> {
  let end!: () => void
  const late = new Promise<undefined>(resolve => (end = deadline(ms, () => resolve(undefined))))
  return Promise.race([awaited, late]).finally(end)
}

/** Gives `run` a signal that aborts at a deadline. */
export function withDeadline<T>(ms: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  return run(controller.signal).finally(deadline(ms, () => controller.abort()))
}

/** Does work of this thread's own later, unless the thread ends before. Returns a function that ends the wait. */
export function later(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms)
  letExit(timer)
  return () => clearTimeout(timer)
}

/** Does work of this thread's own again and again, until the thread ends. Returns a function that ends it. */
export function every(ms: number, run: () => void): () => void {
  const timer = setInterval(run, ms)
  letExit(timer)
  return () => clearInterval(timer)
}

/** A browser's timers are numbers. */
const letExit = (timer: unknown): void => void (timer as Partial<NodeJS.Timeout>).unref?.()

/** Paces work of this thread's own, and keeps the thread alive meanwhile. A fake clock does not move it. @throws {AbortError} if the signal aborts */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimer(timer)
      reject(signal!.reason)
    }
    const end = (): void => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }
    const timer = startTimer(end, ms)
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort)
  })

/** Running time of a thread for it to confirm that one of its members is terminated. One that does not is blocked. */
export const CONFIRM_TIMEOUT_MS = 250
/**
 * For a thread that `terminate()` might not interrupt, as in native code, or that starts many processes. It is documented. And for a process to
 * answer: sooner than `loadTimeout`, whose error says less.
 */
export const ABANDON_TIMEOUT_MS = 5000
/** For scripts that share a process or a thread to answer. What does not might have taken over its runtime. */
export const ANSWER_TIMEOUT_MS = 10_000

/** Running time of code that was asked to stop, after which it counts as silent. Code whose event loop turns answers after a few milliseconds. */
export const SILENT_MS = 20

/** Checks in each time: a machine that was suspended, or a thread that was held up, has had one of them. */
const TURNS = 4
const MIN_TURN_MS = 10

/** What can end: a thread, the process of a relay, a gate. */
export interface Peer {
  /**
   * Asks whether it still runs. Its answer travels with its reports, so it follows all that it has said before. One that has ended says so, and
   * does not answer.
   *
   * @param onEnd - called instead of `onAnswer` once it has ended
   */
  ask(onAnswer: () => void, onEnd?: () => void): void
}

/**
 * Gives the peer `ms` milliseconds of this thread's turns, then asks it, and calls `onAnswer` at its answer: it runs. Returns a function that ends
 * the wait, for who learns of the peer's end.
 *
 * @param readProgress - returns what changes while the peer gets on: it has its time again then, and is asked again
 * @param most - how often it has its time
 */
export function patience(
  peer: Peer,
  ms: number,
  onAnswer: () => void,
  readProgress: () => unknown = () => undefined,
  most: number = Infinity,
): () => void {
  let isOver = false
  let left = most
  let end!: () => void
  const wait = (): void => {
    const before = readProgress()
    const answered = (): void => {
      if (isOver) return
      if (readProgress() === before || --left <= 0) onAnswer()
      else wait()
    }
    end = silence(ms, { keepsAlive: false }, () => peer.ask(answered, answered))
  }
  wait()
  return () => {
    isOver = true
    end()
  }
}

/** How one that is waited for lives. */
export interface LifeSigns {
  /**
   * Returns the milliseconds for which it could run so far; `undefined` while that is unknown, or it need not answer. By default, each turn of this
   * thread counts: the one that is waited for can run whenever this thread does.
   *
   * @param turn - milliseconds that the last turn of this thread was to take: a thread that was held up has had one turn, and not all of them
   */
  readMs?(turn: number): number | undefined
  /** Returns what changes with each sign of life, such as a counter. The time begins again then. */
  readSign?(): unknown
  /** False if the wait does not keep this thread alive. @default true */
  keepsAlive?: boolean
}

/**
 * Calls `onSilent` once somebody has given no sign of life for `ms` milliseconds in which it could run. The time that passes does not count: code that
 * waits for a core of a busy machine has not had the chance to answer. Returns a function that stops watching.
 */
export function silence(ms: number, signs: LifeSigns, onSilent: () => void): () => void {
  const { readMs = countTurns(), readSign, keepsAlive = true } = signs
  const turn = Math.max(MIN_TURN_MS, ms / TURNS)
  let sign: unknown
  let from: number | undefined
  let isOver = false
  const isSilent = (passed: number): boolean => {
    const now = readMs(passed)
    const next = readSign?.()
    if (next !== sign || now === undefined) from = undefined
    sign = next
    from ??= now
    return now !== undefined && now - from! >= ms
  }
  const wait = (): void => {
    timer = setTimeout(check, turn)
    if (!keepsAlive) letExit(timer)
  }
  const check = (): void => {
    if (isSilent(turn)) (globalThis.setImmediate ?? setTimeout)(checkAgain)
    else wait()
  }
  // If this thread is late, the sign has arrived and not been read.
  const checkAgain = (): void => {
    if (isOver) return
    if (isSilent(0)) onSilent()
    else wait()
  }
  let timer: NodeJS.Timeout
  isSilent(0)
  wait()
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}

/** @param isHeld - true while the one that is waited for cannot run, though this thread does */
export function countTurns(isHeld: () => boolean = () => false): (turn: number) => number {
  let total = 0
  return turn => (total += isHeld() ? 0 : turn)
}
