// One error class for the whole bus, with a code table: JSON-RPC 2.0's own codes (section 5.1 of its specification) and
// ours in its range for servers. On the wire an error is JSON-RPC's error object; no stack and no path leaves a thread.

/** Code by reason. `Cancelled` is the Language Server Protocol's `RequestCancelled`. */
export const ERROR_CODES = {
  ParseError: -32700,
  InvalidRequest: -32600,
  MethodNotFound: -32601,
  InvalidParams: -32602,
  InternalError: -32603,
  CommandFailed: -32000,
  Denied: -32001,
  Rejected: -32002,
  Timeout: -32003,
  Overloaded: -32004,
  Disconnected: -32005,
  Cancelled: -32800,
} as const

export type BusErrorReason = keyof typeof ERROR_CODES
export type BusErrorCode = (typeof ERROR_CODES)[BusErrorReason]

/** JSON-RPC 2.0's error object. */
export interface ErrorObject {
  code: number
  message: string
  data?: unknown
}

const REASONS = new Map<number, BusErrorReason>(
  Object.entries(ERROR_CODES).map(([reason, code]) => [code, reason as BusErrorReason]),
)

/**
 * What every call of the bus rejects with.
 *
 * `code` is the number on the wire, `reason` its name, `data` what came with it (for `CommandFailed`: the value that the
 * handler threw or rejected with).
 *
 * @example
 * try { await invoke('greet') } catch (error) { if (isBusError(error, 'Denied')) … }
 */
export class BusError extends Error {
  override readonly name = 'BusError'
  readonly code: BusErrorCode
  readonly reason: BusErrorReason
  readonly data: unknown

  constructor(reason: BusErrorReason, message: string, options: { data?: unknown; cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = ERROR_CODES[reason]
    this.reason = reason
    this.data = options.data
  }
}

/** True for a `BusError` (of this or another copy of the package), and, where a reason is given, of that reason. */
export function isBusError(error: unknown, reason?: BusErrorReason): error is BusError {
  if (!(error instanceof Error) || error.name !== 'BusError') return false
  const named = (error as BusError).reason
  return reason === undefined ? Object.hasOwn(ERROR_CODES, named) : named === reason
}

/** The error object of an error. An error that is not the bus's own says nothing of itself: it may hold a path. */
export function toErrorObject(error: unknown): ErrorObject {
  if (!isBusError(error)) return { code: ERROR_CODES.InternalError, message: 'Internal error' }
  const object: ErrorObject = { code: ERROR_CODES[error.reason], message: String(error.message) }
  if (error.data !== undefined) object.data = error.data
  return object
}

/** The `BusError` of an error object that came in; an unknown code becomes `InternalError`. */
export function fromErrorObject(object: ErrorObject): BusError {
  const reason = REASONS.get(object.code) ?? 'InternalError'
  return new BusError(reason, object.message, 'data' in object ? { data: object.data } : {})
}

/** A text for whatever was thrown, which may be anything: nothing of it can make this throw. */
export function describeThrown(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown)
  } catch {
    return 'something that can’t be shown'
  }
}

/** A name for an error text: quoted, escaped and cut, because whoever sent it chose it. */
export const describeName = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name)

export const describeCommand = (method: string): string => `command ${describeName(method)}`
