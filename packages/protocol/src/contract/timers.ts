// The timers of core, its host, gates and frontends. None of them decides about another thread: how long one has been silent does not say why.

/**
 * Calls `onLate` at a deadline that a user set or the docs name, and keeps the thread alive until then. If this thread was busy, it first reads what
 * has arrived meanwhile, which can end the deadline: the event loop runs timers before it reads. Returns a function that ends it.
 */
export function deadline(ms: number, onLate: () => void): () => void {
  let immediate: NodeJS.Immediate | undefined
  const timer = setTimeout(() => (immediate = setImmediate(onLate)), ms)
  return () => {
    clearTimeout(timer)
    clearImmediate(immediate)
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
  const timer = setTimeout(run, ms).unref()
  return () => clearTimeout(timer)
}

/** Does work of this thread's own again and again, until the thread ends. Returns a function that ends it. */
export function every(ms: number, run: () => void): () => void {
  const timer = setInterval(run, ms).unref()
  return () => clearInterval(timer)
}

/** Paces work of this thread's own, and keeps the thread alive meanwhile. @throws {AbortError} if the signal aborts */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  process.getBuiltinModule('node:timers/promises').setTimeout(ms, undefined, { signal })

/** For a thread to confirm that one of its members is terminated. One that does not is blocked. */
export const CONFIRM_TIMEOUT_MS = 250
/**
 * For a thread that `terminate()` might not interrupt, as in native code, or that starts many processes. It is documented. And for a process to
 * answer: sooner than `loadTimeout`, whose error says less.
 */
export const ABANDON_TIMEOUT_MS = 5000
/** For scripts that share a process or a thread to answer. What does not might have taken over its runtime. */
export const ANSWER_TIMEOUT_MS = 10_000

/** What can end: a thread, the process of a relay, a gate. */
export interface Peer {
  /**
   * Asks whether it still runs. Its answer travels with its reports, so it follows all that it has said before. One that has ended says so, and
   * does not answer.
   */
  ask(onAnswer: () => void): void
}

const TURNS = 4

/**
 * Gives the peer `ms` milliseconds to end by itself, then asks it, and calls `onAnswer` at its answer: it runs. Returns a function that ends the
 * wait, for who learns of the peer's end. The time is that of this thread's turns: one that was busy or suspended has had one turn, not all.
 */
export function patience(peer: Peer, ms: number, onAnswer: () => void): () => void {
  let isOver = false
  const turn = (left: number): void => {
    if (isOver) return
    if (left === 0) return peer.ask(() => void (isOver || onAnswer()))
    setTimeout(() => setImmediate(() => turn(left - 1)), ms / TURNS).unref()
  }
  turn(TURNS)
  return () => void (isOver = true)
}

const CHECK_MS = 10
/** Time for which code runs before it counts as silent. Code whose event loop turns answers after a few milliseconds. */
export const SILENT_MS = 20

/**
 * Calls `onSilent` once, as soon as code that was asked to stop has run for 20 ms of the time that begins `timeout` ms from now. The time that
 * passes does not count: code that waits for a core of a busy machine has not had the chance to answer. Returns a function that stops watching.
 *
 * @param readRunningMs - returns the time for which the code has run so far; `undefined` if it has answered, or if that time is unknown
 */
export function watchSilence(
  timeout: number,
  readRunningMs: () => number | undefined,
  onSilent: () => void,
): () => void {
  let first: number | undefined
  let isOver = false
  const isSilent = (): boolean => {
    const running = readRunningMs()
    first ??= running
    return running !== undefined && running - first! >= SILENT_MS
  }
  const check = (): void => {
    if (isSilent()) setImmediate(checkAgain)
    else timer = setTimeout(check, CHECK_MS)
  }
  /** If this thread is late, the answer has arrived and not been read: the event loop runs timers before it reads. */
  const checkAgain = (): void => {
    if (isOver) return
    if (isSilent()) onSilent()
    else check()
  }
  let timer: NodeJS.Timeout | undefined
  if (timeout > 0) timer = setTimeout(check, timeout)
  else check()
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}
