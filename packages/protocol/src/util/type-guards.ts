// Type guards for values that may come from another realm or another library. Test runners, jsdom and iframes have realms of their own.
export { isArrayBuffer, isBytes, isUint8Array } from '#platform'

/** Returns the name of the value's built-in class, such as `Map`, of any realm. Any object can claim any name. Never throws. */
export function getTypeName(value: unknown): string {
  try {
    return Object.prototype.toString.call(value).slice('[object '.length, -1)
  } catch {
    return 'Object'
  }
}

/** True for the errors of any realm. A DOMException, such as that of `AbortSignal.timeout`, belongs to Node's own realm. */
export function isError(value: unknown): value is Error {
  try {
    return value instanceof Error || ['Error', 'DOMException'].includes(getTypeName(value))
  } catch {
    return false // A proxy.
  }
}

/** Returns the stack of a thrown value. A program can have replaced `Error.prepareStackTrace`, and an error its property: then it is empty. */
export function readStack(thrown: unknown): string {
  try {
    const { stack }: { stack?: unknown } = Object(thrown)
    return typeof stack === 'string' ? stack : ''
  } catch {
    return '' // A proxy, or a getter.
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(each => typeof each === 'string')

export const isCount = (value: unknown, min = 0): value is number =>
  Number.isSafeInteger(value) && (value as number) >= min

export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'

export const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value

/** Returns whether codecs encode the value by its own members. Objects of another realm, such as a jsdom window, are not plain. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** True if arrays and objects are nested deeper than that. */
export const isDeeper = (value: unknown, depth: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (depth === 0 || Object.values(value).some(inner => isDeeper(inner, depth - 1)))

/**
 * Ends a `switch` over the kinds of a message: it fails to compile if a kind is missing. It does nothing at run time, because messages
 * of peers that are not trusted were checked before.
 */
export function assertNever(_message: never): void {}
