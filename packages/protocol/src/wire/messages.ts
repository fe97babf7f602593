// The wire between a frontend, its gate and core, from top to bottom: frames, messages, methods with their params, references; then the checks of what
// arrives, and the names of events and frontends. Each comment says who may send it. docs/internals/wire.md has the same, byte by byte.
import { BusError, describeCommand, describeName } from '../errors/bus-error.js'
import type { CausedErrorObject } from '../errors/error-data.js'
import { getTypeName, isBytes, isObject, isThenable } from '../util/type-guards.js'
import { MAX_CHANNELS, MAX_LABEL_LENGTH } from './limits.js'

/** The kind byte of each frame, never 0 as in cleared memory. `bytes` is an attachment, of a message of the next frame of kind `msgpack` or `jsonBytes`. */
export const FRAME_KIND = { json: 1, msgpack: 2, sealed: 3, jsonBytes: 4, bytes: 5 } as const

export type FrameKind = (typeof FRAME_KIND)[keyof typeof FRAME_KIND]

export const isFrameKind = (kind: number | undefined): kind is FrameKind => kind !== undefined && kind >= 1 && kind <= 5

/** A string, or a safe integer: fractions and larger numbers do not survive every JSON implementation. */
export type RequestId = string | number

/** Metadata of a call. Names are lower-case by convention, as in HTTP. */
export type CallHeaders = Record<string, string>

/** The arguments of a call that are channels or streams: their names and ids. */
export type CallChannels = Readonly<Record<string, number>>

/** A call, in either direction: of a command of core, or of a function that a frontend exposes. JSON-RPC 2.0 (https://www.jsonrpc.org/specification). */
export interface RequestMessage {
  jsonrpc: '2.0'
  id: RequestId
  method: string
  /** An object of named arguments, or bytes (a raw body). */
  params?: unknown
  headers?: CallHeaders
  /** Declares channels and streams among the arguments. The value of each is its `toChannelReference` or `toStreamReference`. */
  channels?: CallChannels
}

/** A call that gets no response, or a message of the bus itself. In either direction. */
export interface NotificationMessage extends Omit<RequestMessage, 'id'> {
  id?: undefined
}

/** The result of a call. From who was called. */
export interface SuccessMessage {
  jsonrpc: '2.0'
  id: RequestId
  result: unknown
  /** The id of a stream that is the result, from a frontend. `result` is `null` then. */
  stream?: number
}

/** The error of a call, from who was called, or from core for the gate's `$/rejected`. Its `cause` is between core, the host and its own code. */
export interface ErrorMessage {
  jsonrpc: '2.0'
  id: RequestId | null
  error: CausedErrorObject
  /** The id of a stream that the gate did not let pass. */
  stream?: number | undefined
}

export type CallMessage = RequestMessage | NotificationMessage
export type ResponseMessage = SuccessMessage | ErrorMessage
export type Message = CallMessage | ResponseMessage

/** The methods of the bus. Commands have Tauri's names; `$/` marks notifications and requests of the transport, as in the Language Server Protocol. */
export const METHOD = {
  /** frontend → core, `{ event, target? }`. The result is the listener's id. */
  listen: 'plugin:event|listen',
  /** frontend → core, `{ event, eventId }`. */
  unlisten: 'plugin:event|unlisten',
  /** frontend → core, `{ event, payload? }`. */
  emit: 'plugin:event|emit',
  /** frontend → core, `{ target, event, payload? }`. */
  emitTo: 'plugin:event|emit_to',
  /** core → frontend, `EventParams`: an event for listeners of this frontend. */
  event: '$/event',
  /** Sender of a stream → its receiver, `ChannelParams`: a message of the stream, or its end. */
  channel: '$/channel',
  /** Caller → who was called, `{ id }`: it no longer waits for this request. */
  cancel: '$/cancelRequest',
  /** Receiver of a stream → its sender, `{ channel, bytes }`: bytes of messages that were read. */
  credit: '$/credit',
  /** Receiver of a stream → its sender, `{ channel }`: the messages have no reader any more. */
  closeChannel: '$/closeChannel',
} as const

/** The function of the code of a run, which the host calls. */
export const RUN_METHOD = 'bus.run'

