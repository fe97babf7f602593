// Encrypted messages between the instances of a bus, over a subject that others can read and write. Each instance accepts a message at
// most once, in the sender's order; lost messages go unnoticed. docs/internals/nats-protocol.md has the layout and the keys.
import { type KeyObject, randomBytes } from 'node:crypto'
import { isUint8Array } from '@sallyport/protocol/internal/util'
import { MAX_BROADCAST_SENDERS } from '@sallyport/protocol/internal/wire'
import * as records from '@sallyport/protocol/internal/records'
import { checkName, isName } from '../connection/subjects.js'
import { readBusSecret } from '../handshake/credential.js'
import { Fields, short, u64 } from '../handshake/fields.js'

const VERSION = 1
const SENDER_BYTES = 16
/** Messages that one key encrypts. With NATS's default limit of 1 MiB these are 2^36 bytes, after which records change keys too. */
const EPOCH_MESSAGES = 2 ** 16
/** Milliseconds by which the time of a message may differ from the receiver's clock, either way. */
const MAX_BROADCAST_AGE = 30_000

/** Identifies an instance among the others of its bus. */
export interface Identity {
  secret: string
  bus: string
  instance: string
}

export interface BroadcastOptions extends Identity {
  /** A part of the keys: a message of one subject is invalid on another. */
  subject: string
  /** Milliseconds since the Unix epoch. @default Date.now */
  now?: () => number
}

export interface Opened {
  instance: string
  plain: Uint8Array
}

export interface Broadcast {
  seal(plain: Uint8Array): Uint8Array
  /**
   * Returns undefined for a message that is forged, replayed, out of order, too old, from the future, or sealed here. Returns `early` for an
   * authentic one from before the start of this instance, which it can have accepted before a restart: the sender's clock can be behind, and
   * the message late.
   */
  open(message: Uint8Array): Opened | 'early' | undefined
}

/**
 * Creates a new sender with a random id, and therefore a key of its own: after a restart no nonce is used twice, although nothing is
 * stored.
 *
 * @throws {BusError} InvalidParams for an invalid secret or name
 */
export function createBroadcast(options: BroadcastOptions): Broadcast {
  const { subject, now = Date.now } = options
  const secret = readBusSecret(options.secret)
  const bus = checkName('The name of a bus', options.bus)
  const instance = checkName('The name of an instance', options.instance)
  const createKeys = (sender: Uint8Array): GetKey => createBroadcastKeys(secret, sender, bus, subject)
  const senderId = randomBytes(SENDER_BYTES)
  const getKey = createKeys(senderId)
  const start = now()
  const senders = new Senders(createKeys, start)
  let sequence = 0
  let time = 0

  function tryOpen(message: Uint8Array): Opened | 'early' | undefined {
    const header = readHeader(message)
    if (!header || senderId.equals(header.sender)) return undefined
    if (!(Math.abs(now() - header.time) <= MAX_BROADCAST_AGE)) return undefined
    const isEarly = header.time < start
    const sender = isEarly ? senders.create(header) : senders.find(header)
    const end = message.byteLength - records.TAG_BYTES
    if (!sender || end < header.end) return undefined
    const key = sender.getKey(header.sequence)
    const aad = message.subarray(0, header.end)
    const ciphertext = message.subarray(header.end, end)
    const decipher = records.createDecipher(key, getNonce(header.sequence))
    const [plain] = records.decrypt(decipher, aad, [ciphertext], message.subarray(end))
    if (isEarly) return 'early'
    senders.update(header, sender)
    return plain && { instance: header.instance, plain }
  }

  return {
    seal(plain) {
      // Receivers rely on times that never decrease, whatever the clock does.
      time = Math.max(time, Math.floor(now()))
      const header = writeHeader({ sender: senderId, sequence, time, instance })
      const message = new Uint8Array(header.byteLength + plain.byteLength + records.TAG_BYTES)
      message.set(header)
      const cipher = records.createCipher(getKey(sequence), getNonce(sequence))
      records.encrypt(cipher, header, [plain], message.subarray(header.byteLength))
      sequence += 1
      return message
    },
    open(message) {
      try {
        return isUint8Array(message) ? tryOpen(message) : undefined
      } catch {
        return undefined
      }
    },
  }
}

