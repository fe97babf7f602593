// Stacks that lead to the caller, in development. An answer arrives in a message handler, where V8 knows nothing of the call. So a
// rejected call captures its stack once more in a continuation of its own promise, where V8 adds the functions that await it.
import { IS_NODE, isDevelopment } from '#platform'
import { type BusError, isBusError } from './bus-error.js'
import { isError, readStack } from '../util/type-guards.js'

/** Node's frames, those of the packages' own bundles, installed or in their repository, and of the sources that their maps name. */
const INTERNAL =
  /[( ]node:|\(<anonymous>\)$|[\\/](?:@sallyport|packages)[\\/](?:code-mode|core|frontend|inspector|isolation|mcp|nats|paths|plugin-host|process|protocol|quickjs|tauri-plugins|web)[\\/]dist[\\/]bundle[\\/]|[\\/]@sallyport[\\/][\w-]+[\\/]src[\\/]/

export const isInternalFrame = (frame: string): boolean => INTERNAL.test(frame)

/** Calls whose stack is captured each second: the first ones take 8 µs longer each, and a call in flight keeps its stack. */
const CAPTURES_PER_SECOND = 10

/**
 * Like `new Promise`. In development, the stack of an error that is passed to `reject` has the frames of the functions that await
 * the promise. If nothing awaits the promise, it has those that called this function, for up to 10 calls a second. In production it
 * costs nothing.
 */
export function createCallPromise<T>(
  executor: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
): Promise<T> {
  if (!IS_NODE || !isDevelopment()) return new Promise(executor)
  const call = captureCall(createCallPromise)
  return new Promise((resolve, reject) => {
    const addCallerOrCall = (error: unknown): never => {
      throw addFrames(error, addCallerOrCall, call)
    }
    let isRejected = false
    try {
      executor(resolve, error => {
        // The promise has its outcome: nothing would handle another rejection.
        if (isRejected) return
        isRejected = true
        // `resolve` links the promises, which takes one microtask: the stack is captured in the next.
        resolve(Promise.reject<T>(error).catch(rethrow).catch(addCallerOrCall))
      })
    } catch (error) {
      // The calls within this library can use up V8's limit of frames.
      reject(addFrames(error, createCallPromise))
    }
  })
}

/** Returns the promise. In development, its errors get the frames of the functions that await it. */
export const withCaller = <T>(promise: Promise<T>): Promise<T> =>
  IS_NODE && isDevelopment() ? promise.catch(addCaller) : promise

/** Returns what adds the frames of this call, in development, to an error: for a promise that need not be awaited. */
export function captureCaller(): (error: BusError) => BusError {
  if (!IS_NODE || !isDevelopment()) return error => error
  const frames = getFrames(new Error('caller'))
  return error => Object.assign(error, { stack: getUserStack(error, frames) })
}

/** Replaces the stack of an error by that of `getUserStack`. Returns the error. */
export function hideInternalFrames(error: unknown): unknown {
  if (isError(error)) error.stack = getUserStack(error)
  return error
}

/**
 * Returns the stack of an error without the frames of this library and of Node, and with the reason of a `BusError`. Other errors
 * with no other frames can be bugs in this library, and keep theirs.
 *
 * @param added - more frames
 */
export function getUserStack(error: Error, added: readonly string[] = []): string {
  const stack = readStack(error)
  if (!IS_NODE) return stack
  const ownFrames = getFrames(error)
  const frames = [...ownFrames, ...added].filter(frame => !INTERNAL.test(frame))
  if (isBusError(error)) return [String(error), ...new Set(frames)].join('\n')
  // The lines before the frames of a syntax error have its place.
  return frames.length === 0 ? stack : stack.replace(ownFrames.join('\n'), () => frames.join('\n'))
}

function rethrow(error: unknown): never {
  throw error
}

function addCaller(error: unknown): never {
  throw addFrames(error, addCaller)
}

interface CapturedStack {
  /** V8 formats it when it is first read. */
  readonly stack: string
}

/**
 * Adds the frames of the functions that called `callee`, or await it, to the stack of a `BusError`. Returns the error.
 *
 * @param call - has the frames to add if nothing awaits `callee`
 */
function addFrames(error: unknown, callee: (...args: never) => unknown, call?: CapturedStack): unknown {
  if (!isBusError(error)) return error
  const frames = getFrames(captureStack(callee))
  const isAwaited = frames.some(frame => !INTERNAL.test(frame))
  error.stack = getUserStack(error, isAwaited || !call ? frames : getFrames(call))
  return error
}

function captureStack(callee: (...args: never) => unknown): CapturedStack {
  const captured = { stack: '' }
  // Firefox gained it in 138.
  Error.captureStackTrace?.(captured, callee)
  return captured
}

let captures = 0
let capturesSince = -Infinity

function captureCall(callee: (...args: never) => unknown): CapturedStack | undefined {
  if (captures === CAPTURES_PER_SECOND) {
    const now = performance.now()
    if (now - capturesSince < 1000) return undefined
    captures = 0
    capturesSince = now
  }
  captures++
  return captureStack(callee)
}

/** Returns the frames of a stack, and what follows them, without the lines of the error's message. */
function getFrames(error: unknown): string[] {
  const stack = readStack(error)
  const start = stack.search(/^ {4}at /m)
  return start < 0 ? [] : stack.slice(start).split('\n')
}
