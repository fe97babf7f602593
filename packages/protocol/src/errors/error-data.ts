// Errors as data: name, message and stack, which has the file, line and column, own properties such as `code`, and what caused them. Core and the
// host see them. Data is a member `cause` of JSON-RPC's error object, which core passes on to trusted code alone: other frontends get the message.
import { isDevelopment } from '#platform'
import { isDeeper, isError, isObject, readStack } from '../util/type-guards.js'
import {
  BusError,
  type BusErrorReason,
  describeEmpty,
  describeThrown,
  ERROR_CODES,
  type ErrorObject,
  fromErrorObject,
  isBusError,
  toErrorObject,
} from './bus-error.js'
import { getUserStack } from '#caller-stack'

/** Longest name, message, stack and JSON of a property, in characters. */
const MAX_TEXT = { name: 100, message: 4096, stack: 16_384, property: 1024 }
/** Nesting of a property: below ten causes it is still less than that of a message. */
const MAX_PROPERTY_DEPTH = 32
const MAX_ERRORS = 10
const MAX_PROPERTIES = 20

export interface ErrorData {
  name: string
  message: string
  stack: string
  /** Own properties that JSON can represent, and a `cause` that is no error. */
  properties?: Record<string, unknown>
  cause?: ErrorData
  errors?: ErrorData[]
}

export interface CausedErrorObject extends ErrorObject {
  cause?: ErrorData
  /** The command that a run has called, and that has failed with the error. */
  command?: string
}

/** Not a member of the error: code sees no more of it, and what it throws itself has none. */
const failedCommands = new WeakMap<BusError, string>()

/** Returns the command that code has called, and that has failed with the error. `undefined` for all other errors. */
export const getFailedCommand = (error: unknown): string | undefined => failedCommands.get(error as BusError)

/** @throws what a getter of the error throws */
export function toErrorData(error: Error, seen: Set<unknown> = new Set()): ErrorData {
  seen.add(error)
  const { name, message, stack, cause, errors }: Error & { errors?: unknown } = error
  const data: ErrorData = {
    name: toText(name, MAX_TEXT.name),
    message: toText(message === '' ? describeEmpty(error) : describeThrown(error), MAX_TEXT.message),
    stack: toText(isDevelopment() ? getUserStack(error) : stack, MAX_TEXT.stack),
  }
  const properties = copyProperties(error as Error & Record<string, unknown>)
  if (Object.keys(properties).length > 0) data.properties = properties
  const toInner = (inner: unknown): ErrorData[] =>
    isError(inner) && seen.size < MAX_ERRORS && !seen.has(inner) ? [toErrorData(inner, seen)] : []
  const [inner] = toInner(cause)
  if (inner) data.cause = inner
  const all = Array.isArray(errors) ? errors.flatMap(toInner) : []
  if (all.length > 0) data.errors = all
  return data
}

/** Returns the error of data, which can be anything. `undefined` for what is no object. Nothing of it is enumerable but its own properties, as in V8. */
export function fromErrorData(data: unknown, made: Set<Error> = new Set()): Error | undefined {
  if (typeof data !== 'object' || data === null || made.size >= MAX_ERRORS) return undefined
  const { name, message, stack, properties, cause, errors }: { [Key in keyof ErrorData]?: unknown } = data
  const error = new Error(toText(message, MAX_TEXT.message))
  made.add(error)
  const define = (key: string, value: unknown, enumerable = false): unknown =>
    Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true })
  define('name', toText(name, MAX_TEXT.name))
  define('stack', toText(stack, MAX_TEXT.stack))
  // The members of a text would be its characters.
  const entries = isObject(properties) ? Object.entries(properties).filter(([key]) => isProperty(key)) : []
  for (const [key, value] of entries.slice(0, MAX_PROPERTIES)) define(key, value, key !== 'cause')
  const inner = fromErrorData(cause, made)
  if (inner) define('cause', inner)
  if (Array.isArray(errors)) define('errors', errors.map(each => fromErrorData(each, made)).filter(Boolean))
  return error
}

/** Returns own properties of an error, and its `cause`, as JSON represents them. Others, and errors, are left out. */
function copyProperties(error: Error & Record<string, unknown>): Record<string, unknown> {
  const copies: Record<string, unknown> = {}
  for (const key of [...Object.keys(error).filter(isProperty).slice(0, MAX_PROPERTIES), 'cause']) {
    try {
      const text = isError(error[key]) ? undefined : toShortJson(error[key])
      if (text === undefined || text.length > MAX_TEXT.property) continue
      const copy: unknown = JSON.parse(text)
      if (!isDeeper(copy, MAX_PROPERTY_DEPTH)) copies[key] = copy
    } catch {
      // A getter, a BigInt, a value that contains itself, or a long one.
    }
  }
  return copies
}

/**
 * Returns the JSON of a property. What is longer than a property can be is not read to its end: of a `Uint8Array`, each byte becomes a member.
 *
 * @throws {RangeError} if it is longer
 */
function toShortJson(value: unknown): string | undefined {
  let left = MAX_TEXT.property
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'string') left -= inner.length
    else left -= ArrayBuffer.isView(inner) ? inner.byteLength : 1
    if (left < 0) throw new RangeError('The property is too long')
    return inner
  })
}

/** False for what every error has, such as `message` and `toString`. */
const isProperty = (key: string): boolean => !(key in Error.prototype) && key !== 'stack' && key.length <= MAX_TEXT.name

