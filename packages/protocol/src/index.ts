// What core, frontend and isolation share. Nothing here has a privilege.
export { MAX_BATCH, MAX_DEPTH, MAX_FRAME_BYTES, MAX_IN_FLIGHT, MAX_NODES } from './bounds.js'
export type { Codec, CodecName, EncodedMessage } from './codec.js'
export { codecOfKind, codecs } from './codecs.js'
export {
  CHANNEL_WINDOW,
  METHOD,
  channelReference,
  checkEventName,
  parseChannelReference,
  toEventTarget,
  type BusEvent,
  type CancelParams,
  type ChannelParams,
  type CreditParams,
  type EventParams,
  type EventTarget,
  type Unlisten,
} from './contract.js'
export {
  BusError,
  ERROR_CODES,
  fromErrorObject,
  isBusError,
  toErrorObject,
  type BusErrorCode,
  type BusErrorReason,
  type ErrorObject,
} from './error.js'
export { FRAME_KIND, isFrameKind, readFrame, writeFrame, type Frame, type FrameKind } from './frame.js'
export type { Link, LinkReceiver, ReceivedFrame } from './link.js'
export { createMemoryLinkPair } from './memory-link.js'
export {
  describeCommand,
  describeName,
  holdsBytes,
  idOf,
  isBytes,
  isRequestId,
  isResponse,
  parseCall,
  type CallMessage,
  type ErrorMessage,
  type Headers,
  type Message,
  type NotificationMessage,
  type RequestId,
  type RequestMessage,
  type ResponseMessage,
  type SuccessMessage,
} from './message.js'
export { createOutbox, type Outbox, type SendBatch } from './outbox.js'
export { createPortLink } from './port-link.js'
export {
  MAX_RECORD_AGE,
  createOpener,
  createSealer,
  type OpenedRecord,
  type Opener,
  type OpenerOptions,
  type Sealer,
  type SealerOptions,
} from './record.js'
export { createSessionSecret } from './record-keys.js'
export {
  RECORD_DIRECTION,
  type FrontendCommand,
  type FrontendWorkerData,
  type GateCommand,
  type GateReport,
  type GateWorkerData,
  type SessionKey,
} from './workers.js'
