// Errors of handlers, for their callers. A `CommandError` has a code of the application's own, on which callers can branch. Any other
// value that a handler throws reaches its caller unchanged. An Error arrives as its message, without what may hold a path.
import { IS_NODE } from '#platform'
import { isError } from '../util/type-guards.js'
import { BusError, type BusErrorReason, describeCommand, describeValue, isBusError } from './bus-error.js'
import { getPublicMessage, whyNotSerializable } from './describe-error.js'

/**
 * The error that a handler throws to fail with its own code: a `BusError` of the reason `CommandFailed`. Middleware and the caller read
 * it by the same members: `isCommandError`, `commandCode`, `commandData` and `message`. A Tauri client is rejected with
 * `{ code, message, data }`.
 *
 * @example throw new CommandError('NOT_FOUND', `There is no note ${id}`, { data: { id } })
 */
export class CommandError extends BusError {
  /**
   * @param message - the code by default
   * @param options - `data` is serialized like a result, and an `Error` as its message; `cause` stays in this thread
   * @throws {BusError} InternalError if the code is not a string, or empty
   */
  constructor(code: string, message: string = code, options: { data?: unknown; cause?: unknown } = {}) {
    if (typeof code !== 'string' || code === '') {
      const actual = code === '' ? 'an empty one' : typeof code
      throw new BusError('InternalError', `CommandError: its code must be a string: got ${actual}`)
    }
    const text = String(message)
    const data = isError(options.data) ? getPublicMessage(options.data) : options.data
    super('CommandFailed', text, { ...options, data: { code, message: text, ...(data !== undefined && { data }) } })
  }
}

/**
 * True for a `CommandError`: in middleware, as the handler threw it, and in its caller. With `code`, true only for errors of that code.
 * The handler chooses the type of its data: `Data` is not checked.
 *
 * @example if (isCommandError<{ id: number }>(error, 'NOT_FOUND')) console.log(error.commandData.id)
 */
export function isCommandError<Data = unknown, Code extends string = string>(
  error: unknown,
  code?: Code,
): error is BusError & { readonly reason: 'CommandFailed'; readonly commandCode: Code; readonly commandData: Data } {
  if (!isBusError(error) || error.commandCode === undefined) return false
  return code === undefined || error.commandCode === code
}

export function toBusError(method: string, thrown: unknown): BusError {
  const failed = `${describeCommand(method)} failed`
  try {
    if (isBusError(thrown)) return thrown
    const value = isError(thrown) ? getPublicMessage(thrown) : thrown
    const isText = typeof value === 'string' && (!IS_NODE || value !== '')
    const text = isText ? value : IS_NODE ? `${failed}: it threw ${describeValue(value)}` : failed
    const data = value ?? null
    // Pages send no cause. Without one, the cause is known to be no error.
    if (IS_NODE) return new BusError('CommandFailed', text, { data, cause: isError(thrown) ? thrown : undefined })
    return new BusError('CommandFailed', text, { data })
  } catch {
    // A proxy or a getter threw.
    return new BusError('CommandFailed', failed, { data: null })
  }
}

/** Maximum length of a code and of a message that are kept when the data is dropped: either may be what was too long. */
const MAX_KEPT_LENGTH = 4096

/** Drops data that cannot be serialized from an error. A `CommandError` keeps its code, and its message, to which the cause is added. */
export function withoutData(error: BusError, what: string, cause: unknown): BusError {
  const kept =
    isCommandError(error) && error.commandCode.length <= MAX_KEPT_LENGTH
      ? { code: error.commandCode, message: (error.data as { message: string }).message.slice(0, MAX_KEPT_LENGTH) }
      : undefined
  const { reason, message } = notSerializable(what, error.reason, cause, error.data)
  if (kept === undefined) return new BusError(reason, message, { cause })
  return new BusError(reason, `${kept.message} (${message})`, { data: kept, cause })
}

/** Returns the error for a value that a codec refused, for the reason `cause`. @param what - the subject of the error text */
export const notSerializable = (what: string, reason: BusErrorReason, cause: unknown, value: unknown): BusError =>
  new BusError(reason, `${what} cannot be serialized: ${whyNotSerializable(cause, value)}`, { cause })
