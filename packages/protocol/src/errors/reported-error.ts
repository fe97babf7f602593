// Errors that a worker reports to the host, which may see all of them: message, stack and reason. Workers are not trusted, so the
// host takes nothing but strings, the number of a limit, and data of an error, from a report.
import { isDevelopment } from '../util/development.js'
import { isError } from '../util/type-guards.js'
import { BusError, type BusErrorReason, describeThrown, ERROR_CODES, isBusError } from './bus-error.js'
import { getUserStack } from './caller-stack.js'
import { addCause, type ErrorData, toErrorData } from './thrown-error.js'

export interface ReportedError {
  message: string
  stack?: string
  /** The reason of a `BusError`. */
  reason?: string
  /** The limit that a process exceeded, which is the `data` of its error. */
  limit?: ReportedLimit
  /** The error itself, if it is more than message and stack. */
  thrown?: ErrorData
}

/** A limit of a process and its value. */
export interface ReportedLimit {
  limit: string
  max: number
}

/** Longest text of a report, in characters. A process ends after its report, of which its pipe takes about 200 KB at once: the rest would be lost. */
const MAX_TEXT = 2 ** 14

const truncate = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text)

export function reportError(error: unknown): ReportedError {
  const reported: ReportedError = { message: truncate(describeThrown(error)) }
  if (!isError(error)) return reported
  if (typeof error.stack === 'string') reported.stack = truncate(withCause(error, getStack(error)))
  try {
    const thrown = isBusError(error) ? error.cause : error
    const data = isError(thrown) && toErrorData(thrown)
    // Of most errors the rest is here already. The rest of a large one is left out, as longer texts are.
    const hasMore = data && (thrown !== error || data.properties || data.cause || data.errors)
    if (hasMore && JSON.stringify(data).length <= 2 * MAX_TEXT) reported.thrown = data
  } catch {
    // A proxy, or a getter.
  }
  if (!isBusError(error)) return reported
  reported.reason = error.reason
  const limit = getLimit(error.data)
  if (limit) reported.limit = limit
  return reported
}

/** Copies a limit, of which nothing else is taken. */
function getLimit(value: unknown): ReportedLimit | undefined {
  const { limit, max } = (value ?? {}) as Record<keyof ReportedLimit, unknown>
  return typeof limit === 'string' && typeof max === 'number' ? { limit, max } : undefined
}

const getStack = (error: Error): string => (isDevelopment() ? getUserStack(error) : error.stack!)

/** Appends the stack of the cause, which alone has the file and line of a module with a syntax error. */
function withCause({ cause }: Error, stack: string): string {
  return isError(cause) && typeof cause.stack === 'string' ? `${stack}\n[cause]: ${getStack(cause)}` : stack
}

/** Returns the error that a worker reported. Its reason is `Crashed` unless the report has a valid one. */
export function receiveError(report: unknown, fallbackMessage: string): BusError {
  const { message, stack, reason, limit, thrown } = (report ?? {}) as Record<keyof ReportedError, unknown>
  const isKnown = typeof reason === 'string' && Object.hasOwn(ERROR_CODES, reason)
  const error = new BusError(
    isKnown ? (reason as BusErrorReason) : 'Crashed',
    typeof message === 'string' ? message : fallbackMessage,
    { data: getLimit(limit) },
  )
  if (typeof stack === 'string') error.stack = stack
  return addCause(error, thrown)
}
