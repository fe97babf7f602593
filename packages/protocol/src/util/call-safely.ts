// Calls third-party code from within the bus: its error becomes an uncaught exception of the thread, and the caller goes on.

/** Throws `error` in a microtask of its own, as an uncaught exception. */
export const throwLater = (error: unknown): void =>
  queueMicrotask(() => {
    throw error
  })

/** Runs `callback`. If it throws, the error is rethrown later, outside of the caller. */
export function callSafely(callback: () => void): void {
  try {
    callback()
  } catch (error) {
    throwLater(error)
  }
}