export function toCausedErrorObject(error: BusError): CausedErrorObject {
  const object: CausedErrorObject = toErrorObject(error)
  const command = getFailedCommand(error)
  if (command !== undefined) object.command = command
  try {
    // A `BusError` can be what was thrown itself. The cause of a thrown value of another kind is known, and `undefined`.
    const thrown = 'cause' in error ? error.cause : error
    if (isError(thrown)) object.cause = toErrorData(thrown)
  } catch {
    // A proxy, or a getter: code of the frontend's own threw it.
  }
  return object
}

/** Returns the `BusError` of a received error object, whose `cause` is the error behind it. Not in pages, which never get one. */
export const fromCausedErrorObject = (object: CausedErrorObject): BusError =>
  addCause(fromUncausedErrorObject(object), object.cause)

/** Returns the `BusError` of a received error object, and knows the command that has failed. */
export function fromUncausedErrorObject({ cause: _cause, command, ...object }: CausedErrorObject): BusError {
  const error = fromErrorObject(object)
  if (command) failedCommands.set(error, toText(command, MAX_TEXT.property))
  return error
}

export function addCause(error: BusError, data: unknown): BusError {
  const cause = fromErrorData(data)
  return cause ? Object.defineProperty(error, 'cause', { value: cause, writable: true, configurable: true }) : error
}

/** The other side is not trusted: anything else than a string is left out. */
const toText = (value: unknown, max: number): string => (typeof value === 'string' ? value.slice(0, max) : '')

// Errors that a worker reports to the host, which may see all of them: message, stack and reason. Workers are not trusted, so the
// host takes nothing but strings, the numbers of a limit and of what is lost, and data of an error, from a report.

export interface ReportedError {
  message: string
  stack?: string
  /** The reason of a `BusError`. */
  reason?: string
  /** The limit that a process exceeded, which is the `data` of its error. */
  limit?: ReportedLimit
  /** Bytes that were sent before an end, and are lost. */
  unsent?: number | 'unknown'
  /** The error itself, if it is more than message and stack. */
  thrown?: ErrorData
}

export interface ReportedLimit {
  limit: string
  max: number
}

/** Longest text of a report, in characters. A process ends after its report, of which its pipe takes about 200 KB at once: the rest would be lost. */
const MAX_REPORTED = 2 ** 14

export const truncateReported = (text: string): string =>
  text.length > MAX_REPORTED ? `${text.slice(0, MAX_REPORTED)}…` : text

/** True for an object that is not larger than `reportError` makes them. */
export const isReportable = (data: unknown): data is ErrorData =>
  typeof data === 'object' && data !== null && JSON.stringify(data).length <= 2 * MAX_REPORTED

export function reportError(error: unknown): ReportedError {
  const reported: ReportedError = { message: truncateReported(describeThrown(error)) }
  if (!isError(error)) return reported
  if (readStack(error) !== '') reported.stack = truncateReported(withCause(error, getStack(error)))
  try {
    const thrown = isBusError(error) ? error.cause : error
    const data = isError(thrown) && toErrorData(thrown)
    // Of most errors the rest is here already. The rest of a large one is left out, as longer texts are.
    const hasMore = data && (thrown !== error || data.properties || data.cause || data.errors)
    if (hasMore && isReportable(data)) reported.thrown = data
  } catch {
    // A proxy, or a getter.
  }
  if (!isBusError(error)) return reported
  reported.reason = error.reason
  const limit = getLimit(error.data)
  if (limit) reported.limit = limit
  const unsent = getUnsent(error.data)
  if (unsent !== undefined) reported.unsent = unsent
  return reported
}

function getLimit(value: unknown): ReportedLimit | undefined {
  const { limit, max } = (value ?? {}) as Record<keyof ReportedLimit, unknown>
  return typeof limit === 'string' && typeof max === 'number' ? { limit, max } : undefined
}

/** Returns how much of what was sent is lost, from data that can be anything. */
export function getUnsent(data: unknown): ReportedError['unsent'] {
  const { unsent }: { unsent?: unknown } = Object(data)
  return typeof unsent === 'number' || unsent === 'unknown' ? unsent : undefined
}

/** True if what was sent before an end is lost. */
export const isUnsentError = (error: unknown): boolean => isBusError(error) && getUnsent(error.data) !== undefined

const getStack = (error: Error): string => (isDevelopment() ? getUserStack(error) : readStack(error))

/** Appends the stack of the cause, which alone has the file and line of a module with a syntax error. */
function withCause({ cause }: Error, stack: string): string {
  return isError(cause) && readStack(cause) !== '' ? `${stack}\n[cause]: ${getStack(cause)}` : stack
}

/** Returns the error that a worker reported. Its reason is `Crashed` unless the report has a valid one. */
export function receiveError(report: unknown, fallbackMessage: string): BusError {
  const { message, stack, reason, limit, unsent, thrown } = (report ?? {}) as Record<keyof ReportedError, unknown>
  const isKnown = typeof reason === 'string' && Object.hasOwn(ERROR_CODES, reason)
  const error = new BusError(
    isKnown ? (reason as BusErrorReason) : 'Crashed',
    typeof message === 'string' ? message : fallbackMessage,
    { data: getUnsent({ unsent }) === undefined ? getLimit(limit) : { ...getLimit(limit), unsent } },
  )
  if (typeof stack === 'string') error.stack = stack
  return addCause(error, thrown)
}
