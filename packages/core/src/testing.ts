// `@sallyport/core/testing`: a bus in one line, fakes for its commands, what was called of them, and an isolation hook by itself.

export { createTestBus, type TestBus, type TestBusOptions } from './testing/test-bus.js'
export type { Fake, Fakes } from './testing/test-bus.js'
export type { RecordedCall } from './testing/test-bus.js'
export {
  runHook,
  type HookInput,
  type HookOptions,
  type HookOutcome,
  type PassedByHook,
  type RejectedByHook,
} from './testing/hook.js'
