// Helpers without a domain.
export * from './util/async-iterable.js'
export * from './util/backoff.js'
export * from './util/bounded-queue.js'
export * from './util/code-text.js'
export * from './util/compile-engine.js'
export * from './util/edited-text.js'
export * from './util/hidden-characters.js'
export * from './util/foreign-url.js'
export * from './util/promises.js'
export * from './util/sampling-timer.js'
export * from './util/throttle.js'
export * from './util/type-guards.js'
export {
  type AsyncContext,
  bindContext,
  captureContext,
  concatBytes,
  createEmptyContext,
  HAS_CONTEXTS,
  IS_NODE,
  isDevelopment,
  nextTick,
  onNextTick,
  queueMicrotask,
  setDevelopment,
  warn,
  withoutContext,
} from '#platform'
