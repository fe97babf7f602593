// The bus's error class and its codes: those of JSON-RPC 2.0 (section 5.1 of its specification), and our own in its range for
// servers. On the wire an error is JSON-RPC's error object; no stack and no path leaves a thread.
import { IS_NODE, isDevelopment } from '#platform'
import { isError, readStack } from '../util/type-guards.js'

// Behind each code: has the command run? `npm run docs:limits` makes the table of docs/reference/error-codes.md of it.
/** Codes by reason. `Cancelled` is the Language Server Protocol's `RequestCancelled`. */
export const ERROR_CODES = {
  ParseError: -32700, // no
  InvalidRequest: -32600, // no, except a plain command that was called as a stream
  MethodNotFound: -32601, // no
  InvalidParams: -32602, // no
  InternalError: -32603, // perhaps
  CommandFailed: -32000, // yes
  Denied: -32001, // no
  Rejected: -32002, // no
  Timeout: -32003, // perhaps, unless `data.delivered` is `'no'`
  Overloaded: -32004, // no, unless its answer or a message of its channel did not fit
  Disconnected: -32005, // perhaps: `data.delivered` is `'no'`, or `'unknown'`
  LoadFailed: -32006, // no
  Crashed: -32007, // perhaps
  Interrupted: -32008, // until it interrupted the run
  Cancelled: -32800, // perhaps, unless `data.delivered` is `'no'`
} as const

/** The reason of a `BusError`, such as `Denied` or `Timeout`. Each has a code, as in JSON-RPC. */
export type BusErrorReason = keyof typeof ERROR_CODES

// `npm run docs:limits` makes a table of docs/reference/error-messages.md of it.
/** What a program can act on, as `error.data.code`. Behind each: how. */
export type CauseCode =
  | 'RATE_LIMITED' // call again after `data.retryAfter` ms
  | 'TOO_MANY_CALLS' // call again when one of those in flight has ended
  | 'CALLS_SPENT' // give up
  | 'RESULT_TOO_LARGE' // ask for less
  | 'TOO_MANY_QUESTIONS' // have one answered first
  | 'NO_FRONTEND' // open it
  | 'RESTARTING' // call again soon
  | 'CLOSED' // give up, or open another
  | 'NO_CONNECTION' // try again later
  | 'NOT_ALLOWED' // have the right granted
  | 'REFUSED' // do without: a person has said no
  | 'LOGIN_REFUSED' // log in with another user, password or token
  | 'QUESTION_EXPIRED' // call again, and ask again
  | 'ALREADY_RESUMED' // give up: the other answer counts
  | 'ARGUMENTS_INVALID' // correct what the text, or `data.issues`, names
  | 'WALL_UNAVAILABLE' // install what the text names, or take another wall

/** JSON-RPC 2.0's error object. */
export interface ErrorObject {
  code: number
  message: string
  data?: unknown
}

/** Marks errors of every copy of the package. Names do not: that of a `BusError` depends on its reason. */
const BRAND: symbol = Symbol.for('sallyport.BusError')

const NAMES: { readonly [reason in BusErrorReason]?: 'AbortError' | 'TimeoutError' } = {
  Cancelled: 'AbortError',
  Timeout: 'TimeoutError',
}

/**
 * The error that every call of the bus rejects with.
 *
 * `code` is the number on the wire, and `reason` its name. `name` is `AbortError` for `Cancelled`, `TimeoutError` for `Timeout`, and
 * `BusError` for all other reasons. `data` is an optional value, whose `code` names a cause that programs act on. For `CommandFailed`, it is
 * the value that the handler threw or rejected with. In development, `stack` begins with `String(error)`.
 *
 * @example
 * try { await invoke('greet') } catch (error) { if (isBusError(error, 'Denied')) … }
 */
export class BusError extends Error {
  override readonly name: 'BusError' | 'AbortError' | 'TimeoutError'
  readonly code: number
  readonly reason: BusErrorReason
  readonly data: unknown
  /** What `bus.resume` takes, if `bus.run` rejected with `Interrupted`. */
  declare readonly continuation?: Uint8Array

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true })
  }

  /** @param options - `code` becomes a member of `data` */
  constructor(
    reason: BusErrorReason,
    message: string,
    options: { code?: CauseCode | undefined; data?: unknown; cause?: unknown } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    const name = NAMES[reason] ?? 'BusError'
    if (isDevelopment()) {
      // V8 formats the stack when it is first read, with the name that the error has then.
      Object.assign(this, { name: `${name} [${reason}]` })
      readStack(this)
    }
    this.name = name
    this.code = ERROR_CODES[reason]
    this.reason = reason
    const { code, data } = options
    this.data = code === undefined ? data : { code, ...(data as object | undefined) }
    // Node would print it.
    if (IS_NODE && this.data === undefined) Object.defineProperty(this, 'data', { enumerable: false })
  }

  /** The code of the `CommandError` that the handler threw. `undefined` for all other errors. */
  get commandCode(): string | undefined {
    return getCommandError(this)?.code
  }

  /** The data of the `CommandError` that the handler threw. `undefined` for all other errors. */
  get commandData(): unknown {
    return getCommandError(this)?.data
  }

  /** Returns name, reason and message: `BusError [Denied]: …`. */
  override toString(): string {
    return `${this.name} [${this.reason}]: ${this.message}`
  }
}

function getCommandError({ reason, data }: BusError): { code: string; data?: unknown } | undefined {
  if (reason !== 'CommandFailed' || typeof data !== 'object' || data === null) return undefined
  try {
    const { code, message } = data as Record<string, unknown>
    return typeof code === 'string' && typeof message === 'string' ? (data as { code: string }) : undefined
  } catch {
    return undefined // A proxy, or a getter, that the handler threw.
  }
}

