// Code that core, frontend and isolation share. It runs on both sides of the trust boundary and has no privilege.

// errors
export {
  BusError,
  ERROR_CODES,
  createRecordError,
  describeCommand,
  describeName,
  describeThrown,
  fromErrorObject,
  isBusError,
  toErrorObject,
  type BusErrorCode,
  type BusErrorReason,
  type ErrorObject,
} from './errors/bus-error.js'
export {
  CommandError,
  isCommandError,
  notSerializable,
  whyNotSerializable,
  withoutData,
  type CommandErrorData,
  type FailedCommand,
} from './errors/command-error.js'
export { receiveError, reportError, type ReportedError } from './errors/reported-error.js'
export { explainTypeScript, toBusError } from './errors/to-bus-error.js'

// messages
export { cancelled, checkOptionNames, checkTimeout, watchDeadline, type CallOptions } from './message/call-options.js'
export {
  addTraceContext,
  channelReference,
  checkNamedArguments,
  getRequestId,
  holdsBytes,
  isBytes,
  isResponseLike,
  isResponse,
  parseResponse,
  parseCall,
  parseChannelReference,
  type CallHeaders,
  type CallMessage,
  type ErrorMessage,
  type Message,
  type RequestId,
  type RequestMessage,
  type ResponseMessage,
  type TraceContext,
} from './message/message.js'
export {
  CHANNEL_WINDOW,
  EVENT_NAME_RULE,
  FREE_LABEL_RULE,
  LABEL_RULE,
  METHOD,
  STREAM_HEADER,
  TIMEOUT_HEADER,
  checkEventName,
  isLabel,
  isLabelText,
  isReservedLabel,
  toEventTarget,
  type BusEvent,
  type ChannelParams,
  type EventParams,
  type EventTarget,
  type Unlisten,
} from './message/methods.js'

// codecs
export { carriesBytes } from './codec/attachments.js'
export type { Codec, CodecName, EncodedMessage } from './codec/codec.js'
export { BatchReader, codecs } from './codec/codecs.js'

// calls
export {
  traceCaller,
  traceRun,
  type CallChannel,
  type CallTrace,
  type EventTrace,
  type Outcome,
  type TracedError,
} from './rpc/diagnostics.js'
export {
  checkSize,
  createOutbox,
  encodeMessage,
  encodeValue,
  packPlain,
  spliceLastParam,
  type BatchSource,
  type Outbox,
  type PackedMessage,
  type SendBatch,
} from './rpc/outbox.js'
export { checkTransfer, detachAttachments, getBuffers, packMessage } from './rpc/packing.js'
export { CallSlots, PendingCalls } from './rpc/pending-calls.js'

// frames and links
export {
  BUFFER_COST,
  CREDIT_WINDOW_BYTES,
  MAX_ATTACHED_BYTES,
  MAX_CHANNELS,
  MAX_IN_FLIGHT,
  MAX_SESSION_QUEUE,
  MAX_SESSION_QUEUE_BYTES,
  MAX_LISTENERS,
  MAX_RESOURCES,
  MAX_CLIENT_QUEUE,
  MAX_CLIENT_QUEUE_BYTES,
  MAX_EVENT_QUEUE,
  MAX_EVENT_QUEUE_BYTES,
  MIN_ATTACHMENT_BYTES,
} from './wire/limits.js'
export {
  FRAME_KIND,
  LINGER_MS,
  SentBytes,
  TakenBytes,
  deliverFrame,
  ownsWholeBuffer,
  readFrame,
  writeFrame,
  type Frame,
  type FrameKind,
  type Link,
  type LinkReceiver,
  type ReceivedFrame,
} from './wire/link.js'
export { BoundedQueue, type QueueSlot } from './util/bounded-queue.js'
export { createLinkEndpoints, openLink, type LinkEndpoint, type LinkKind } from './link/endpoints.js'
export { MAX_OUT_OF_BAND_BYTES } from './link/ring/out-of-band.js'
export { STREAM_HEADER_BYTES, StreamFrames, writeStreamHeader } from './link/stream-frames.js'
export { createStreamLink } from './link/stream-link.js'

// records: `@sallyport/protocol/records` has what loads node:crypto
export type { Opener, Sealer } from './crypto/record.js'

// workers
export { beat, createHeartbeat, createHeartbeatFor, type Heartbeat } from './worker/heartbeat.js'
export {
  CONFIRM_WORD,
  MAX_CONFIRM_TEXT,
  PROCESS_PIPES,
  RECORD_DIRECTION,
  toConfirmText,
  type ConfirmRequest,
  type FrontendCommand,
  type FrontendFunctions,
  type FrontendProcessCommand,
  type FrontendProcessStart,
  type FrontendReport,
  type FrontendSandbox,
  type FrontendScript,
  type FrontendStart,
  type FrontendWorkerData,
  type GateCommand,
  type GateReport,
  type GateTimes,
  type GateWorkerData,
  type Pong,
  type ScriptRunner,
  type SessionKey,
  type StateReport,
  type UnexpectedReadReport,
} from './worker/messages.js'

// utilities
export { getBackoff } from './util/backoff.js'
export { callSafely, throwLater } from './util/call-safely.js'
export { DeadlineTimers } from './util/deadline-timers.js'
export { RoomSignal } from './util/room-signal.js'
export { MAX_DURATION_NS, SamplingTimer } from './util/sampling-timer.js'
export { Throttle, formatSuppressed } from './util/throttle.js'
export { isArrayBuffer, isAsyncIterable, isThenable, isUint8Array } from './util/type-guards.js'
