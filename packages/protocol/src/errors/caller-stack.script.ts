// `#caller-stack` for scripts in a VM of QuickJS, which knows nothing of a call any more when its answer arrives: each call keeps its stack.
import { type BusError, isBusError } from './bus-error.js'

/** Frames of the code around a script, which is named so when it is evaluated. */
const OWN_FRAMES = /^.*\(sallyport:.*\n?/gm

export function createCallPromise<T>(
  executor: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
): Promise<T> {
  const caller = new Error()
  return new Promise((resolve, reject) => executor(resolve, error => reject(addCaller(error as BusError, caller))))
}

export function withCaller<T>(promise: Promise<T>): Promise<T> {
  const addCaller = captureCaller()
  return promise.catch((error: unknown) => {
    throw addCaller(error as BusError)
  })
}

export function captureCaller(): (error: BusError) => BusError {
  const caller = new Error()
  return error => addCaller(error, caller)
}

function addCaller(error: BusError, caller: Error): BusError {
  if (!isBusError(error)) return error
  // Not enumerable, as the engine's own.
  return Object.defineProperty(error, 'stack', { value: getUserStack(caller), configurable: true, writable: true })
}

export const getUserStack = ({ stack }: Error): string => String(stack).replaceAll(OWN_FRAMES, '')
