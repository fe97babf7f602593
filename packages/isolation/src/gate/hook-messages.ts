// Converts messages at the gate: to the message that the hook sees, from the hook's answer, and to the error of a rejection. A message
// is a call of the frontend, or its answer: a response to a call of an exposed function, or a value of a stream.
import type { Codec, PackedMessage } from '@sallyport/protocol/internal/codec'
import {
  type CallMessage,
  type ChannelParams,
  isBytes,
  type Message,
  METHOD,
  NODE_METHOD,
  parseResponse,
  STREAM_HEADER,
} from '@sallyport/protocol/internal/message'
import { type EncodedEvent, EventBatch, packMessage, toPacked } from '@sallyport/protocol/internal/rpc'
import { BusError, describeCommand, toErrorObject } from '@sallyport/protocol/internal/errors'
import { MAX_IN_FLIGHT } from '@sallyport/protocol/internal/wire'
import { type HookMessage, NOT_SERIALIZABLE, type PassedMessage, type Rejection } from '../hook/hook.js'

export type FrontendMessage = CallMessage | Response
type Response = ReturnType<typeof parseResponse> & {
  /** Of a value of a stream, or its error: which one it is. The id is that of the stream. */
  value?: { channel: number; index: number }
}

export const isCall = (message: FrontendMessage): message is CallMessage =>
  (message as { method?: unknown }).method !== undefined

/**
 * Returns a value of a stream, or its error, as an answer: both are what a function of the frontend has to say. `undefined` for another
 * message of a stream, which has nothing of the user.
 *
 * @throws {BusError} InvalidRequest
 */
export function toAnswer({ params }: CallMessage): Response | undefined {
  const { channel, index, message, error, ...others } = (params ?? {}) as Record<string, unknown>
  if ('messages' in others) throw new BusError('InvalidRequest', 'A frontend sends one value of a stream at a time')
  // Core reads no value of these.
  if (error === undefined && ('end' in others || 'credit' in others)) return undefined
  const answer = error === undefined ? { result: message ?? null } : { error }
  const response: Response = parseResponse({ jsonrpc: '2.0', id: channel, ...answer })
  response.value = { channel: channel as number, index: index as number }
  return response
}

/** Converts a message to Tauri's format. Its ids are only shown: the hook cannot change them. */
export function toHookMessage(message: FrontendMessage): HookMessage {
  const callback = typeof message.id === 'number' ? message.id : 0
  if (!isCall(message)) {
    const payload = 'result' in message ? { result: message.result } : { error: message.error }
    return { cmd: NODE_METHOD.answer, callback, error: callback, payload, options: undefined }
  }
  const { method, params, headers, channels } = message
  const options = headers === undefined ? undefined : { headers }
  // A copy: `getPassedChannels` needs the arguments as they were, and the hook can change its payload in place.
  const payload = channels === undefined ? (params ?? {}) : { ...(params as object) }
  return { cmd: method, callback, error: callback, payload, options }
}

/** A message that passed. An event is apart, because it can share a message with other events. */
export type PassedEncoding = PackedMessage | EncodedEvent

/** Encodes a message as the hook has passed it. Its attachments can be the hook's own memory. Throws what the hook's values throw. */
export function encodePassed(message: FrontendMessage, passed: PassedMessage, codec: Codec): PassedEncoding {
  if (!isCall(message)) return packMessage(codec, toResponse(message, passed), true)
  return encodePassedEvent(message, passed, codec) ?? packMessage(codec, toCall(message, passed), true)
}

/** Encodes an event that has a name and a payload, and nothing more: no headers, channels, bytes or other members. */
function encodePassedEvent(
  { id, headers, channels }: CallMessage,
  { cmd, payload: params, options }: PassedMessage,
  codec: Codec,
): PassedEncoding | undefined {
  if (cmd !== METHOD.emit || codec.name !== 'json' || id !== undefined) return undefined
  if (headers !== undefined || channels !== undefined || options !== undefined || !isEvent(params)) return undefined
  const { event, payload } = params
  if (typeof event !== 'string') return undefined
  const encoded = EventBatch.encode(event, payload)
  return typeof encoded === 'string' ? toPacked(codec, encoded) : encoded
}

/** True for a plain object with these members, in this order. The hook can have made any other. */
function isEvent(params: unknown): params is { event: unknown; payload: unknown } {
  if (typeof params !== 'object' || params === null || Object.getPrototypeOf(params) !== Object.prototype) return false
  const keys = Object.keys(params)
  return keys.length === 2 && keys[0] === 'event' && keys[1] === 'payload' && !('toJSON' in params)
}

