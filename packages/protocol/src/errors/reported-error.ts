// An error on its way from a worker to the host, which may see all of it: message, stack and reason. What a worker says is
// not trusted: on arrival it is text, or nothing.
import { BusError, type BusErrorReason, describeThrown, ERROR_CODES } from './bus-error.js'

export interface ReportedError {
  message: string
  stack?: string
  /** A `BusError`'s. */
  reason?: string
}

export function reportError(error: unknown): ReportedError {
  const reported: ReportedError = { message: describeThrown(error) }
  if (!(error instanceof Error)) return reported
  if (error.stack !== undefined) reported.stack = withCause(error, error.stack)
  if (error instanceof BusError) reported.reason = error.reason
  return reported
}

/** A cause says where it happened: the file and line of a module that can't be parsed stand in its stack alone. */
function withCause({ cause }: Error, stack: string): string {
  return cause instanceof Error && cause.stack !== undefined ? `${stack}\n[cause]: ${cause.stack}` : stack
}

/** The error that a worker has reported; `InternalError` where it names no reason that there is. */
export function receiveError(report: unknown, fallback: string): BusError {
  const { message, stack, reason } = (report ?? {}) as Record<keyof ReportedError, unknown>
  const known = typeof reason === 'string' && Object.hasOwn(ERROR_CODES, reason)
  const error = new BusError(
    known ? (reason as BusErrorReason) : 'InternalError',
    typeof message === 'string' ? message : fallback,
  )
  if (typeof stack === 'string') error.stack = stack
  return error
}
