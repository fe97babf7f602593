// Helpers without a domain. What the other packages use of them.
export { assertNever } from './util/assert-never.js'
export { countedStream, discard, getIterator, leaveIterator } from './util/async-iterable.js'
export { getBackoff } from './util/backoff.js'
export { BoundedQueue, type QueueSlot } from './util/bounded-queue.js'
export { callSafely, throwLater } from './util/call-safely.js'
export { DeadlineTimers } from './util/deadline-timers.js'
export { compileEngine } from './util/compile-engine.js'
export { type Deferred, createDeferred } from './util/deferred.js'
export { isDevelopment, setDevelopment } from './util/development.js'
export { findBodyError } from './util/function-body.js'
export { loadOnce } from './util/load-once.js'
export { isTypeScriptName, stripTypes } from './util/strip-types.js'
export {
  type AsyncContext,
  bindContext,
  captureContext,
  concatBytes,
  createEmptyContext,
  isArrayBuffer,
  isUint8Array,
  nextTick,
  onNextTick,
  queueMicrotask,
  warn,
  withoutContext,
} from '#platform'
export { MAX_DURATION_NS, SamplingTimer } from './util/sampling-timer.js'
export { Throttle, formatSuppressed } from './util/throttle.js'
export { getTypeName, isAsyncIterable, isError, isPlainObject, isThenable } from './util/type-guards.js'
