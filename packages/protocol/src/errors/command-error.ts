// Errors of handlers, for their callers. A `CommandError` has a code of the application's own, on which callers can branch. Any other
// value that a handler throws reaches its caller unchanged. An Error arrives as its message, without what may hold a path.
import { getSystemMessage, IS_NODE } from '#platform'
import { isError } from '../util/type-guards.js'
import {
  BusError,
  type BusErrorReason,
  describeCommand,
  describeEmpty,
  describeThrown,
  describeValue,
  isBusError,
} from './bus-error.js'

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
  const { reason, message } = notSerializable(what, error.reason, cause, error.data)
  if (!isCommandError(error) || error.commandCode.length > MAX_KEPT_LENGTH)
    return new BusError(reason, message, { cause })
  const text = (error.data as { message: string }).message.slice(0, MAX_KEPT_LENGTH)
  return new BusError(reason, `${text} (${message})`, { data: { code: error.commandCode, message: text }, cause })
}

/** Returns the error for a value that a codec refused, for the reason `cause`. @param what - the subject of the error text */
export function notSerializable(what: string, reason: BusErrorReason, cause: unknown, value: unknown): BusError {
  let why = whyNotSerializable(cause, value)
  if (IS_NODE && what.startsWith('The result of '))
    for (const [argument, result] of OF_RESULTS) why = why.replace(argument, result)
  return new BusError(reason, `${what} cannot be serialized: ${why}`, { cause })
}

/** The remedies of codecs are for arguments. What helps a result is told by its function. */
const OF_RESULTS: readonly (readonly [argument: string | RegExp, result: string])[] = [
  [/pass a Channel, or expose it$/, 'return what it returns'],
  [/: pass a Channel$/, ': send its messages on a Channel that is an argument'],
  [/pass it as an argument of its own(?:, at the top level of a call)?$/, 'yield its values instead'],
  [/pass it as the option `signal`, after the arguments$/, 'leave it out'],
  [': pass ', ': return '],
]

/** The error for one value within a message that a codec refused. Its text follows the path of the value. */
export class RefusedValueError extends TypeError {
  constructor(
    readonly refused: unknown,
    message: string,
  ) {
    super(message)
  }
}

// Texts about errors of Node and of codecs, for callers.

/** Returns the message of an error without the path of `ENOENT: no such file or directory, open '/etc/secret'`. A failed import keeps its code only. */
export function getPublicMessage(error: Error & { code?: unknown; errno?: unknown }): string {
  if (!IS_NODE) return describeThrown(error)
  const message = error.message ? describeThrown(error) : describeEmpty(error, getPublicMessage)
  const { code, errno } = error
  // Node's message about a child process is its whole command line.
  if ('spawnargs' in error || ('cmd' in error && 'killed' in error) || ('pid' in error && 'status' in error))
    return 'Command failed'
  if (typeof code !== 'string') return message
  if (typeof errno === 'number') return `${code}: ${getSystemMessage(errno) ?? 'the system refused'}`
  return /^(ERR_|MODULE_)/.test(code) && /[\\/]/.test(message) ? code : message
}

/** Describes a codec's error. `JSON.stringify` does not say where a BigInt is, so this searches the value for it, and for what MessagePack refused. */
export function whyNotSerializable(cause: unknown, value: unknown): string {
  const why = describeThrown(cause)
  if (IS_NODE && cause instanceof RefusedValueError) {
    const path = findValue(value, each => each === cause.refused)
    // What a getter or `toJSON` returned.
    return `${path === undefined ? 'a value in it' : path || 'it'} ${why}`
  }
  if (IS_NODE && /circular structure|nested deeper/.test(why)) {
    const around = findValue(value, (each, holders) => holders.includes(each))
    if (around !== undefined) return `${around} makes it a circular structure, which no codec can represent`
  }
  if (IS_NODE && why.includes('"__proto__" is refused')) {
    const holder = findValue(value, each => Object.hasOwn(Object(each), '__proto__'))
    return holder ? `${holder}: ${why}` : why
  }
  let found: unknown
  const path =
    IS_NODE && /a BigInt|^BigInt are/.test(why)
      ? findValue(value, each => typeof (found = each) === 'bigint')
      : undefined
  if (path === undefined) return why
  const big = found as bigint
  const isShort = BigInt.asIntN(64, big) === big || BigInt.asUintN(64, big) === big
  const remedy = isShort ? "pass a string, or choose codec: 'msgpack'" : 'pass a string'
  return `${path || 'it'} is a BigInt, which JSON cannot represent: ${remedy}`
}

/** For the `catch` of a function that passes options on. @throws the error, whose text begins with `own`, which the caller knows, in place of `other` */
export const throwAs =
  (other: string, own: string) =>
  (cause: unknown): never => {
    if (!(cause instanceof BusError && cause.message.startsWith(other))) throw cause
    const message = cause.message.replace(other, () => own)
    throw new BusError(cause.reason, message, { data: cause.data, cause })
  }

const MAX_VISITED = 10_000

/** Returns the path of the first such value as JavaScript writes it, such as `user.ids[0]`. */
function findValue(root: unknown, isWanted: (value: unknown, holders: unknown[]) => boolean): string | undefined {
  const seen = new Set<unknown>()
  const holders: unknown[] = []
  const search = (value: unknown, path: string): string | undefined => {
    if (isWanted(value, holders)) return path
    if (typeof value !== 'object' || value === null || seen.has(value) || seen.size > MAX_VISITED) return undefined
    seen.add(value)
    holders.push(value)
    for (const [key, member] of Object.entries(value)) {
      const step = Array.isArray(value) ? `[${key}]` : path === '' ? key : `.${key}`
      const found = search(member, path + step)
      if (found !== undefined) return found
    }
    holders.pop()
    return undefined
  }
  try {
    return search(root, '')
  } catch {
    // A getter threw, or the nesting is too deep for the stack.
    return undefined
  }
}
