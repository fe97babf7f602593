// Ends what has been opened, one after the other: each may need what was opened before it. Nothing that hangs or throws keeps
// the others open.
import { setTimeout as delay } from 'node:timers/promises'
import { isThenable } from '@sallyport/protocol'

/** Milliseconds that one is waited for before the next is begun. */
const STEP_MS = 5000
/** Milliseconds for all that is begun in a hurry, together. */
const HURRY_MS = 50

/**
 * Runs the steps in their order, and waits for each. One that throws is told to `failed`; one that takes longer than 5 s,
 * or is under way when `hurry` aborts, is left to itself, and those that are left then are all begun at once. Never rejects.
 */
export async function runSequentially(
  steps: Iterable<() => unknown>,
  hurry: AbortSignal,
  failed: (error: unknown) => void,
): Promise<void> {
  const hurried: Promise<unknown>[] = []
  for (const step of steps) {
    let result: unknown
    try {
      result = step()
    } catch (error) {
      failed(error)
    }
    if (!isThenable(result)) continue
    const done = Promise.resolve(result).catch(failed)
    if (hurry.aborted) hurried.push(done)
    else await patiently(done, hurry)
  }
  if (hurried.length > 0) await Promise.race([Promise.all(hurried), delay(HURRY_MS, undefined, { ref: false })])
}

function patiently(done: Promise<unknown>, hurry: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const go = (): void => {
      clearTimeout(timer)
      hurry.removeEventListener('abort', go)
      resolve()
    }
    const timer = setTimeout(go, STEP_MS).unref()
    hurry.addEventListener('abort', go)
    void done.then(go)
  })
}
