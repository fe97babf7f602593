// Catches errors that user code throws in the thread, so that a test can check them.
import { setTimeout as delay } from 'node:timers/promises'

/** Returns the uncaught exceptions while `run` runs, and shortly after. */
export async function uncaught(run: () => void | Promise<void>): Promise<unknown[]> {
  const errors: unknown[] = []
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', error => errors.push(error))
  try {
    await run()
    await delay(5)
  } finally {
    process.removeAllListeners('uncaughtException')
    for (const listener of others) process.on('uncaughtException', listener)
  }
  return errors
}
