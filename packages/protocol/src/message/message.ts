// JSON-RPC 2.0 messages (https://www.jsonrpc.org/specification), with `headers` as the one member that is ours, and the
// guards that decide whether something that came in is one.
import { BusError, describeName, type ErrorObject } from '../errors/bus-error.js'
import { isArrayBuffer, isUint8Array } from '../util/bytes.js'

// W3C trace context in the headers of a call: https://www.w3.org/TR/trace-context/. Whoever sends it is not trusted: what is
// malformed, or longer than it may be, is taken away before anybody reads it, the hook among them.

/** As it stands in the headers. */
export interface TraceContext {
  /** `00-<trace id>-<parent id>-<flags>`, 55 characters. */
  traceparent?: string | undefined
  /** What tracing systems add, at most 512 characters. Only beside a `traceparent`. */
  tracestate?: string | undefined
}

/** Version ff, and ids of zeros alone, are none. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/
/** Printable ASCII. Systems that read it judge its members themselves. */
const TRACESTATE = /^[ -~]{1,512}$/

/** Takes out of the headers what is no trace context under its names. */
function checkTraceContext(headers: CallHeaders): void {
  const { traceparent, tracestate } = headers
  const isTraced = traceparent !== undefined && TRACEPARENT.test(traceparent)
  if (traceparent !== undefined && !isTraced) delete headers['traceparent']
  if (tracestate !== undefined && !(isTraced && TRACESTATE.test(tracestate))) delete headers['tracestate']
}

/** Puts it into the headers of a message, in place of what they had of it. They may be somebody else's: they are copied. */
export function addTraceContext(message: { headers?: CallHeaders }, { traceparent, tracestate }: TraceContext): void {
  if (traceparent === undefined) return
  const { tracestate: _before, ...others } = message.headers ?? {}
  message.headers = { ...others, traceparent, ...(tracestate !== undefined && { tracestate }) }
}

/** A string, or a safe integer: fractions and larger numbers do not survive every JSON implementation. */
export type RequestId = string | number

/** Extra facts of a call, beside its params: lower-case names by convention, as in HTTP. */
export type CallHeaders = Record<string, string>

export interface RequestMessage {
  jsonrpc: '2.0'
  id: RequestId
  method: string
  /** An object of named arguments, or bytes (a raw body). */
  params?: unknown
  headers?: CallHeaders
}

export interface NotificationMessage extends Omit<RequestMessage, 'id'> {
  id?: undefined
}

export interface SuccessMessage {
  jsonrpc: '2.0'
  id: RequestId
  result: unknown
}

export interface ErrorMessage {
  jsonrpc: '2.0'
  id: RequestId | null
  error: ErrorObject
}

/** What a caller sends. */
export type CallMessage = RequestMessage | NotificationMessage
/** What answers it. */
export type ResponseMessage = SuccessMessage | ErrorMessage
export type Message = CallMessage | ResponseMessage

/** Of what codecs read: neither null, nor an array, bytes or a date. */
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !ArrayBuffer.isView(value) &&
  !(value instanceof Date)

export const isRequestId = (id: unknown): id is RequestId => typeof id === 'string' || Number.isSafeInteger(id)

/** True for Uint8Array (Buffer too) and ArrayBuffer: what the bus carries as raw bytes. */
export const isBytes = (value: unknown): value is Uint8Array | ArrayBuffer =>
  isUint8Array(value) || isArrayBuffer(value)

/** Of params that a codec would write as something else than named arguments, or bytes. */
export const UNNAMED = 'the arguments are written as neither an object nor bytes: look at their toJSON'

/**
 * True for bytes, and for an object with bytes at its top level: what needs the msgpack lane under any codec.
 *
 * @throws BusError `InvalidParams` where a promise is seen there, of which every codec would make an empty object
 */
export function holdsBytes(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  if (isBytes(value)) return true
  for (const key of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[key]
    if (isBytes(member)) return true
    if (member instanceof Promise)
      throw new BusError('InvalidParams', `its ${JSON.stringify(key)} is a Promise: is an \`await\` missing?`)
  }
  return false
}

function isHeaders(value: unknown): value is CallHeaders {
  return isObject(value) && Object.values(value).every(entry => typeof entry === 'string')
}

/** The id that an error answers with: the message's own where it has a good one, else `null` (JSON-RPC, section 5). */
export const getRequestId = (message: unknown): RequestId | null =>
  isObject(message) && isRequestId(message['id']) ? message['id'] : null

/**
 * Checks one incoming call, and gives it back typed, without a trace context that is none.
 *
 * @throws BusError `InvalidRequest`, which names the member that is wrong.
 */
export function parseCall(message: unknown): CallMessage {
  if (!isObject(message)) throw invalid('a message must be an object')
  if (message['jsonrpc'] !== '2.0') throw invalid('`jsonrpc` must be "2.0"')
  const { id, method, params, headers } = message
  if (typeof method !== 'string' || method === '') throw invalid('`method` must be a non-empty string')
  if (id !== undefined && !isRequestId(id)) throw invalid('`id` must be a string or a safe integer')
  if (params !== undefined && !isObject(params) && !isBytes(params)) {
    throw invalid(`\`params\` of ${describeName(method)} must be an object of named arguments, or bytes`)
  }
  if (headers !== undefined) {
    if (!isHeaders(headers)) throw invalid(`\`headers\` of ${describeName(method)} must be an object of strings`)
    checkTraceContext(headers)
  }
  return message as unknown as CallMessage
}

/** True for what is meant as an answer, whether it is a right one or not. */
export const isMeantAsAnswer = (message: unknown): boolean =>
  typeof message === 'object' &&
  message !== null &&
  (message as { method?: unknown }).method === undefined &&
  ('result' in message || 'error' in message)

/**
 * Checks one incoming answer, and gives it back typed. Whoever sends it is not trusted.
 *
 * @throws BusError `InvalidRequest`, which names the member that is wrong.
 */
export function parseAnswer(message: unknown): ResponseMessage & { id: RequestId } {
  if (!isObject(message) || message['jsonrpc'] !== '2.0') throw invalid('`jsonrpc` must be "2.0"')
  if (!isRequestId(message['id'])) throw invalid('the `id` of an answer must be a string or a safe integer')
  if ('result' in message === 'error' in message) throw invalid('an answer has either `result` or `error`')
  if ('error' in message && !isErrorObject(message['error'])) {
    throw invalid('`error` must be an object with a number `code` and a text `message`')
  }
  return message as unknown as ResponseMessage & { id: RequestId }
}

export function isResponse(message: unknown): message is ResponseMessage {
  if (!isObject(message) || message['jsonrpc'] !== '2.0') return false
  if ('result' in message) return isRequestId(message['id'])
  return isErrorObject(message['error']) && (message['id'] === null || isRequestId(message['id']))
}

const isErrorObject = (value: unknown): value is ErrorObject =>
  isObject(value) && typeof value['code'] === 'number' && typeof value['message'] === 'string'

const invalid = (what: string): BusError => new BusError('InvalidRequest', `Invalid Request: ${what}`)