/** Methods for which web pages have no use: apart from the others, so that a page does not load them. */
export const NODE_METHOD = {
  /** Never sent: the command that a hook sees for a response to a call of an exposed function. */
  answer: 'plugin:expose|answer',
  /** frontend → core, `{ event, payloads }`: consecutive events of one name. Its reader replaces it by a `METHOD.emit` for each. */
  emitAll: '$/emit',
  /** frontend → core, a request without params that core answers in order, after all that was sent before. It passes by the hook. */
  sync: '$/sync',
  /** gate → core, `RejectedParams`: this request did not pass, and core answers it with this error. A frontend cannot send it. */
  rejected: '$/rejected',
} as const

/** Params of `$/rejected`. The id is `null` if the request had none that could be read. */
export type RejectedParams = { id: RequestId | null; error: ErrorMessage['error'] }

/** Params of `$/event`. One notification serves all listeners of a frontend; `payloads` belong to consecutive events. */
export type EventParams = { event: string; ids: readonly number[] } & ({ payload: unknown } | { payloads: unknown[] })

/**
 * Params of `$/channel`. Messages are numbered from 0 per stream: `index` is the number of the first of consecutive `messages`. With `end`, or
 * the `error` of a source, it is the total. `credit` asks for a `$/credit` with this many bytes once all messages before it were read.
 */
export type ChannelParams =
  | ({ channel: number; index: number } & (
      | { message: unknown }
      | { messages: unknown[] }
      | { end: true }
      | { error: ErrorMessage['error'] }
    ))
  | { channel: number; index?: number; credit: number }

/** Marks a call that expects a stream. The header's value refers to the channel for the stream's values. */
export const STREAM_HEADER = 'sallyport-stream'

/** The caller's timeout in whole milliseconds. Sent over a network, where a caller can disappear without notice. */
export const TIMEOUT_HEADER = 'sallyport-timeout'

/** W3C trace context in the headers of a call: https://www.w3.org/TR/trace-context/. */
export interface TraceContext {
  /** `00-<trace id>-<parent id>-<flags>`, 55 characters. */
  traceparent?: string | undefined
  /** Data of tracing systems, at most 512 characters. Ignored without a `traceparent`. */
  tracestate?: string | undefined
}

/** The channels and streams that core passes to a frontend have ids from here on: those of a frontend have 32 bits. */
export const FIRST_CORE_CHANNEL: number = 2 ** 32
const MAX_CHANNEL_ID = 0xffff_ffff
const isChannelId = (id: unknown): id is number =>
  Number.isInteger(id) && (id as number) >= 0 && (id as number) <= MAX_CHANNEL_ID

const CHANNEL_PATTERN = /^__CHANNEL__:(\d{1,10})$/

/** A channel as an argument, in Tauri's form. */
export const toChannelReference = (id: number): string => `__CHANNEL__:${id}`

/** A stream as an argument. */
export const toStreamReference = (id: number): string => `__STREAM__:${id}`

/** Returns the id in a channel's reference, or `undefined` for any other value. */
export function parseChannelReference(value: unknown): number | undefined {
  if (typeof value !== 'string' || !value.startsWith('__CHANNEL__:')) return undefined
  const id = Number(CHANNEL_PATTERN.exec(value)?.[1])
  return isChannelId(id) ? id : undefined
}

// The checks of what arrives.

/** Version ff and ids of zeros alone are invalid. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/
/** Printable ASCII. Tracing systems check the list members themselves. */
const TRACESTATE = /^[ -~]{1,512}$/

/** Replaces the trace context in the headers of a message. The headers are copied, because the caller may keep them. */
export function addTraceContext(message: { headers?: CallHeaders }, { traceparent, tracestate }: TraceContext): void {
  if (traceparent === undefined) return
  const { tracestate: _replaced, ...others } = message.headers ?? {}
  message.headers = { ...others, traceparent, ...(tracestate !== undefined && { tracestate }) }
}

/** Removes a malformed trace context. The sender is not trusted, and hooks and handlers read the headers. */
function dropInvalidTraceContext(headers: CallHeaders): void {
  const { traceparent, tracestate } = headers
  const isTraced = traceparent !== undefined && TRACEPARENT.test(traceparent)
  if (traceparent !== undefined && !isTraced) delete headers['traceparent']
  if (tracestate !== undefined && !(isTraced && TRACESTATE.test(tracestate))) delete headers['tracestate']
}

/** True for an object that a codec decoded, other than an array, bytes or a date. */
const isDecodedObject = (value: unknown): value is Record<string, unknown> =>
  isObject(value) && !ArrayBuffer.isView(value) && !(value instanceof Date)

