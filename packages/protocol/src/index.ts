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
} from './bounds.js'
export { carriesBytes } from './attachments.js'
export { isArrayBuffer, isUint8Array } from './own-bytes.js'
export { BUFFER_COST, CREDIT_WINDOW_BYTES, MAX_ATTACHED_BYTES, MIN_ATTACHMENT_BYTES } from './bounds.js'
export { BatchReader } from './batch-reader.js'
export { cancelled, checkOptionNames, checkPatience, watchPatience, type CallOptions } from './call-options.js'
export { CallSlots } from './call-slots.js'
export type { Codec, CodecName, EncodedMessage } from './codec.js'
export { codecs } from './codecs.js'
export {
  CommandError,
  isCommandError,
  withoutData,
  type CommandErrorData,
  type FailedCommand,
} from './command-error.js'
export { explainTypeScript } from './explain-typescript.js'
export { MAX_CONFIRM_TEXT, toConfirmText } from './confirm-text.js'
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
} from './contract.js'
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
} from './error.js'
export { SentBytes, TakenBytes } from './credit.js'
export { failureOf } from './failure.js'
export type { CallTrace, EventTrace, TracedError } from './trace.js'
export { addTraceContext, type TraceContext } from './trace-context.js'
export { traceCaller, traceRun, type CallChannel, type Outcome } from './traced.js'
export type { FrontendFunctions, FrontendScript, ScriptRunner } from './frontend-script.js'
export { FRAME_KIND, isAlone, readFrame, writeFrame, type Frame, type FrameKind } from './frame.js'
export { FREE_LABEL_RULE, LABEL_RULE, isLabel, isLabelText, isReservedLabel } from './label.js'
export type { Link, LinkReceiver, ReceivedFrame } from './link.js'
export { createLinkEnds, openLink, type LinkEnd, type LinkKind } from './link-ends.js'
export { beat, createHeartbeat, createPulse, type Heartbeat } from './heartbeat.js'
export { createMemoryLinkPair } from './memory-link.js'
export { holdsBytes, idOf, isBytes, isMeantAsAnswer, isResponse, parseAnswer, parseCall, type CallMessage, type ErrorMessage, type CallHeaders, type Message, type RequestId, type RequestMessage, type ResponseMessage } from './message.js'
export { describeCommand, describeName } from './error.js'
export { checkNamedArguments } from './named-arguments.js'
export { checkSize, createOutbox, encodeMessage, type Outbox, type SendBatch } from './outbox.js'
export { claimAttachments, packMessage, packPlain, type PackedMessage } from './packing.js'
export { Pending } from './pending.js'
export type { Opener, Sealer } from './record.js'
export { recordRefused } from './record-refused.js'
export { encodeValue, putLast } from './run.js'
export { isThenable } from './thenable.js'
export { buffersOf, checkTransfer } from './transfer.js'
export { LONGEST, Stopwatch } from './stopwatch.js'
export { MAX_BESIDE_BYTES } from './ring-beside.js'
export { LINGER } from './link.js'
export { deliver } from './link.js'
export { RoomSignal } from './room-signal.js'
export { STREAM_HEADER_BYTES, StreamFrames, writeHeader as writeStreamHeader } from './stream-frames.js'
export { createStreamLink } from './stream-link.js'
export { ReportLimit } from './report-limit.js'
export { receiveError, reportError, type ReportedError } from './reported-error.js'
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
  type StrayReadReport,
} from './workers.js'
export { uncarriable, whyUncarriable } from './uncarriable.js'
