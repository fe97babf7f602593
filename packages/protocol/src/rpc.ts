// Both ends of a call: pending calls, streams, batches, and when the messages of a tick leave.
export * from './rpc/diagnostics.js'
export * from './rpc/open-ids.js'
export * from './rpc/outbox.js'
export * from './rpc/pending-calls.js'
export * from './rpc/stream-receiver.js'
export * from './rpc/stream-sender.js'
export * from './rpc/streams.js'
export { CallSlots } from '#call-slots'