/** The part in clear, which is the additional authenticated data. */
export interface BroadcastHeader {
  /** Random for each start of an instance. */
  readonly sender: Uint8Array
  /** Counted from 0. */
  readonly sequence: number
  /** Time of sealing, in milliseconds since the Unix epoch. */
  readonly time: number
  readonly instance: string
}

export const writeHeader = ({ sender, sequence, time, instance }: BroadcastHeader): Uint8Array =>
  Buffer.concat([Uint8Array.of(VERSION), sender, u64(sequence), u64(time), short(instance)])

/** Returns the header and its length, or undefined for another version or an invalid name. Throws if the message is cut short. */
function readHeader(message: Uint8Array): (BroadcastHeader & { end: number }) | undefined {
  const fields = new Fields(message)
  if (fields.u8() !== VERSION) return undefined
  const [sender, sequence, time, instance] = [fields.take(SENDER_BYTES), fields.u64(), fields.u64(), fields.short()]
  return isName(instance) ? { sender, sequence, time, instance, end: message.byteLength - fields.left } : undefined
}

type GetKey = (sequence: number) => KeyObject

/**
 * Returns the function from a sequence to its key: HKDF-SHA256 with the bus's secret as key material and the sender as salt. The info
 * is `sallyport/1 broadcast`, a zero byte, the bus, a zero byte, the subject, a zero byte, and the epoch as u64, big-endian.
 */
export function createBroadcastKeys(secret: Uint8Array, sender: Uint8Array, bus: string, subject: string): GetKey {
  const info = Buffer.from(`sallyport/1 broadcast\0${bus}\0${subject}\0........`)
  let currentEpoch = -1
  let key: KeyObject | undefined
  return sequence => {
    const epoch = Math.floor(sequence / EPOCH_MESSAGES)
    if (!key || epoch !== currentEpoch) {
      currentEpoch = epoch
      info.writeBigUInt64BE(BigInt(epoch), info.length - 8)
      key = records.importKey(records.hkdfSha256(secret, sender, info, records.KEY_BYTES))
    }
    return key
  }
}

/** A sender's key encrypts each sequence only once, so the sequence alone is the nonce. */
function getNonce(sequence: number): Uint8Array {
  const nonce = Buffer.alloc(records.NONCE_BYTES)
  nonce.writeBigUInt64BE(BigInt(sequence), records.NONCE_BYTES - 8)
  return nonce
}

/** A sender, with the sequence and the time of its last accepted message. */
interface Sender {
  readonly getKey: GetKey
  sequence: number
  time: number
}

/** Replay protection: the last accepted message of each sender, for a bounded number of senders. */
class Senders {
  readonly #createKeys: (sender: Uint8Array) => GetKey
  /** Senders by id, the least recently heard first. */
  readonly #senders = new Map<string, Sender>()
  /** Messages of unknown senders are accepted only after this time: older ones can have been accepted from a forgotten sender. */
  #floor: number

  /** @param start - start of this instance, which may have accepted earlier messages before a restart */
  constructor(createKeys: (sender: Uint8Array) => GetKey, start: number) {
    this.#createKeys = createKeys
    this.#floor = start - 1
  }

  /** Returns the sender of a message that is to be accepted if it is authentic. */
  find(header: BroadcastHeader): Sender | undefined {
    const known = this.#senders.get(toKey(header))
    if (known) return header.sequence > known.sequence ? known : undefined
    if (header.time <= this.#floor) return undefined
    return this.create(header)
  }

  /** Returns a sender that is not known yet. */
  create({ sender }: BroadcastHeader): Sender {
    return { getKey: this.#createKeys(sender), sequence: -1, time: 0 }
  }

  update(header: BroadcastHeader, sender: Sender): void {
    const id = toKey(header)
    sender.sequence = header.sequence
    sender.time = header.time
    this.#senders.delete(id)
    this.#senders.set(id, sender)
    if (this.#senders.size <= MAX_BROADCAST_SENDERS) return
    const [oldest] = this.#senders
    if (!oldest) return
    this.#floor = Math.max(this.#floor, oldest[1].time)
    this.#senders.delete(oldest[0])
  }
}

const toKey = ({ sender }: BroadcastHeader): string => Buffer.from(sender).toString('base64')
