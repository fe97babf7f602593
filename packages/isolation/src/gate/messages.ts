// A message at the gate: what its hook is shown, what goes on of what the hook gave, and what is said where it rejects. It is a
// call of the frontend, or its answer to a call of what it exposes.
import {
  BusError,
  type CallHeaders,
  type CallMessage,
  carriesBytes,
  type Codec,
  describeCommand,
  MAX_IN_FLIGHT,
  type Message,
  METHOD,
  type PackedMessage,
  packMessage,
  packPlain,
  parseAnswer,
  type ResponseMessage,
  STREAM_HEADER,
  toErrorObject,
} from '@sallyport/protocol'
import type { HookMessage, PassedMessage } from '../hook/types.js'
import { CANNOT_BE_CARRIED, type Rejection } from '../hook/verdict.js'

export type Given = CallMessage | Answer
type Answer = ReturnType<typeof parseAnswer>

export const isCall = (given: Given): given is CallMessage => (given as { method?: unknown }).method !== undefined

/** The hook sees Tauri's message. Its ids are shown, and never read back. */
export function show(given: Given): HookMessage {
  const callback = typeof given.id === 'number' ? given.id : 0
  if (!isCall(given)) {
    const payload = 'result' in given ? { result: given.result } : { error: given.error }
    return { cmd: METHOD.answer, callback, error: callback, payload, options: undefined }
  }
  const { method, params, headers } = given
  const options = headers === undefined ? undefined : { headers }
  return { cmd: method, callback, error: callback, payload: params ?? {}, options }
}

/**
 * The message that goes on. Its attachments may be the hook's own memory.
 *
 * @throws what the hook's values throw, and BusError where they are no such message
 */
export function write(given: Given, passed: PassedMessage, codec: Codec): PackedMessage {
  return encode(isCall(given) ? getCall(given, passed) : getAnswer(given, passed), codec)
}

/** An error in the place of an answer. */
export function writeError({ id }: Pick<Answer, 'id'>, error: BusError, codec: Codec): PackedMessage {
  return encode({ jsonrpc: '2.0', id, error: toErrorObject(error) }, codec)
}

export function rejection(given: Given, rejected: Rejection): BusError {
  const { why } = rejected
  const what = isCall(given) ? describeCommand(given.method) : 'The frontend’s answer'
  if (why === 'overloaded') return new BusError('Overloaded', `${what} was refused: ${OVERLOADED}`)
  const how =
    rejected === CANNOT_BE_CARRIED ? 'at the gate (it can’t be carried)' : `by the isolation hook (${WHY[why]})`
  return new BusError('Rejected', `${what} was rejected ${how}`, { data: { why } })
}

/** For reports: whoever sent it chose it. */
export const getName = (given: Given): string => (isCall(given) ? given.method.slice(0, MAX_NAME) : METHOD.answer)

const MAX_NAME = 200

const OVERLOADED = `more than ${MAX_IN_FLIGHT} messages of one frontend wait for its isolation hook`

const WHY: Record<string, string> = {
  null: 'it returned null or undefined',
  threw: 'it threw',
  timeout: 'it took too long',
  malformed: 'what it returned is no message',
}

function getCall({ id, headers: given }: CallMessage, { cmd, payload, options }: PassedMessage): CallMessage {
  const message = { jsonrpc: '2.0', method: cmd, params: payload } as CallMessage
  if (id !== undefined) message.id = id
  const headers = getHeaders(given, options?.headers)
  if (headers !== undefined) message.headers = headers
  return message
}

/** The hook's, but for the channel of a stream: like an id, it is not the hook's to change. */
function getHeaders(given: CallHeaders | undefined, passed: CallHeaders | undefined): CallHeaders | undefined {
  const stream = given?.[STREAM_HEADER]
  if (passed?.[STREAM_HEADER] === stream) return passed
  const { [STREAM_HEADER]: _changed, ...others } = passed ?? {}
  return stream === undefined ? others : { ...others, [STREAM_HEADER]: stream }
}

/** It stays an answer, and to the same call. */
function getAnswer({ id }: Answer, { cmd, payload }: PassedMessage): ResponseMessage {
  if (cmd !== METHOD.answer) throw new BusError('InvalidRequest', 'The answer was made into something else')
  const { result, error } = payload as { result?: unknown; error?: unknown }
  if (result === undefined && error === undefined && !('result' in (payload as object))) {
    throw new BusError('InvalidRequest', 'The answer was emptied')
  }
  const answer = error === undefined ? { result: result ?? null } : { error, ...(result !== undefined && { result }) }
  return parseAnswer({ jsonrpc: '2.0', id, ...answer })
}

function encode(message: Message, codec: Codec): PackedMessage {
  return codec.name === 'msgpack' || carriesBytes(message) ? packMessage(message) : packPlain(codec, message, true)
}
