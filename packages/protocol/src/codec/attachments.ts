// Large bytes go beside their message rather than in it: raw, in a frame of their own before it, so that nothing packs,
// scans or copies them. In the message a mark takes their place. Bytes are looked for where `holdsBytes` finds them, the
// value that a user gave and its own members, so nothing has to be walked.
import { holdsBytes, isBytes, type Message } from '../message/message.js'
import { METHOD } from '../message/methods.js'
import { isArrayBuffer } from '../util/type-guards.js'
import { MIN_ATTACHMENT_BYTES } from '../wire/limits.js'

/** Stands for the next attachment of the frame: its length, in 4 bytes. */
export const ATTACHMENT_EXTENSION = 0x53

/** Stands in a message for the next of its attachments. */
export class AttachmentMark {
  readonly length: number

  constructor(length: number) {
    this.length = length
  }
}

/** A message with marks in it, and the bytes they stand for, in the same order: still the memory of whoever gave them. */
export interface MarkedMessage {
  message: Message
  attachments: Uint8Array[]
  /** Those in the marks: a getter elsewhere in the message could resize a buffer. */
  lengths: number[]
}

/** In the params of these, the user's value is one member; in those of a command it is all of them. */
const USERS_MEMBER: ReadonlyMap<string, string> = new Map([
  [METHOD.emit, 'payload'],
  [METHOD.emitTo, 'payload'],
  [METHOD.event, 'payload'],
  [METHOD.channel, 'message'],
])

/** The object in a message, or the message itself, that has the user's value, and under which name. */
function findUsersValue(message: Message): [home: Record<string, unknown>, name: string] {
  if ('result' in message || 'error' in message) return [message as unknown as Record<string, unknown>, 'result']
  const { method, params } = message
  const name = USERS_MEMBER.get(method)
  return name !== undefined && isPlain(params)
    ? [params, name]
    : [message as unknown as Record<string, unknown>, 'params']
}

/** True where bytes stand in a message where they are looked for: it needs the msgpack lane. */
export function carriesBytes(message: Message): boolean {
  const [home, name] = findUsersValue(message)
  return holdsBytes(home[name])
}

export function markAttachments(message: Message): MarkedMessage {
  const attachments: Uint8Array[] = []
  const lengths: number[] = []
  const [home, name] = findUsersValue(message)
  const marked = { ...home, [name]: mark(home[name], attachments, lengths) }
  if (attachments.length === 0) return { message, attachments, lengths }
  const whole = name === 'params' || name === 'result' ? marked : { ...message, params: marked }
  return { message: whole as unknown as Message, attachments, lengths }
}

/** The value with marks in the place of large bytes: itself, or a copy where its members have some. */
function mark(value: unknown, attachments: Uint8Array[], lengths: number[]): unknown {
  if (isLarge(value)) return attach(value, attachments, lengths)
  if (!isPlain(value)) return value
  let copy: Record<string, unknown> | undefined
  for (const key of Object.keys(value)) {
    const member = value[key]
    if (!isLarge(member)) continue
    copy ??= { ...value }
    copy[key] = attach(member, attachments, lengths)
  }
  return copy ?? value
}

function attach(value: Uint8Array | ArrayBuffer, attachments: Uint8Array[], lengths: number[]): AttachmentMark {
  const bytes = isArrayBuffer(value) ? new Uint8Array(value) : value
  attachments.push(bytes)
  lengths.push(bytes.byteLength)
  return new AttachmentMark(bytes.byteLength)
}

const isLarge = (value: unknown): value is Uint8Array | ArrayBuffer =>
  isBytes(value) && value.byteLength >= MIN_ATTACHMENT_BYTES

/** What a codec writes as a map of its own members, as they are. */
function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