/** Encodes the error in place of a response, or of a value. Core ends the stream that the response had. */
export function encodeErrorResponse(
  { id, stream, value }: Pick<Response, 'id' | 'stream' | 'value'>,
  failure: BusError,
  codec: Codec,
): PackedMessage {
  const error = toErrorObject(failure)
  const response: Message = { jsonrpc: '2.0', id, error, ...(stream !== undefined && { stream }) }
  return packMessage(codec, value ? toValue({ ...value, error }) : response, true)
}

const toValue = (params: ChannelParams): Message => ({ jsonrpc: '2.0', method: METHOD.channel, params })

export function toRejectionError(message: FrontendMessage, rejection: Rejection): BusError {
  const { why } = rejection
  const subject = isCall(message) ? describeCommand(message.method) : "The frontend's response"
  if (why === 'overloaded') {
    const reason = `more than ${MAX_IN_FLIGHT} messages of one frontend wait for its isolation hook`
    return new BusError('Overloaded', `${subject} was refused: ${reason}`)
  }
  const source =
    rejection === NOT_SERIALIZABLE ? 'at the gate (it cannot be serialized)' : `by the isolation hook (${REASONS[why]})`
  return new BusError('Rejected', `${subject} was rejected ${source}`, { data: { why } })
}

const REASONS: Record<Exclude<Rejection['why'], 'overloaded'>, string> = {
  null: 'it returned null or undefined',
  threw: 'it threw',
  timeout: 'it timed out',
  malformed: 'it did not return a message',
}

/** Limit of a name in reports, because the frontend chooses it. */
const MAX_NAME_LENGTH = 200

export const getName = (message: FrontendMessage): string =>
  isCall(message) ? message.method.slice(0, MAX_NAME_LENGTH) : NODE_METHOD.answer

function toCall(message: CallMessage, { cmd, payload, options }: PassedMessage): CallMessage {
  const { id, headers, channels } = message
  const call = { jsonrpc: '2.0', method: cmd, params: payload } as CallMessage
  if (id !== undefined) call.id = id
  const passedHeaders = options?.headers
  // Stryker disable next-line ConditionalExpression: without headers, it would return undefined
  if (headers !== undefined || passedHeaders !== undefined) {
    const checkedHeaders = getPassedHeaders(headers, passedHeaders)
    if (checkedHeaders !== undefined) call.headers = checkedHeaders
  }
  const passedChannels = channels === undefined ? undefined : getPassedChannels(message, payload)
  if (passedChannels !== undefined) call.channels = passedChannels
  return call
}

/**
 * Returns the channels and streams among the hook's arguments. The hook sees them as their references, and can remove, move and copy those. A
 * reference that the call has not declared stays a string.
 */
function getPassedChannels({ params, channels }: CallMessage, payload: unknown): CallMessage['channels'] {
  if (channels === undefined || payload === undefined || isBytes(payload)) return undefined
  const original = params as Readonly<Record<string, unknown>>
  const ids = new Map<unknown, number>(Object.entries(channels).map(([name, id]) => [original[name], id]))
  const passed: Record<string, number> = {}
  for (const [name, value] of Object.entries(payload as object)) {
    const id = ids.get(value)
    if (id !== undefined && (Object.hasOwn(channels, name) || original[name] !== value)) passed[name] = id
  }
  return passed
}

/** Returns the hook's headers with the original channel of a stream, which the hook cannot change, just like an id. */
function getPassedHeaders(original: CallMessage['headers'], passed: CallMessage['headers']): CallMessage['headers'] {
  const stream = original?.[STREAM_HEADER]
  if (passed?.[STREAM_HEADER] === stream) return passed
  const { [STREAM_HEADER]: _changed, ...others } = passed ?? {}
  return stream === undefined ? others : { ...others, [STREAM_HEADER]: stream }
}

function toResponse({ id, stream, value }: Response, { cmd, payload }: PassedMessage): Message {
  if (cmd !== NODE_METHOD.answer) throw new BusError('InvalidRequest', 'The response was changed to another message')
  const { result, error } = payload as { result?: unknown; error?: unknown }
  if (result === undefined && error === undefined && !('result' in (payload as object))) {
    throw new BusError('InvalidRequest', 'The response has neither a result nor an error')
  }
  const response = error === undefined ? { result: result ?? null } : { error, ...(result !== undefined && { result }) }
  const answer = parseResponse({ jsonrpc: '2.0', id, ...response, ...(stream !== undefined && { stream }) })
  if (!value) return answer
  return toValue({ ...value, ...('error' in answer ? { error: answer.error } : { message: answer.result }) })
}
