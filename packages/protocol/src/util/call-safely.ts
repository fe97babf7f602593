// Calls third-party code from within the bus: its error becomes an uncaught exception of the thread, and the caller goes on.

let throwInMicrotask = (error: unknown): void =>
  queueMicrotask(() => {
    throw error
  })

/** Throws `error` in a microtask of its own, as an uncaught exception. */
export const throwLater = (error: unknown): void => throwInMicrotask(error)

/** Replaces `throwLater` in this thread. Node before 24 does not know the asynchronous context of an error that a microtask throws. */
export function setThrowLater(report: (error: unknown) => void): void {
  throwInMicrotask = report
}

/** Runs `callback`. If it throws, the error is rethrown later, outside of the caller. */
export function callSafely(callback: () => void): void {
  try {
    callback()
  } catch (error) {
    throwLater(error)
  }
}
