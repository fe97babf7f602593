// Errors of an application's own, with a code that its callers can branch on. They travel as `CommandFailed`, whose data has
// what is told of them: code, message and data; never the stack or the cause.
import { BusError, type BusErrorReason, describeThrown, isBusError } from './bus-error.js'

// Why a value can't be sent. JSON.stringify says that there is a BigInt, and not where: it is looked for once it is known.

/** So many values are looked at. */
const MANY = 10_000

/** What was to be sent can't be: `what` names it, and `cause` was thrown as `value` was encoded. */
export const notSerializable = (what: string, reason: BusErrorReason, cause: unknown, value: unknown): BusError =>
  new BusError(reason, `${what} can’t be carried: ${whyNotSerializable(cause, value)}`, { cause })

/** What was thrown, in better words where there are some. */
export function whyNotSerializable(cause: unknown, value: unknown): string {
  const why = describeThrown(cause)
  const path = why.includes('BigInt') ? findBigInt(value) : undefined
  if (path === undefined) return why
  return `${path || 'it'} is a BigInt, which JSON has no form for: give a string, or choose codec: 'msgpack'`
}

/** As it is written in JavaScript, `user.ids[0]`; `undefined` where none is found. */
function findBigInt(value: unknown): string | undefined {
  const seen = new Set<unknown>()
  const search = (at: unknown, path: string): string | undefined => {
    if (typeof at === 'bigint') return path
    if (typeof at !== 'object' || at === null || seen.has(at) || seen.size > MANY) return undefined
    seen.add(at)
    for (const [key, member] of Object.entries(at)) {
      const step = Array.isArray(at) ? `[${key}]` : path === '' ? key : `.${key}`
      const found = search(member, path + step)
      if (found !== undefined) return found
    }
    return undefined
  }
  try {
    return search(value, '')
  } catch {
    // A getter that throws, or a depth that no stack has room for.
    return undefined
  }
}

/**
 * What a handler throws to fail with a code of its own. Its caller gets a `BusError` `CommandFailed` with the same message
 * and `{ code, message, data }` as its data; a Tauri client is rejected with that object.
 *
 * @example throw new CommandError('NOT_FOUND', `There is no note ${id}`, { data: { id } })
 */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly code: string
  readonly data: unknown

  /**
   * @param message the code, unless given
   * @param options `data` travels as a result would; `cause` stays in this thread
   * @throws BusError `InternalError` for a code that is no text, or empty
   */
  constructor(code: string, message: string = code, options: { data?: unknown; cause?: unknown } = {}) {
    if (typeof code !== 'string' || code === '') {
      const given = code === '' ? 'an empty one' : typeof code
      throw new BusError('InternalError', `CommandError: its code must be a text: got ${given}`)
    }
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.data = options.data
  }
}

/** What is told of a `CommandError`. */
export interface CommandErrorData<Data = unknown, Code extends string = string> {
  readonly code: Code
  readonly message: string
  readonly data: Data
}

/** A call that has failed with a `CommandError`, as its caller has it. */
export type FailedCommand<Data = unknown, Code extends string = string> = BusError & {
  readonly reason: 'CommandFailed'
  readonly data: CommandErrorData<Data, Code>
}

/**
 * True for what a call rejects with whose handler threw a `CommandError`, and, where a code is given, one of that code. What
 * `data` is, is the handler's word: `Data` is not checked.
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

/** Of this or another copy of the package. */
export const isThrownByCommand = (thrown: unknown): thrown is CommandError =>
  thrown instanceof Error && thrown.name === 'CommandError' && typeof (thrown as CommandError).code === 'string'

/** Characters of a code, and of a message, that are surely carried: what did not go may be one of them. */
const MAX_LEFT = 4096

/** An error without the data that can't be carried: of a `CommandError` its code is left, and its message, or how that begins. */
export function withoutData(error: BusError, what: string, cause: unknown): BusError {
  const left =
    isCommandError(error) && error.data.code.length <= MAX_LEFT
      ? { code: error.data.code, message: error.data.message.slice(0, MAX_LEFT) }
      : undefined
  const { reason, message } = notSerializable(what, error.reason, cause, error.data)
  return new BusError(reason, message, left === undefined ? { cause } : { data: left, cause })
}
