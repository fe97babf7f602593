// What instances of one bus tell each other over a subject that others may read and write: sealed messages, each taken at most once
// by each instance, in the order of each sender. What is lost is not missed. Layout and keys are in docs/security.md.
import { type KeyObject, randomBytes } from 'node:crypto'
import { isUint8Array } from '@sallyport/protocol'
import { decrypt, encrypt, hkdfSha256, importKey, KEY_BYTES, NONCE_BYTES, TAG_BYTES } from '@sallyport/protocol/records'
import { readBusSecret } from '../handshake/credential.js'
import { Fields, short, u64, u8 } from '../handshake/fields.js'
import { checkName, isName } from '../connection/subjects.js'

// The clear part of a broadcast, all of it additional data: who sealed it, when, and after how many others.

const VERSION = 1
const SENDER_BYTES = 16

export interface BroadcastHeader {
  /** Random, for each start of an instance. */
  readonly sender: Uint8Array
  /** From 0. */
  readonly sequence: number
  /** Of sealing, in milliseconds since the Unix epoch. */
  readonly time: number
  readonly instance: string
}

export const writeHeader = ({ sender, sequence, time, instance }: BroadcastHeader): Uint8Array =>
  Buffer.concat([u8(VERSION), sender, u64(sequence), u64(time), short(instance)])

/** And where it ends. Undefined for another version, and for a name that is none. @throws RangeError where it is cut short */
function readHeader(message: Uint8Array): (BroadcastHeader & { end: number }) | undefined {
  const fields = new Fields(message)
  if (fields.u8() !== VERSION) return undefined
  const [sender, sequence, time, instance] = [fields.take(SENDER_BYTES), fields.u64(), fields.u64(), fields.short()]
  return isName(instance) ? { sender, sequence, time, instance, end: message.byteLength - fields.left } : undefined
}

const EPOCH_MESSAGES = 2 ** 16

/**
 * The key for a sequence: HKDF-SHA256 with the bus's secret as key material and the sender as salt. Their info is
 * `sallyport/1 broadcast`, a zero byte, the bus, a zero byte, the subject, a zero byte, and the epoch as u64, big-endian.
 */
export function broadcastKeys(
  secret: Uint8Array,
  sender: Uint8Array,
  bus: string,
  subject: string,
): (sequence: number) => KeyObject {
  const info = Buffer.from(`sallyport/1 broadcast\0${bus}\0${subject}\0........`)
  let epoch = -1
  let key: KeyObject | undefined
  return sequence => {
    const due = Math.floor(sequence / EPOCH_MESSAGES)
    if (!key || due !== epoch) {
      epoch = due
      info.writeBigUInt64BE(BigInt(epoch), info.length - 8)
      key = importKey(hkdfSha256(secret, sender, info, KEY_BYTES))
    }
    return key
  }
}

/** A sender's key seals nothing but this sequence once, so that the sequence alone may be the nonce. */
export function getNonce(sequence: number): Uint8Array {
  const nonce = Buffer.alloc(NONCE_BYTES)
  nonce.writeBigUInt64BE(BigInt(sequence), NONCE_BYTES - 8)
  return nonce
}

/** Starts of instances that are remembered at a time. */
export const MAX_SENDERS = 1024

export interface Sender {
  readonly keyOf: (sequence: number) => KeyObject
  /** Of the last message that was taken. */
  sequence: number
  time: number
}

export interface Senders {
  /** The sender of a message that may be taken, if it proves to be authentic. */
  find(header: BroadcastHeader): Sender | undefined
  /** It was authentic. */
  took(header: BroadcastHeader, sender: Sender): void
}

/** @param start of this instance: what was sent before is not for it, and may have been taken before it started again */
export function createSenders(keysOf: (sender: Uint8Array) => Sender['keyOf'], start: number): Senders {
  /** By id, the one that was unheard for longest first. */
  const senders = new Map<string, Sender>()
  /** The time of the last message that was forgotten, or of those before the start. */
  let floor = start - 1
  const idOf = ({ sender }: BroadcastHeader): string => Buffer.from(sender).toString('base64')

  return {
    find(header) {
      const known = senders.get(idOf(header))
      if (known) return header.sequence > known.sequence ? known : undefined
      if (header.time <= floor) return undefined
      return { keyOf: keysOf(header.sender), sequence: -1, time: 0 }
    },
    took(header, sender) {
      const id = idOf(header)
      senders.delete(id)
      sender.sequence = header.sequence
      sender.time = header.time
      senders.set(id, sender)
      if (senders.size <= MAX_SENDERS) return
      const [oldest] = senders
      if (!oldest) return
      floor = Math.max(floor, oldest[1].time)
      senders.delete(oldest[0])
    },
  }
}

/** Milliseconds that a message's time may differ from the receiver's, either way. */
const MAX_BROADCAST_AGE = 30_000

/** Who an instance is among the others of its bus. */
export interface Identity {
  secret: string
  bus: string
  instance: string
}

export interface BroadcastOptions extends Identity {
  /** It is part of the keys: what is sent on one subject means nothing on another. */
  subject: string
  /** Milliseconds since the Unix epoch; `Date.now` unless given. */
  now?: () => number
}

export interface Broadcast {
  seal(plain: Uint8Array): Uint8Array
  /** Undefined for what is forged, was taken before or overtaken, is not of this time, or is this instance's own. */
  open(message: Uint8Array): { instance: string; plain: Uint8Array } | undefined
}

/**
 * An instance that starts again is a new sender, with a key of its own: no nonce is used twice, and nothing has to be remembered.
 *
 * @throws BusError `InvalidParams` for a secret or a name that can't be one
 */
export function createBroadcast(options: BroadcastOptions): Broadcast {
  const { now = Date.now } = options
  const secret = readBusSecret(options.secret)
  const bus = checkName('The name of a bus', options.bus)
  const instance = checkName('The name of an instance', options.instance)
  const keysOf = (sender: Uint8Array): ((sequence: number) => KeyObject) =>
    broadcastKeys(secret, sender, bus, options.subject)
  const self = randomBytes(SENDER_BYTES)
  const own = keysOf(self)
  const senders = createSenders(keysOf, now())
  let sequence = 0
  let time = 0

  function tryOpen(message: Uint8Array): { instance: string; plain: Uint8Array } | undefined {
    const header = readHeader(message)
    if (!header || self.equals(header.sender) || !(Math.abs(now() - header.time) <= MAX_BROADCAST_AGE)) return undefined
    const sender = senders.find(header)
    if (!sender) return undefined
    const end = message.byteLength - TAG_BYTES
    if (end < header.end) return undefined
    const [key, nonce, clear] = [
      sender.keyOf(header.sequence),
      getNonce(header.sequence),
      message.subarray(0, header.end),
    ]
    const [plain] = decrypt(key, nonce, clear, [message.subarray(header.end, end)], message.subarray(end))
    senders.took(header, sender)
    return plain && { instance: header.instance, plain }
  }

  return {
    seal(plain) {
      // Never before the last one, whatever the clock does: receivers go by it.
      time = Math.max(time, Math.floor(now()))
      const header = writeHeader({ sender: self, sequence, time, instance })
      const message = new Uint8Array(header.byteLength + plain.byteLength + TAG_BYTES)
      message.set(header)
      encrypt(own(sequence), getNonce(sequence), header, [plain], message.subarray(header.byteLength))
      sequence += 1
      return message
    },
    open(message) {
      if (!isUint8Array(message)) return undefined
      try {
        return tryOpen(message)
      } catch {
        return undefined
      }
    },
  }
}
