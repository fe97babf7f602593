// The code that runs in a browser too: nothing that these files import needs Node, except for `util/platform.ts`, which has a form for
// browsers.

// errors
export * from './errors/bus-error.js'
export * from './errors/command-error.js'
export * from './errors/caller-stack.js'
export { whyNotSerializable } from './errors/describe-error.js'
export * from './errors/reported-error.js'

// messages
export * from './message/call-options.js'
export * from './message/message.js'
export * from './message/methods.js'

// codecs
export { carriesBytes } from './codec/attachments.js'
export { toJsonValue } from './codec/json-values.js'
export { stringifyJson } from './codec/json-checks.js'
export type { Codec, CodecName, EncodedMessage } from './codec/codec.js'
export * from './codec/codecs.js'

// calls
export * from './rpc/diagnostics.js'
export * from './rpc/outbox.js'
export * from './rpc/packing.js'
export * from './rpc/call-slots.js'
export * from './rpc/pending-calls.js'

// frames and links
export * from './wire/limits.js'
export * from './wire/link.js'
export * from './wire/flow.js'

// utilities
export * from './util/backoff.js'
export * from './util/bounded-queue.js'
export * from './util/call-safely.js'
export * from './util/deadline-timers.js'
export * from './util/development.js'
export { isArrayBufferOfAnyRealm, isUint8ArrayOfAnyRealm, onNextTick, warn } from './util/platform.js'
export * from './util/type-guards.js'
