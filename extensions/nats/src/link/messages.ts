// The messages of a session. The plaintext is a type byte, then a fragment of the stream of frames, or taken bytes as float64. It is protected
// by AES-256-GCM with the key schedule of records: anybody who can publish can forge, replay and delay messages. Forged and replayed
// messages are dropped, so that they cannot end a session; an authentic message that arrives too early proves that earlier ones were lost.
import { BusError } from '@sallyport/protocol/internal/errors'
import { STREAM_HEADER_BYTES, writeStreamHeader } from '@sallyport/protocol/internal/link'
import {
  createCipher,
  createDecipher,
  createKeySchedule,
  type KeySchedule,
  decrypt,
  encrypt,
  TAG_BYTES,
} from '@sallyport/protocol/internal/records'
import {
  BUFFER_COST,
  type CreditQueue,
  type Frame,
  FRAME_KIND,
  type FrameKind,
  getBodyLength,
  MAX_FRAGMENT_BYTES,
} from '@sallyport/protocol/internal/wire'

/** Offset of the plaintext in a message, after the epoch and the sequence. */
export const PLAIN_AT = 8
/** Bytes that protection adds to a message. */
const PROTECTION_BYTES = PLAIN_AT + TAG_BYTES

export interface Protection {
  /** Seals the plaintext in a message of `allocateMessage`, in place. */
  readonly seal: (message: Buffer) => Buffer
  /** Returns the plaintext, or undefined if it is forged or replayed. Throws if earlier messages were lost. */
  readonly open: (message: Uint8Array) => Buffer | undefined
}

export interface ProtectionOptions {
  /** 32 bytes, shared only by both ends. */
  secret: Uint8Array
  /** 16 bytes, unique among the sessions with this secret. */
  session: Uint8Array
  side: 'core' | 'frontend'
  /** Lower limits of an epoch than those of records, equal at both ends, for tests. */
  limits?: { records?: number; bytes?: number } | undefined
}

/** Returns a message with room for the given number of bytes from `PLAIN_AT` on. */
export const allocateMessage = (plainBytes: number): Buffer => Buffer.allocUnsafe(PROTECTION_BYTES + plainBytes)

/** Must be called once for each secret, session and side: two instances would use each nonce twice. */
export function createProtection({ secret, session, side, limits }: ProtectionOptions): Protection {
  const schedule = (to: 'core' | 'frontend', epoch = 0): KeySchedule =>
    createKeySchedule({ secret, session, direction: `nats encrypted to ${to}`, limits, epoch })
  const outbound = schedule(side === 'core' ? 'frontend' : 'core')
  const inbound = schedule(side)
  let nextEpoch: NextKey | undefined

  /**
   * Returns whether a message after the expected one is authentic. Only the current and the next epoch are tried, so that a flood of
   * forged messages costs one key derivation an epoch.
   */
  function isEarly(message: Buffer, next: NextKey): boolean {
    const epoch = message.readUInt32BE(0)
    if (epoch > next.epoch + 1) return false
    if (epoch > next.epoch && nextEpoch?.epoch !== epoch) nextEpoch = schedule(side, epoch).next()
    const { key, nonce, sequence } = epoch === next.epoch ? next : nextEpoch!
    const messageNonce = Buffer.from(nonce)
    const last = messageNonce.length - 4
    // The last word of a nonce is XORed with the sequence: the message's own sequence replaces the expected one.
    messageNonce.writeInt32BE(messageNonce.readInt32BE(last) ^ sequence ^ message.readInt32BE(4), last)
    return tryOpen(message, key, messageNonce) !== undefined
  }

  return {
    seal(message) {
      const { key, nonce, epoch, sequence } = outbound.next()
      message.writeUInt32BE(epoch, 0)
      message.writeUInt32BE(sequence, 4)
      const { header, text } = split(message)
      encrypt(createCipher(key, nonce), header, [text], message.subarray(PLAIN_AT))
      outbound.advance(message.length - PROTECTION_BYTES)
      return message
    },
    open({ buffer, byteOffset, byteLength }) {
      if (byteLength < PROTECTION_BYTES) return undefined
      const message = Buffer.from(buffer, byteOffset, byteLength)
      const next = inbound.next()
      const ahead = (message.readUInt32BE(0) - next.epoch) * 2 ** 32 + message.readUInt32BE(4) - next.sequence
      if (ahead !== 0) {
        if (ahead < 0 || !isEarly(message, next)) return undefined
        throw new BusError('InvalidRequest', 'Messages of the session were lost')
      }
      const plain = tryOpen(message, next.key, next.nonce)
      if (plain) inbound.advance(plain.length)
      return plain
    },
  }
}

