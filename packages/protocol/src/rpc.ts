// Both ends of a call: pending calls, streams, batches, and when the messages of a tick leave. What the other packages use of them.
export { FULL_BATCH_BYTES, type FlushScheduler, LONG_FRAME_BYTES, MIN_FULL_RECORD } from './rpc/batching.js'
export { checkTransfer, detachAttachments, getBuffers } from './rpc/bytes.js'
export { CallSlots } from '#call-slots'
export { type ChannelSender, receiveArguments } from './rpc/channel-sender.js'
export {
  type CallChannel,
  type CallTrace,
  type EventTrace,
  type Outcome,
  traceCaller,
  traceRun,
} from './rpc/diagnostics.js'
export { type EncodedEvent, EventBatch } from './rpc/event-batch.js'
export {
  Outbox,
  isPacked,
  checkPacked,
  checkSize,
  countBytes,
  encodeMessage,
  packMessage,
  toPacked,
} from './rpc/outbox.js'
export { PendingCalls, waitForCalls } from './rpc/pending-calls.js'
export { ReceivedStream, StreamReceiver, watchReceiver } from './rpc/stream-receiver.js'
export { type Encoded, SENT, StreamSender, type StreamWriter, sendEach } from './rpc/stream-sender.js'
export { createGuard } from './rpc/stream-guard.js'
export {
  type ReplacedArguments,
  Streams,
  countStreams,
  describeArgument,
  isStream,
  watchSenders,
} from './rpc/streams.js'
export { type BatchSource, ValueBatch } from './rpc/value-batch.js'
