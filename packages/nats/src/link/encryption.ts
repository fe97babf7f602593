// What a session's messages are protected with on their way through a broker: AES-256-GCM, with the key schedule of records.
// Whoever may publish can forge, repeat and hold back messages: the first two are to be dropped, so that nobody ends a
// session by them; an authentic message that comes too early tells that others were lost.
import { BusError } from '@sallyport/protocol'
import { createKeySchedule, decrypt, encrypt, TAG_BYTES } from '@sallyport/protocol/records'

/** What is protected lies from here on in its message, after the epoch and the sequence. */
export const PLAIN_AT = 8
/** What protection adds to a message. */
export const PROTECTION_BYTES: number = PLAIN_AT + TAG_BYTES

export interface Protection {
  /** Seals a copy. */
  readonly seal: (plain: Uint8Array) => Uint8Array
  /** Seals, without a copy, what lies in a message of `allocateMessage`. */
  readonly sealInPlace: (message: Uint8Array) => Uint8Array
  /**
   * Gives what was sealed, which may lie in the message itself; `undefined`: forged or replayed, to be dropped.
   *
   * @throws BusError `InvalidRequest`: it is authentic, and messages before it were lost
   */
  readonly open: (message: Uint8Array) => Uint8Array | undefined
}

export interface ProtectionOptions {
  /** 32 bytes that both ends know, and only they. */
  secret: Uint8Array
  /** 16 bytes, unlike those of every other session with that secret. */
  session: Uint8Array
  side: 'core' | 'frontend'
  /** `true`: encrypted. `false`: signed, and for everybody to read. */
  cipher: boolean
  /** Lower limits of an epoch than those of records, the same at both ends; for tests. */
  limits?: { records?: number; bytes?: number } | undefined
}

/** A message with room for so many bytes of plain text, from `PLAIN_AT` on. */
export const allocateMessage = (plainBytes: number): Buffer => Buffer.allocUnsafe(PROTECTION_BYTES + plainBytes)

/** One end of a session's protection. A secret, session and side have one, ever: two would use each nonce twice. */
export function createProtection({ secret, session, side, cipher, limits }: ProtectionOptions): Protection {
  const schedule = (to: 'core' | 'frontend', epoch = 0) =>
    createKeySchedule({ secret, session, direction: `nats ${cipher ? 'encrypted' : 'signed'} to ${to}`, limits, epoch })
  const outwards = schedule(side === 'core' ? 'frontend' : 'core')
  const inwards = schedule(side)
  const isEarly = createLookAhead(epoch => schedule(side, epoch), cipher)

  function sealInPlace(message: Uint8Array): Uint8Array {
    const end = message.byteLength - TAG_BYTES
    const { key, nonce, epoch, sequence } = outwards.next()
    writeUint32(message, 0, epoch)
    writeUint32(message, 4, sequence)
    if (cipher) {
      const sealed = message.subarray(PLAIN_AT)
      encrypt(key, nonce, message.subarray(0, PLAIN_AT), [message.subarray(PLAIN_AT, end)], sealed)
    } else encrypt(key, nonce, message.subarray(0, end), [], message.subarray(end))
    outwards.advance(end - PLAIN_AT)
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
      const next = inwards.next()
      const ahead = (readUint32(message, 0) - next.epoch) * 2 ** 32 + readUint32(message, 4) - next.sequence
      if (ahead !== 0) {
        if (ahead < 0 || !isEarly(message, next)) return undefined
        throw new BusError('InvalidRequest', 'Messages of the session were lost')
      }
      const plain = tryOpen(message, next.key, next.nonce, cipher)
      if (plain) inwards.advance(plain.byteLength)
      return plain
    },
  }
}

type Keys = ReturnType<typeof createKeySchedule>
type Next = ReturnType<Keys['next']>

/**
 * Says whether a message beyond the next one is authentic: one of the same epoch, or of the epoch after it. Whoever forges
 * them costs no more than one derivation an epoch.
 */
function createLookAhead(
  schedule: (epoch: number) => Keys,
  cipher: boolean,
): (message: Uint8Array, next: Next) => boolean {
  let later: Next | undefined
  return (message, next) => {
    const epoch = readUint32(message, 0)
    if (epoch > next.epoch + 1) return false
    if (epoch > next.epoch && later?.epoch !== epoch) later = schedule(epoch).next()
    const { key, nonce, sequence } = epoch === next.epoch ? next : later!
    const theirs = Uint8Array.from(nonce)
    const last = theirs.byteLength - 4
    // The sequence is in the last word of the nonce, by XOR: their own takes its place.
    writeUint32(theirs, last, readUint32(theirs, last) ^ sequence ^ readUint32(message, 4))
    return tryOpen(message, key, theirs, cipher) !== undefined
  }
}

function tryOpen(message: Uint8Array, key: Next['key'], nonce: Uint8Array, cipher: boolean): Uint8Array | undefined {
  const end = message.byteLength - TAG_BYTES
  const tag = message.subarray(end)
  try {
    if (cipher) return decrypt(key, nonce, message.subarray(0, PLAIN_AT), [message.subarray(PLAIN_AT, end)], tag)[0]
    decrypt(key, nonce, message.subarray(0, end), [], tag)
    return message.subarray(PLAIN_AT, end)
  } catch {
    // Forged, whatever it is that does not fit.
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
