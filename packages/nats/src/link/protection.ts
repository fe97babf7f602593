// Record protection of a session's messages: AES-256-GCM with the key schedule of records. Anybody who can publish can forge, replay
// and delay messages. Forged and replayed messages are dropped, so that they cannot end a session; an authentic message that arrives
// too early proves that earlier ones were lost.
import { BusError } from '@sallyport/protocol/internal'
import {
  createCipher,
  createDecipher,
  createKeySchedule,
  decrypt,
  encrypt,
  TAG_BYTES,
} from '@sallyport/protocol/internal/records'

/** Offset of the plaintext in a message, after the epoch and the sequence. */
export const PLAIN_AT = 8
/** Bytes that protection adds to a message. */
export const PROTECTION_BYTES: number = PLAIN_AT + TAG_BYTES

export interface Protection {
  /** Seals a copy of the plaintext. */
  readonly seal: (plain: Uint8Array) => Uint8Array
  /** Seals the plaintext in a message of `allocateMessage`, without a copy. */
  readonly sealInPlace: (message: Uint8Array) => Uint8Array
  /**
   * Returns the plaintext, which can share the message's memory, or undefined for a forged or replayed message.
   *
   * @throws {BusError} InvalidRequest if the message is authentic and earlier messages were lost
   */
  readonly open: (message: Uint8Array) => Uint8Array | undefined
}

export interface ProtectionOptions {
  /** 32 bytes, shared only by both ends. */
  secret: Uint8Array
  /** 16 bytes, unique among the sessions with this secret. */
  session: Uint8Array
  side: 'core' | 'frontend'
  /** True: encrypted and authenticated. False: authenticated only, in clear. */
  cipher: boolean
  /** Lower limits of an epoch than those of records, equal at both ends, for tests. */
  limits?: { records?: number; bytes?: number } | undefined
}

/** Returns a message with room for the given number of bytes from `PLAIN_AT` on. */
export const allocateMessage = (plainBytes: number): Buffer => Buffer.allocUnsafe(PROTECTION_BYTES + plainBytes)

/** Must be called once for each secret, session and side: two instances would use each nonce twice. */
export function createProtection({ secret, session, side, cipher, limits }: ProtectionOptions): Protection {
  const schedule = (to: 'core' | 'frontend', epoch = 0) =>
    createKeySchedule({ secret, session, direction: `nats ${cipher ? 'encrypted' : 'signed'} to ${to}`, limits, epoch })
  const outbound = schedule(side === 'core' ? 'frontend' : 'core')
  const inbound = schedule(side)
  const isEarly = createLookAhead(epoch => schedule(side, epoch), cipher)

  function sealInPlace(message: Uint8Array): Uint8Array {
    const end = message.byteLength - TAG_BYTES
    const { key, nonce, epoch, sequence } = outbound.next()
    writeUint32(message, 0, epoch)
    writeUint32(message, 4, sequence)
    if (cipher) {
      const sealed = message.subarray(PLAIN_AT)
      encrypt(createCipher(key, nonce), message.subarray(0, PLAIN_AT), [message.subarray(PLAIN_AT, end)], sealed)
    } else encrypt(createCipher(key, nonce), message.subarray(0, end), [], message.subarray(end))
    outbound.advance(end - PLAIN_AT)
    return message
  }

  return {
    seal(plain) {
      const message = allocateMessage(plain.byteLength)
      message.set(plain, PLAIN_AT)
      return sealInPlace(message)
    },
    sealInPlace,
    open(message) {
      if (message.byteLength < PROTECTION_BYTES) return undefined
      const next = inbound.next()
      const ahead = (readUint32(message, 0) - next.epoch) * 2 ** 32 + readUint32(message, 4) - next.sequence
      if (ahead !== 0) {
        if (ahead < 0 || !isEarly(message, next)) return undefined
        throw new BusError('InvalidRequest', 'Messages of the session were lost')
      }
      const plain = tryOpen(message, next.key, next.nonce, cipher)
      if (plain) inbound.advance(plain.byteLength)
      return plain
    },
  }
}

type KeySchedule = ReturnType<typeof createKeySchedule>
type NextKey = ReturnType<KeySchedule['next']>

/**
 * Returns whether a message after the expected one is authentic. Only the current and the next epoch are tried, so that a flood of
 * forged messages costs one key derivation an epoch.
 */
function createLookAhead(
  schedule: (epoch: number) => KeySchedule,
  cipher: boolean,
): (message: Uint8Array, next: NextKey) => boolean {
  let nextEpoch: NextKey | undefined
  return (message, next) => {
    const epoch = readUint32(message, 0)
    if (epoch > next.epoch + 1) return false
    if (epoch > next.epoch && nextEpoch?.epoch !== epoch) nextEpoch = schedule(epoch).next()
    const { key, nonce, sequence } = epoch === next.epoch ? next : nextEpoch!
    const messageNonce = Uint8Array.from(nonce)
    const last = messageNonce.byteLength - 4
    // The last word of a nonce is XORed with the sequence: the message's own sequence replaces the expected one.
    writeUint32(messageNonce, last, readUint32(messageNonce, last) ^ sequence ^ readUint32(message, 4))
    return tryOpen(message, key, messageNonce, cipher) !== undefined
  }
}

/** Returns undefined for a forged message, whatever the reason. */
function tryOpen(message: Uint8Array, key: NextKey['key'], nonce: Uint8Array, cipher: boolean): Uint8Array | undefined {
  const end = message.byteLength - TAG_BYTES
  const tag = message.subarray(end)
  try {
    if (cipher)
      return decrypt(
        createDecipher(key, nonce),
        message.subarray(0, PLAIN_AT),
        [message.subarray(PLAIN_AT, end)],
        tag,
      )[0]
    decrypt(createDecipher(key, nonce), message.subarray(0, end), [], tag)
    return message.subarray(PLAIN_AT, end)
  } catch {
    return undefined
  }
}

function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}
