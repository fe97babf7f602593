// Errors that a thread throws at nobody: what a listener of the user throws must end there, and a test must see it.
import { setTimeout as delay } from 'node:timers/promises'

/** What is thrown outside of every promise while `run` runs, and shortly after. */
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
