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

export interface BackoffOptions {
  /** Milliseconds before the first attempt, without jitter. */
  min: number
  /** Milliseconds at most. */
  max: number
  /** Growth from one attempt to the next. @default 2 */
  factor?: number
  /** A random number from 0 to 1: the share of up to half of the delay to leave out, so that peers do not retry in step. @default 0 */
  random?: number
}

/** Returns the milliseconds to wait before attempt number `attempt`, counted from 0: exponential backoff with optional jitter. */
export const getBackoff = (attempt: number, { min, max, factor = 2, random = 0 }: BackoffOptions): number =>
  // The exponent is bounded, so that `min: 0` times infinity is not NaN.
  Math.min(max, min * factor ** Math.min(attempt, 30)) * (1 - random / 2)
