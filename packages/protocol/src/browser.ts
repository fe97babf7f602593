// The code that runs in a browser too: nothing that these files import needs Node, except for `util/platform.ts`, which has a form for
// browsers. Modules without a list of names are shared as a whole.

// errors
export * from './errors/bus-error.js'
export {
  CommandError,
  isCommandError,
  notSerializable,
  whyNotSerializable,
  withoutData,
} from './errors/command-error.js'
export { createCallPromise, getUserStack, hideInternalFrames, withCaller } from './errors/caller-stack.js'
export * from './errors/reported-error.js'
export * from './errors/to-bus-error.js'

// messages
export * from './message/call-options.js'
export {
  addTraceContext,
  channelReference,
  checkNamedArguments,
  getRequestId,
  holdsBytes,
  isBytes,
  isResponse,
  isResponseLike,
  parseCall,
  parseChannelReference,
  parseResponse,
  type CallChannels,
  type CallHeaders,
  type CallMessage,
  type ErrorMessage,
  type Message,
  type RequestId,
  type RequestMessage,
  type ResponseMessage,
  type TraceContext,
} from './message/message.js'
export * from './message/methods.js'

// codecs
export { carriesBytes } from './codec/attachments.js'
export { stringifyJson, toJsonValue } from './codec/json-values.js'
export type { Codec, CodecName, EncodedMessage } from './codec/codec.js'
export * from './codec/codecs.js'

// calls
export * from './rpc/diagnostics.js'
export * from './rpc/outbox.js'
export * from './rpc/packing.js'
export * from './rpc/pending-calls.js'

// frames and links
export {
  BUFFER_COST,
  CREDIT_WINDOW_BYTES,
  MAX_ATTACHED_BYTES,
  MAX_BODY_BYTES,
  MAX_CHANNELS,
  MAX_CLIENT_QUEUE,
  MAX_CLIENT_QUEUE_BYTES,
  MAX_EVENT_QUEUE,
  MAX_EVENT_QUEUE_BYTES,
  MAX_IN_FLIGHT,
  MAX_LISTENERS,
  MAX_RESOURCES,
  MAX_SESSION_QUEUE,
  MAX_SESSION_QUEUE_BYTES,
  MIN_ATTACHMENT_BYTES,
} from './wire/limits.js'
export {
  FRAME_KIND,
  LINGER_MS,
  SentBytes,
  TakenBytes,
  deliverFrame,
  getText,
  isFrameKind,
  ownsWholeBuffer,
  readFrame,
  writeFrame,
  type Frame,
  type FrameKind,
  type Link,
  type LinkReceiver,
  type ReceivedFrame,
} from './wire/link.js'

// utilities
export { getBackoff } from './util/backoff.js'
export { BoundedQueue, type QueueSlot } from './util/bounded-queue.js'
export * from './util/call-safely.js'
export * from './util/deadline-timers.js'
export { isDevelopment, setDevelopment } from './util/development.js'
export { onNextTick, warn } from './util/platform.js'
export * from './util/room-signal.js'
export * from './util/type-guards.js'