export const isRequestId = (id: unknown): id is RequestId => typeof id === 'string' || Number.isSafeInteger(id)

const isHeaders = (value: unknown): value is CallHeaders =>
  isDecodedObject(value) && Object.values(value).every(entry => typeof entry === 'string')

/** True if the value of each declared argument is the reference of its channel or stream. */
const isChannels = (channels: unknown, params: unknown): channels is CallChannels =>
  isDecodedObject(channels) &&
  isDecodedObject(params) &&
  Object.keys(channels).length <= MAX_CHANNELS &&
  Object.entries(channels).every(
    ([name, id]) =>
      Object.hasOwn(params, name) &&
      isChannelId(id) &&
      (params[name] === toChannelReference(id) || params[name] === toStreamReference(id)),
  )

export const isErrorObject = (value: unknown): value is CausedErrorObject =>
  isDecodedObject(value) && typeof value['code'] === 'number' && typeof value['message'] === 'string'

/** True for bytes, and for an object with bytes at its top level: what can be transferred. */
export function holdsBytes(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return isBytes(value) || Object.values(value).some(isBytes)
}

/** The error text for params that a `toJSON` turned into something else than named arguments or bytes. */
export const UNNAMED_ARGUMENTS = 'the arguments serialize to neither an object nor bytes: check their toJSON'

/** @throws {BusError} InvalidParams if the arguments, which are not bytes, have no names */
export function checkNamedArguments(command: string, args: unknown): asserts args is Record<string, unknown> {
  // Lists, maps and promises without an `await` would all arrive as an object without a single name.
  const isNonNullObject = typeof args === 'object' && args !== null
  if (isNonNullObject && !(Symbol.iterator in args) && typeof (args as { then?: unknown }).then !== 'function') return
  const kind = isNonNullObject ? `a ${getTypeName(args)}` : typeof args
  const actual = Array.isArray(args) ? 'an array' : isThenable(args) ? `${kind}: is an \`await\` missing?` : kind
  const rule = 'must be an object of named arguments, or bytes'
  throw new BusError('InvalidParams', `Arguments of ${describeCommand(command)} ${rule}: got ${actual}`)
}

/** Returns the id for an error response: the message's own if it is valid, otherwise `null` (JSON-RPC, section 5). */
export const getRequestId = (message: unknown): RequestId | null =>
  isDecodedObject(message) && isRequestId(message['id']) ? message['id'] : null

/** Checks an incoming call, and removes a malformed trace context. @throws {BusError} InvalidRequest, with the malformed member */
export function parseCall(message: unknown): CallMessage {
  const { jsonrpc, id, method, params, headers, channels } = (message ?? {}) as Record<string, unknown>
  if (jsonrpc !== '2.0')
    throw invalid(isDecodedObject(message) ? '`jsonrpc` must be "2.0"' : 'a message must be an object')
  if (typeof method !== 'string' || method === '') throw invalid('`method` must be a non-empty string')
  if (id !== undefined && !Number.isSafeInteger(id) && typeof id !== 'string')
    throw invalid('`id` must be a string or a safe integer')
  if (params !== undefined && !isDecodedObject(params) && !isBytes(params)) {
    throw invalid(`\`params\` of ${describeName(method)} must be an object of named arguments, or bytes`)
  }
  if (headers !== undefined) {
    if (!isHeaders(headers)) throw invalid(`\`headers\` of ${describeName(method)} must be an object of strings`)
    dropInvalidTraceContext(headers)
  }
  if (channels !== undefined && !isChannels(channels, params)) {
    const rule = `must be the ids of at most ${MAX_CHANNELS} channels and streams among the arguments`
    throw invalid(`\`channels\` of ${describeName(method)} ${rule}`)
  }
  return message as unknown as CallMessage
}

/** True for a message that looks like a response, valid or not. */
export const isResponseLike = (message: unknown): boolean =>
  typeof message === 'object' &&
  message !== null &&
  (message as { method?: unknown }).method === undefined &&
  ('result' in message || 'error' in message)

