// Runs teardown steps one after the other: each might need what was opened before it. No step keeps the others from running.
import { within } from '@sallyport/protocol/internal/contract'
import { createDeferred, isThenable } from '@sallyport/protocol/internal/util'

const STEP_TIMEOUT_MS = 5000
/** Time for all steps that start after the signal has aborted. */
const ABORTED_TIMEOUT_MS = 50

/**
 * Runs the steps in order, each for at most 5 s. When `signal` aborts, the current step is no longer waited for, and the remaining
 * steps start at once. Never rejects.
 *
 * @param onError - receives what a step throws
 */
export async function runSequentially(
  steps: Iterable<() => unknown>,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): Promise<void> {
  const aborted = createDeferred()
  const onAbort = (): void => aborted.resolve()
  signal.addEventListener('abort', onAbort)
  const rest: Promise<unknown>[] = []
  for (const step of steps) {
    let result: unknown
    try {
      result = step()
    } catch (error) {
      onError(error)
    }
    if (!isThenable(result)) continue
    const done = Promise.resolve(result).catch(onError)
    if (signal.aborted) rest.push(done)
    else await within(STEP_TIMEOUT_MS, Promise.race([done, aborted.promise]))
  }
  signal.removeEventListener('abort', onAbort)
  if (rest.length > 0) await within(ABORTED_TIMEOUT_MS, Promise.all(rest))
}
