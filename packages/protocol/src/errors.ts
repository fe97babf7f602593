// BusError and its reasons, and how a thrown value becomes an error that can be sent. What the other packages use of them.
export {
  BusError,
  type BusErrorReason,
  ERROR_CODES,
  type ErrorObject,
  createRecordError,
  describeCommand,
  describeName,
  describeThrown,
  describeValue,
  fromErrorObject,
  isBusError,
  toErrorObject,
} from './errors/bus-error.js'
export {
  captureCaller,
  createCallPromise,
  getUserStack,
  hideInternalFrames,
  isInternalFrame,
  withCaller,
} from './errors/caller-stack.js'
export { CommandError, isCommandError, notSerializable, toBusError, withoutData } from './errors/command-error.js'
export { explainTypeScript, getPublicMessage, throwAs, whyNotSerializable } from './errors/describe-error.js'
export { findPlace } from './errors/place.js'
export { type ReportedError, receiveError, reportError } from './errors/reported-error.js'
export {
  type CausedErrorObject,
  fromCausedErrorObject,
  fromErrorData,
  toCausedErrorObject,
  toErrorData,
} from './errors/thrown-error.js'
