// Entry `@sallyport/core/testing`: a bus for a test, fakes and a record of its commands, and a single message through an isolation hook.
export { createTestBus, type RecordedCall, type TestBus, type TestBusOptions } from './testing/test-bus.js'
export { type HookOutcome, runHook } from './testing/hook.js'
export type { HookOptions } from './options/types.js'
