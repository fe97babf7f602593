// Type guards for values that may come from another realm or another library.
import { types } from 'node:util'

// A test environment can replace the globals: under vitest's jsdom, `instanceof Uint8Array` is false for every Buffer and for
// everything that a port delivers. Checked once, while this module loads, so that the guards stay cheap elsewhere.
const hasNodeGlobals = Object.getPrototypeOf(Buffer) === Uint8Array

export const isArrayBuffer: (value: unknown) => value is ArrayBuffer = hasNodeGlobals
  ? (value): value is ArrayBuffer => value instanceof ArrayBuffer
  : types.isArrayBuffer

export const isUint8Array: (value: unknown) => value is Uint8Array = hasNodeGlobals
  ? (value): value is Uint8Array => value instanceof Uint8Array
  : types.isUint8Array

export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'

export const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value
