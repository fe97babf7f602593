// Notices code that runs on after it was asked to stop. What counts is the time for which it ran, not the time that passed: code that
// waits for a core of a busy machine has not had the chance to answer.

const CHECK_MS = 10
/** Time for which code runs before it counts as silent. Code whose event loop turns answers after a few milliseconds. */
export const SILENT_MS = 20

/**
 * Calls `onSilent` once, as soon as code has run for 20 ms of the time that begins `timeout` ms from now. Returns a function that stops
 * watching.
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
