// Promises that are settled elsewhere, loaded once, or retried, and errors that nobody waits for.

/** A promise together with the functions that settle it, as `Promise.withResolvers` returns it from Node 22 on. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T | PromiseLike<T>): void
  reject(error: unknown): void
}

export function createDeferred<T = void>(): Deferred<T> {
  let resolve!: Deferred<T>['resolve']
  let reject!: Deferred<T>['reject']
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}

/** Returns a function that loads something once. A load that has failed is tried again with the next call: its cause can pass, such as a lack of descriptors. */
export function loadOnce<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined
  return () =>
    (loaded ??= load().catch((error: unknown) => {
      loaded = undefined
      throw error
    }))
}

/** Throws an error of third-party code in a microtask of its own, as an uncaught exception of the thread: the caller goes on. */
export const throwLater = (error: unknown): void =>
  queueMicrotask(() => {
    throw error
  })

/** Runs `callback`. @param failed - gets what it throws. By default, this is rethrown later, outside of the caller */
export function callSafely(callback: () => void, failed: (error: unknown) => void = throwLater): void {
  try {
    callback()
  } catch (error) {
    failed(error)
  }
}
