// The error that a function of a frontend threw, as core and the host see it: name, message and stack, which has the file, line and column.
// It is a member `cause` of JSON-RPC's error object, which core passes on to the host alone: other frontends get the message.
import { isDevelopment } from '../util/development.js'
import { isError } from '../util/type-guards.js'
import { type BusError, describeThrown, type ErrorObject, fromErrorObject, toErrorObject } from './bus-error.js'
import { getUserStack } from './caller-stack.js'

/** Longest name, message and stack, in characters. */
const MAX_TEXT = { name: 100, message: 4096, stack: 16_384 }

/** An error object with the error behind it. */
export interface CausedErrorObject extends ErrorObject {
  cause?: { name: string; message: string; stack: string }
}

/** Returns the error object of an error, with the error that was thrown. */
export function toCausedErrorObject(error: BusError): CausedErrorObject {
  const object: CausedErrorObject = toErrorObject(error)
  try {
    const thrown = getThrown(error)
    if (!thrown) return object
    const stack = isDevelopment() ? getUserStack(thrown) : thrown.stack
    object.cause = {
      name: toText(thrown.name, MAX_TEXT.name),
      message: toText(describeThrown(thrown), MAX_TEXT.message),
      stack: toText(stack, MAX_TEXT.stack),
    }
  } catch {
    // A proxy, or a getter: code of the frontend's own threw it.
  }
  return object
}

/** Returns the `BusError` of a received error object, whose `cause` is the error behind it. Not in pages, which never get one. */
export function fromCausedErrorObject(object: CausedErrorObject): BusError {
  const error = fromErrorObject(object)
  if (typeof object.cause !== 'object' || object.cause === null) return error
  const { name, message, stack } = object.cause
  const cause = new Error(toText(message, MAX_TEXT.message))
  // As V8 defines them: not enumerable.
  for (const [key, value] of [
    ['name', toText(name, MAX_TEXT.name)],
    ['stack', toText(stack, MAX_TEXT.stack)],
  ] as const) {
    Object.defineProperty(cause, key, { value, writable: true, configurable: true })
  }
  return Object.defineProperty(error, 'cause', { value: cause, writable: true, configurable: true })
}

/** Returns the error that was thrown: a `BusError` can be that itself. `undefined` for a thrown value of another kind. */
function getThrown(error: BusError): Error | undefined {
  if (isError(error.cause)) return error.cause
  return error.reason === 'CommandFailed' && error.commandCode === undefined ? undefined : error
}

/** The other side is not trusted: anything else than a string is left out. */
const toText = (value: unknown, max: number): string => (typeof value === 'string' ? value.slice(0, max) : '')