/** True for a `BusError` of this or another copy of the package. With `reason`, true only for errors of that reason. */
export function isBusError(error: unknown, reason?: BusErrorReason): error is BusError {
  try {
    if (typeof error !== 'object' || error === null || !(BRAND in error)) return false
    const actual = (error as BusError).reason
    return reason === undefined ? Object.hasOwn(ERROR_CODES, actual) : actual === reason
  } catch {
    // A proxy, or a getter: third-party code can throw any value.
    return false
  }
}

/** Returns the error object of an error. The message of any other error than the bus's own is hidden: it may hold a path. */
export function toErrorObject(error: unknown): ErrorObject {
  if (!isBusError(error)) return { code: ERROR_CODES.InternalError, message: 'Internal error' }
  const object: ErrorObject = { code: ERROR_CODES[error.reason], message: describeThrown(error) }
  if (error.data !== undefined) object.data = error.data
  return object
}

/** Returns the `BusError` of a received error object. An unknown code becomes `InternalError`. */
export function fromErrorObject(object: ErrorObject): BusError {
  const reasons = Object.keys(ERROR_CODES) as BusErrorReason[]
  const reason = reasons.find(each => ERROR_CODES[each] === object.code) ?? 'InternalError'
  return new BusError(reason, object.message, 'data' in object ? { data: object.data } : {})
}

/** Returns a text for any thrown value. Never throws, whatever that value does. */
export function describeThrown(thrown: unknown): string {
  try {
    if (IS_NODE && isError(thrown) && !thrown.message) return describeEmpty(thrown)
    return String(isError(thrown) ? thrown.message : thrown)
  } catch {
    return 'a value that cannot be shown'
  }
}

/** Returns a text for an error without a message, such as the `AggregateError` of a host that refuses connections. @param describe - of those in it */
export function describeEmpty(error: Error, describe: (inner: Error) => string = describeThrown): string {
  const { name, code, errors, cause }: Error & { code?: unknown; errors?: unknown } = error
  const inner = [...(Array.isArray(errors) ? (errors as unknown[]).slice(0, MAX_REASONS) : []), cause ?? '']
  const texts = inner.map(each => (isError(each) ? each.message && describe(each) : String(each)))
  const reasons = [...new Set(texts)].filter(text => text !== '').join('; ')
  if (reasons !== '') return `${name}: ${reasons}`
  return `${typeof code === 'string' ? `${name} ${code}` : name} (without a message)`
}

/** Errors whose messages stand for the empty message of another one. */
const MAX_REASONS = 5
const MAX_VALUE_LENGTH = 200

/** Bytes by their type, of which each would become a member. */
const showBytes = (_key: string, value: unknown): unknown =>
  ArrayBuffer.isView(value) ? Object.prototype.toString.call(value) : value

/** Returns a short text for any value. Never throws. */
export function describeValue(value: unknown): string {
  let text: string | undefined
  try {
    text = ArrayBuffer.isView(value)
      ? Object.prototype.toString.call(value)
      : JSON.stringify(value, IS_NODE ? showBytes : undefined)
  } catch {
    // A BigInt, or it contains itself.
  }
  text ??= describeThrown(value)
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text
}

/** Quotes, escapes and truncates an untrusted name for an error text. */
export const describeName = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name)

export const describeCommand = (method: string): string => `command ${describeName(method)}`

/** The error for every invalid record. Its text never varies, so that an attacker learns nothing from it. */
export const createRecordError = (): BusError =>
  new BusError('InvalidRequest', 'A record was refused, and its session is closed')

/** The error of what comes to core while it drains. */
export const createClosingError = (): BusError =>
  new BusError('Disconnected', 'The bus is closing', { code: 'CLOSED', data: { delivered: 'no' } })

/** The error of a client that its own code, or its page, has closed. */
export const createClosedClientError = (): BusError =>
  new BusError('Disconnected', 'The client was closed', { code: 'CLOSED', data: { delivered: 'no' } })

export const createCancelledError = (): BusError => new BusError('Cancelled', 'The caller cancelled the call')

/** The error of a message that only core or a gate sends. */
export const createForgedError = (method: string): BusError =>
  new BusError('InvalidRequest', `${describeCommand(method)} cannot be sent by a frontend`)

/** Returns why a frame was not read. */
export const toFrameError = (error: unknown): BusError =>
  isBusError(error) ? error : new BusError('InternalError', 'The frame could not be read')

const NAMELESS = 'The frontend'

/** Code does not know what the host calls it, which tells. */
export function nameUnsent<E extends Error>(error: E, name: string): E {
  if (error.message.startsWith(`${NAMELESS} ended before core had taken`))
    error.message = name + error.message.slice(NAMELESS.length)
  return error
}

/**
 * @param unsent - bytes that were sent, and that nobody has taken
 * @param name - of who has sent them
 */
export function createUnsentError(unsent: number | 'unknown', name: string = NAMELESS): BusError {
  const lost = unsent === 'unknown' ? 'some may be' : `${unsent} bytes are`
  return new BusError('Timeout', `${name} ended before core had taken what it had sent: ${lost} lost`, {
    data: { unsent },
  })
}

/** Decodes the answer of a function that decides: `'no'` and a promise are truthy, too. Its error repeats no value, which can be a token. @throws {BusError} */
export function isYes(decider: string, answer: unknown): boolean {
  if (typeof answer === 'boolean') return answer
  const got = Object(answer) instanceof Promise ? 'a promise' : typeof answer
  throw new BusError('InvalidParams', `${decider} must return true or false: got ${got}`)
}
