// Attachments: large bytes travel in frames of their own before their message, so that they are not encoded, scanned or copied.
// A mark replaces them in the message. They are found if they are the user's value, one of its own members, or a member of one of those,
// without a walk.
import { BusError } from '../errors/bus-error.js'
import { holdsBytes, isBytes, type Message } from '../message/message.js'
import { toJsonValue } from './json-values.js'
import { METHOD } from '../message/methods.js'
import { isArrayBuffer, isPlainObject } from '../util/type-guards.js'
import { MAX_ATTACHED_BYTES, MIN_ATTACHMENT_BYTES } from '../wire/limits.js'

/** The MessagePack extension of a mark. Its data is the length of the attachment, in 4 bytes. */
export const ATTACHMENT_EXTENSION = 0x53

/** A placeholder for the next attachment of a message. */
export class AttachmentMark {
  constructor(readonly length: number) {}
}

/** The methods whose params have the user's value as one member. The params of a command are the user's value. */
const USER_MEMBERS: ReadonlyMap<string, string> = new Map([
  [METHOD.emit, 'payload'],
  [METHOD.emitTo, 'payload'],
  [METHOD.event, 'payload'],
  [METHOD.channel, 'message'],
])

/** Returns the object that has the user's value, the message or its params, and the name of the member. */
function findUserValue(message: Message): [owner: Record<string, unknown>, name: string] {
  if ('result' in message || 'error' in message) return [message as unknown as Record<string, unknown>, 'result']
  const { method, params } = message
  const name = USER_MEMBERS.get(method)
  return name !== undefined && isPlainObject(params)
    ? [params, name]
    : [message as unknown as Record<string, unknown>, 'params']
}

/** Returns whether a message has bytes as the user's value or one of its members. It must be encoded as MessagePack then. */
export function carriesBytes(message: Message): boolean {
  const [owner, name] = findUserValue(message)
  return holdsBytes(owner[name])
}

/** Returns a message whose user's value follows the rules of JSON, except that its bytes stay bytes. */
export function toJsonMessage(message: Message): Message {
  if ('error' in message) {
    const { data } = message.error
    return data === undefined ? message : { ...message, error: { ...message.error, data: toJsonValue(data) } }
  }
  const [owner, name] = findUserValue(message)
  const value = toJsonValue(owner[name])
  return value === owner[name] ? message : withUserValue(message, value)
}

function withUserValue(message: Message, value: unknown): Message {
  const [owner, name] = findUserValue(message)
  const changed = { ...owner, [name]: value }
  return (name === 'params' || name === 'result' ? changed : { ...message, params: changed }) as unknown as Message
}

/**
 * Replaces large bytes by marks. Returns the replaced bytes in the order of their marks, still the caller's memory, and the lengths that
 * the marks have: a getter in the message could resize a buffer afterwards.
 *
 * @throws {BusError} InvalidParams if the bytes are too many for one message
 */
export function markAttachments(message: Message): { message: Message; attachments: Uint8Array[]; lengths: number[] } {
  const attachments: Uint8Array[] = []
  const lengths: number[] = []
  const [owner, name] = findUserValue(message)
  const marked = mark(owner[name], attachments, lengths)
  const size = lengths.reduce((sum, length) => sum + length, 0)
  if (size > MAX_ATTACHED_BYTES) {
    throw new BusError('InvalidParams', `${size} bytes are over the limit of ${MAX_ATTACHED_BYTES}`)
  }
  return { message: attachments.length === 0 ? message : withUserValue(message, marked), attachments, lengths }
}

/** Returns the value itself if it has no large bytes, or a copy. @param levels - of members that are inspected */
function mark(value: unknown, attachments: Uint8Array[], lengths: number[], levels = 2): unknown {
  if (isBytes(value) && value.byteLength >= MIN_ATTACHMENT_BYTES) {
    attachments.push(isArrayBuffer(value) ? new Uint8Array(value) : value)
    lengths.push(value.byteLength)
    return new AttachmentMark(value.byteLength)
  }
  if (levels === 0 || !isPlainObject(value)) return value
  let copy = value
  for (const key of Object.keys(value)) {
    const marked = mark(value[key], attachments, lengths, levels - 1)
    if (marked === copy[key]) continue
    if (copy === value) copy = { ...value }
    copy[key] = marked
  }
  return copy
}