/** Checks an incoming response of an untrusted peer. @throws {BusError} InvalidRequest, with the name of the malformed member */
export function parseResponse(message: unknown): ResponseMessage & { id: RequestId } {
  if (!isDecodedObject(message) || message['jsonrpc'] !== '2.0') throw invalid('`jsonrpc` must be "2.0"')
  if (!isRequestId(message['id'])) throw invalid('the `id` of a response must be a string or a safe integer')
  if ('result' in message === 'error' in message) throw invalid('a response has either `result` or `error`')
  if ('error' in message && !isErrorObject(message['error'])) {
    throw invalid('`error` must be an object with a number `code` and a string `message`')
  }
  if (message['stream'] !== undefined && !isChannelId(message['stream'])) {
    throw invalid('`stream` must be the id of a stream')
  }
  return message as unknown as ResponseMessage & { id: RequestId }
}

/** True for a valid response. Faster than `parseResponse`, for messages of core, whose faults need no description. */
export function isResponse(message: unknown): message is ResponseMessage {
  const { jsonrpc, id, result, error } = (message ?? {}) as Record<string, unknown>
  if (jsonrpc !== '2.0') return false
  const isValidId = isRequestId(id)
  if (result !== undefined || 'result' in (message as object)) return isValidId
  return isErrorObject(error) && (id === null || isValidId)
}

const invalid = (what: string): BusError => new BusError('InvalidRequest', `Invalid Request: ${what}`)

// Names: events, their targets, and the labels of frontends.

/** Tauri's event targets. A listener has one; `emitTo` addresses those that match it. */
export type EventTarget =
  | { kind: 'Any' | 'App' }
  | { kind: 'AnyLabel' | 'Window' | 'Webview' | 'WebviewWindow'; label: string }

/** The argument of a listener. `id` is the listener's own, as in Tauri. */
export interface BusEvent<T = unknown> {
  event: string
  id: number
  payload: T
}

/** Removes the listener that was added. */
export type Unlisten = () => void

/** Tauri's error text, verbatim. */
export const EVENT_NAME_RULE = 'Event name must include only alphanumeric characters, `-`, `/`, `:` and `_`'
const EVENT_NAME = /^[\p{Alphabetic}\p{N}\-/:_]*$/u

/** @throws {BusError} InvalidParams */
export function checkEventName(event: unknown): asserts event is string {
  if (typeof event === 'string' && EVENT_NAME.test(event)) return
  const actual = typeof event === 'string' ? describeName(event) : typeof event
  throw new BusError('InvalidParams', `${EVENT_NAME_RULE}: got ${actual}`)
}

/** Returns the target that a user names: a string is every listener of that label, as in Tauri. @throws {BusError} InvalidParams */
export function toEventTarget(target: unknown): EventTarget {
  if (typeof target === 'string') return { kind: 'AnyLabel', label: target }
  const { kind, label }: { kind?: unknown; label?: unknown } = target ?? {}
  if (kind === 'Any' || kind === 'App') return { kind }
  if (kind === 'AnyLabel' || kind === 'Window' || kind === 'Webview' || kind === 'WebviewWindow') {
    if (typeof label === 'string') return { kind, label }
  }
  throw new BusError('InvalidParams', "An event target is a label, or { kind, label } with one of Tauri's kinds")
}

// Labels of frontends, which come from options, from a session over a network, or from a credential.
const LABEL = /^[a-zA-Z0-9\-/:_]+$/
/** The names of host and core themselves, and those that the host generates for `bus.run`. */
const RESERVED_LABEL = /^(?:host|core|run-\d+)$/
const LABEL_RULE = `a label of 1 to ${MAX_LABEL_LENGTH} letters, digits, "-", "/", ":" and "_"`
export const FREE_LABEL_RULE =
  'a label other than "host", "core", "run-" with a number, and names that objects inherit, such as "constructor"'

const toLabel = (name: string): string =>
  name
    .replaceAll(/[^a-zA-Z0-9_]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, MAX_LABEL_LENGTH)

/** Returns what a label has to be, and an example that is near to `name`. */
export function describeLabelRule(name: unknown): string {
  const label = typeof name === 'string' ? toLabel(name) : ''
  return isLabel(label) ? `${LABEL_RULE}, such as ${JSON.stringify(label)}` : LABEL_RULE
}

export const isLabelText = (text: string): boolean => text.length <= MAX_LABEL_LENGTH && LABEL.test(text)

export const isReservedLabel = (text: string): boolean =>
  RESERVED_LABEL.test(text) || text in Object.prototype || text === 'prototype'

export const isLabel = (value: unknown): value is string =>
  typeof value === 'string' && isLabelText(value) && !isReservedLabel(value)
