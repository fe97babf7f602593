// Errors with a code of the application's own, on which its callers can branch. On the wire they are `CommandFailed` errors with
// code, message and data, never with the stack or the cause.
import { BusError, type BusErrorReason, describeThrown, isBusError } from './bus-error.js'

/**
 * The error that a handler throws to fail with its own code. Its caller receives a `BusError` `CommandFailed` with the same message
 * and with `{ code, message, data }` as its data; a Tauri client is rejected with that object.
 *
 * @example throw new CommandError('NOT_FOUND', `There is no note ${id}`, { data: { id } })
 */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly code: string
  readonly data: unknown

  /**
   * @param message - the code by default
   * @param options - `data` is serialized like a result; `cause` stays in this thread
   * @throws {BusError} InternalError if the code is not a string, or empty
   */
  constructor(code: string, message: string = code, options: { data?: unknown; cause?: unknown } = {}) {
    if (typeof code !== 'string' || code === '') {
      const actual = code === '' ? 'an empty one' : typeof code
      throw new BusError('InternalError', `CommandError: its code must be a string: got ${actual}`)
    }
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.data = options.data
  }
}

/** The data of a call's error if its handler threw a `CommandError`. */
export interface CommandErrorData<Data = unknown, Code extends string = string> {
  readonly code: Code
  readonly message: string
  readonly data: Data
}

/** The error of a call whose handler threw a `CommandError`. */
export type FailedCommand<Data = unknown, Code extends string = string> = BusError & {
  readonly reason: 'CommandFailed'
  readonly data: CommandErrorData<Data, Code>
}

/**
 * True for the error of a call whose handler threw a `CommandError`. With `code`, true only for errors of that code. The handler
 * chooses the type of `data`: `Data` is not checked.
 *
 * @example if (isCommandError<{ id: number }>(error, 'NOT_FOUND')) console.log(error.data.data.id)
 */
export function isCommandError<Data = unknown, Code extends string = string>(
  error: unknown,
  code?: Code,
): error is FailedCommand<Data, Code> {
  if (!isBusError(error, 'CommandFailed')) return false
  const data = error.data as Partial<CommandErrorData> | null | undefined
  if (typeof data !== 'object' || data === null) return false
  if (typeof data.code !== 'string' || typeof data.message !== 'string') return false
  return code === undefined || data.code === code
}

/** True for a `CommandError` of this or another copy of the package. */
export const isThrownByCommand = (thrown: unknown): thrown is CommandError =>
  thrown instanceof Error && thrown.name === 'CommandError' && typeof (thrown as CommandError).code === 'string'

/** Maximum length of a code and of a message that are kept when the data is dropped: either may be what was too long. */
const MAX_KEPT_LENGTH = 4096

/** Drops data that cannot be serialized from an error. A `CommandError` keeps its code and its message, possibly truncated. */
export function withoutData(error: BusError, what: string, cause: unknown): BusError {
  const kept =
    isCommandError(error) && error.data.code.length <= MAX_KEPT_LENGTH
      ? { code: error.data.code, message: error.data.message.slice(0, MAX_KEPT_LENGTH) }
      : undefined
  const { reason, message } = notSerializable(what, error.reason, cause, error.data)
  return new BusError(reason, message, kept === undefined ? { cause } : { data: kept, cause })
}

/**
 * Returns the error for a value that a codec refused.
 *
 * @param what - the subject of the error text
 * @param cause - the error of the codec
 */
export const notSerializable = (what: string, reason: BusErrorReason, cause: unknown, value: unknown): BusError =>
  new BusError(reason, `${what} cannot be serialized: ${whyNotSerializable(cause, value)}`, { cause })

/** Describes a codec's error. `JSON.stringify` does not say where a BigInt is, so this searches the value for it. */
export function whyNotSerializable(cause: unknown, value: unknown): string {
  const why = describeThrown(cause)
  const path = why.includes('BigInt') ? findBigInt(value) : undefined
  if (path === undefined) return why
  return `${path || 'it'} is a BigInt, which JSON cannot represent: pass a string, or choose codec: 'msgpack'`
}

/** Objects that a search visits at most. */
const MAX_VISITED = 10_000

/** Returns the path of the first BigInt as JavaScript writes it, such as `user.ids[0]`. */
function findBigInt(root: unknown): string | undefined {
  const seen = new Set<unknown>()
  const search = (value: unknown, path: string): string | undefined => {
    if (typeof value === 'bigint') return path
    if (typeof value !== 'object' || value === null || seen.has(value) || seen.size > MAX_VISITED) return undefined
    seen.add(value)
    for (const [key, member] of Object.entries(value)) {
      const step = Array.isArray(value) ? `[${key}]` : path === '' ? key : `.${key}`
      const found = search(member, path + step)
      if (found !== undefined) return found
    }
    return undefined
  }
  try {
    return search(root, '')
  } catch {
    // A getter threw, or the nesting is too deep for the stack.
    return undefined
  }
}
