// `caller-stack.ts` for browsers, whose developer tools show the caller of an asynchronous function.

export const createCallPromise = <T>(
  executor: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
): Promise<T> => new Promise(executor)
export const withCaller = <T>(promise: Promise<T>): Promise<T> => promise
export const captureCaller = (): (<E>(error: E) => E) => error => error
export const hideInternalFrames = (error: unknown): unknown => error
export const getUserStack = (error: Error): string => error.stack ?? ''