type NextKey = ReturnType<KeySchedule['next']>

/** Returns undefined for a forged message, whatever the reason. */
function tryOpen(message: Buffer, key: NextKey['key'], nonce: Uint8Array): Buffer | undefined {
  const { header, text, tag } = split(message)
  try {
    return decrypt(createDecipher(key, nonce), header, [text], tag)[0]
  } catch {
    return undefined
  }
}

/** Returns the header, which is the additional data, the text to encrypt or decrypt, and the tag. */
function split(message: Buffer): { header: Buffer; text: Buffer; tag: Buffer } {
  const end = message.length - TAG_BYTES
  return { header: message.subarray(0, PLAIN_AT), text: message.subarray(PLAIN_AT, end), tag: message.subarray(end) }
}

export const MESSAGE = { data: 1, credit: 2, begin: 3, end: 4, ping: 5, pong: 6, close: 7 } as const

/** The header of a frame and a byte of its body. */
const MIN_DATA_BYTES: number = STREAM_HEADER_BYTES + 1

export const getDataBytes = (maxPayload: number): number =>
  Math.max(MIN_DATA_BYTES, Math.min(MAX_FRAGMENT_BYTES, maxPayload - PROTECTION_BYTES - 1))

export const getCost = (dataBytes: number): number => dataBytes + BUFFER_COST

export function createSignal(type: number): Buffer {
  const message = allocateMessage(1)
  message[PLAIN_AT] = type
  return message
}

export function createCredit(total: number): Buffer {
  const message = allocateMessage(9)
  message[PLAIN_AT] = MESSAGE.credit
  message.writeDoubleBE(total, PLAIN_AT + 1)
  return message
}

/** Returns NaN for a malformed message. */
export const readCredit = (plain: Buffer): number => (plain.length === 9 ? plain.readDoubleBE(1) : Number.NaN)

/** A part of a frame's header and body, which is copied when it is sent. */
export interface Fragment {
  readonly frame: { readonly kind: FrameKind; body: Uint8Array }
  readonly start: number
  readonly end: number
}

/** Cuts a frame into fragments that the server accepts, and adds them to a queue. Throws if the peer would reject the frame. */
export function addFragments({ kind, body, borrowed }: Frame, queue: CreditQueue<Fragment>, maxPayload: number): void {
  const frame: Fragment['frame'] = { kind, body: typeof body === 'string' ? Buffer.from(body) : body }
  const size = STREAM_HEADER_BYTES + getBodyLength(body)
  const step = getDataBytes(maxPayload)
  for (let start = 0; start < size; start += step) queue.add({ frame, start, end: Math.min(start + step, size) })
  // A body that is not transferred to the link can change while it waits.
  const isTransferred = typeof body === 'string' || kind === FRAME_KIND.bytes || kind === FRAME_KIND.sealed
  if (queue.isWaiting && (borrowed || !isTransferred)) frame.body = Uint8Array.from(frame.body)
}

export function writeFragment({ frame: { kind, body }, start, end }: Fragment): Buffer {
  const message = allocateMessage(1 + end - start)
  message[PLAIN_AT] = MESSAGE.data
  const data = message.subarray(PLAIN_AT + 1)
  const header = start === 0 ? STREAM_HEADER_BYTES : 0
  if (header > 0) writeStreamHeader(data, kind, body.byteLength)
  data.set(body.subarray(start + header - STREAM_HEADER_BYTES, end - STREAM_HEADER_BYTES), header)
  return message
}
