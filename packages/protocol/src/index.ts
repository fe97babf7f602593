// What core, frontend and isolation share. Nothing here has a privilege.

export {
  MAX_CHANNELS,
  MAX_IN_FLIGHT,
  MAX_LISTENERS,
  MAX_RESOURCES,
  MAX_WAITING,
  MAX_WAITING_BYTES,
  MAX_WAITING_EVENTS,
  MAX_WAITING_EVENT_BYTES,
  MAX_KEPT,
  MAX_KEPT_BYTES,
} from './wire/limits.js'
export { carriesBytes } from './codec/attachments.js'
export { isArrayBuffer, isUint8Array } from './util/bytes.js'
export { BUFFER_COST, CREDIT_WINDOW_BYTES, MAX_ATTACHED_BYTES, MIN_ATTACHMENT_BYTES } from './wire/limits.js'
export { BatchReader } from './rpc/batch-reader.js'
export { cancelled, checkOptionNames, checkTimeout, watchDeadline, type CallOptions } from './message/call-options.js'
export { CallSlots } from './rpc/call-slots.js'
export type { Codec, CodecName, EncodedMessage } from './codec/codec.js'
export { codecs } from './codec/codecs.js'
export {
  CommandError,
  isCommandError,
  withoutData,
  type CommandErrorData,
  type FailedCommand,
} from './errors/command-error.js'
export { explainTypeScript } from './errors/to-bus-error.js'
export { MAX_CONFIRM_TEXT, toConfirmText } from './message/call-options.js'
export {
  CHANNEL_WINDOW,
  EVENT_NAME_RULE,
  METHOD,
  STREAM_HEADER,
  TIMEOUT_HEADER,
  channelReference,
  checkEventName,
  parseChannelReference,
  toEventTarget,
  type BusEvent,
  type ChannelParams,
  type EventParams,
  type EventTarget,
  type Unlisten,
} from './message/methods.js'
export {
  BusError,
  ERROR_CODES,
  describeThrown,
  fromErrorObject,
  isBusError,
  toErrorObject,
  type BusErrorCode,
  type BusErrorReason,
  type ErrorObject,
} from './errors/bus-error.js'
export { SentBytes, TakenBytes } from './wire/credit.js'
export { toBusError } from './errors/to-bus-error.js'
export type { CallTrace, EventTrace, TracedError } from './rpc/diagnostics.js'
export { addTraceContext, type TraceContext } from './message/message.js'
export { traceCaller, traceRun, type CallChannel, type Outcome } from './rpc/diagnostics.js'
export type { FrontendFunctions, FrontendScript, ScriptRunner } from './worker/messages.js'
export { FRAME_KIND, ownsWholeBuffer, readFrame, writeFrame, type Frame, type FrameKind } from './wire/frame.js'
export { FREE_LABEL_RULE, LABEL_RULE, isLabel, isLabelText, isReservedLabel } from './message/methods.js'
export type { Link, LinkReceiver, ReceivedFrame } from './wire/link.js'
export { createLinkEndpoints, openLink, type LinkEndpoint, type LinkKind } from './link/endpoints.js'
export { beat, createHeartbeat, createHeartbeatFor, type Heartbeat } from './worker/heartbeat.js'
export { createMemoryLinkPair } from './link/memory-link.js'
export {
  holdsBytes,
  getRequestId,
  isBytes,
  isMeantAsAnswer,
  isResponse,
  parseAnswer,
  parseCall,
  type CallMessage,
  type ErrorMessage,
  type CallHeaders,
  type Message,
  type RequestId,
  type RequestMessage,
  type ResponseMessage,
} from './message/message.js'
export { describeCommand, describeName } from './errors/bus-error.js'
export { checkNamedArguments } from './message/call-options.js'
export { checkSize, createOutbox, encodeMessage, type Outbox, type SendBatch } from './rpc/outbox.js'
export { detachAttachments, packMessage, packPlain, type PackedMessage } from './rpc/packing.js'
export { PendingCalls } from './rpc/pending-calls.js'
export type { Opener, Sealer } from './crypto/record.js'
export { recordRefused } from './crypto/record-error.js'
export { encodeValue, putLast } from './rpc/outbox.js'
export { callSafely, throwLater } from './util/call-safely.js'
export { isThenable } from './util/promise.js'
export { getBuffers, checkTransfer } from './rpc/packing.js'
export { LONGEST, SamplingTimer } from './util/sampling-timer.js'
export { MAX_OUT_OF_BAND_BYTES } from './link/ring/out-of-band.js'
export { LINGER_MS } from './wire/link.js'
export { deliver } from './wire/link.js'
export { RoomSignal } from './util/promise.js'
export { STREAM_HEADER_BYTES, StreamFrames, writeHeader as writeStreamHeader } from './link/stream-frames.js'
export { createStreamLink } from './link/stream-link.js'
export { Throttle } from './util/throttle.js'
export { receiveError, reportError, type ReportedError } from './errors/reported-error.js'
export {
  CONFIRM_WORD,
  PROCESS_PIPES,
  RECORD_DIRECTION,
  type ConfirmRequest,
  type FrontendCommand,
  type FrontendProcessCommand,
  type FrontendProcessStart,
  type Pong,
  type FrontendReport,
  type FrontendSandbox,
  type FrontendStart,
  type FrontendWorkerData,
  type GateCommand,
  type GateReport,
  type GateTimes,
  type GateWorkerData,
  type SessionKey,
  type StateReport,
  type UnexpectedReadReport,
} from './worker/messages.js'
export { notSerializable, whyNotSerializable } from './errors/command-error.js'
