// The keys of records: AES-256-GCM and HKDF-SHA256 of node:crypto, with 96-bit nonces, 128-bit tags and no plaintext before it is authenticated,
// and the key schedule, which has the key and nonce of the next record. Sealer and opener each have a schedule and count alike, so neither of
// them ever reads from a record when a new key begins. The tests run the Wycheproof vectors against these functions.
import {
  type CipherGCM,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type DecipherGCM,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'

/** How much one key seals. The epoch ends with the record that reaches a limit. */
export interface RecordLimits {
  records: number
  bytes: number
}

/**
 * 2^23 records or 2^36 bytes of plaintext, which is below the limit of RFC 8446 (5.5) for one AES-GCM key: 2^24.5 records of
 * 2^14 bytes. A session can have lower limits, equal at both ends, but no higher ones.
 */
export const RECORD_LIMITS: Readonly<RecordLimits> = { records: 2 ** 23, bytes: 2 ** 36 }

const LAST_EPOCH = 2 ** 32 - 1
export const SESSION_BYTES = 16

export interface KeyScheduleOptions {
  /** From `createSessionSecret`. */
  secret: Uint8Array
  /** 16 bytes, different from those of every other session: a worker that restarts needs a new session. */
  session: Uint8Array
  /** Names sender and receiver, so that a record cannot be sent back to its sender. */
  direction: string
  limits?: Partial<RecordLimits> | undefined
  /** The first epoch, for tests of the counter's end. @default 0 */
  epoch?: number | undefined
}

export interface KeySchedule {
  /** Returns the key and nonce of the next record. Begins a new epoch if the last record reached a limit. */
  next(): { key: KeyObject; nonce: Uint8Array; epoch: number; sequence: number }
  advance(plainBytes: number): void
}

/**
 * Derives the secret of one session, which only its two ends may know: 32 bytes of HKDF-SHA256 with the master (at least 32 random
 * bytes) as key material, the session (16 bytes) as salt and `sallyport/1 session` as info.
 */
export function createSessionSecret(master: Uint8Array, session: Uint8Array): Uint8Array<ArrayBuffer> {
  if (master.byteLength < KEY_BYTES) throw new RangeError(`A master has at least ${KEY_BYTES} bytes`)
  return hkdfSha256(master, checkSession(session), 'sallyport/1 session', KEY_BYTES)
}

/**
 * Derives key and IV of each epoch by HKDF-SHA256 with the session's secret as key material and the session as salt. The info is
 * `sallyport/1 record key` (32 bytes) or `sallyport/1 record iv` (12 bytes), a zero byte, the direction, a zero byte, and the epoch.
 * The direction is UTF-8, the epoch a big-endian u32. The nonce is IV XOR sequence, as in TLS 1.3 (RFC 8446, 5.3).
 */
export function createKeySchedule(options: KeyScheduleOptions): KeySchedule {
  const secret = importKey(options.secret)
  const salt = Uint8Array.from(checkSession(options.session))
  const { direction } = options
  const limits = { records: getLimit('records', options.limits), bytes: getLimit('bytes', options.limits) }
  const nonce = new Uint8Array(NONCE_BYTES)
  const nonceView = new DataView(nonce.buffer)
  let epoch = options.epoch ?? 0
  if (epoch !== epoch >>> 0) throw new RangeError(`An epoch is a u32, not ${epoch}`)
  let sequence = 0
  let bytes = 0
  let ivEnd = 0
  let key = begin()

  function derive(label: string, length: number): Uint8Array {
    const info = Buffer.from(`sallyport/1 record ${label}\0${direction}\0....`)
    info.writeUInt32BE(epoch, info.length - 4)
    return hkdfSha256(secret, salt, info, length)
  }

  function begin(): KeyObject {
    const raw = derive('key', KEY_BYTES)
    nonce.set(derive('iv', NONCE_BYTES))
    ivEnd = nonceView.getUint32(NONCE_BYTES - 4)
    const imported = importKey(raw)
    raw.fill(0)
    return imported
  }

  return {
    next() {
      if (sequence >= limits.records || bytes >= limits.bytes) {
        if (epoch === LAST_EPOCH) throw new RangeError('The session has used up its epochs')
        epoch += 1
        sequence = bytes = 0
        key = begin()
      }
      // The sequence stays below 2^32, so only the last word of the nonce changes within an epoch.
      nonceView.setUint32(NONCE_BYTES - 4, ivEnd ^ sequence)
      return { key, nonce, epoch, sequence }
    },
    advance(plainBytes) {
      sequence += 1
      bytes += plainBytes
    },
  }
}

function checkSession(session: Uint8Array): Uint8Array {
  if (session.byteLength !== SESSION_BYTES) throw new RangeError(`A session has ${SESSION_BYTES} bytes`)
  return session
}

function getLimit(name: keyof RecordLimits, limits: Partial<RecordLimits> | undefined): number {
  const value = limits?.[name] ?? RECORD_LIMITS[name]
  if (Number.isInteger(value) && value >= 1 && value <= RECORD_LIMITS[name]) return value
  throw new RangeError(`limits.${name} is a whole number from 1 to ${RECORD_LIMITS[name]}, not ${value}`)
}

export const KEY_BYTES = 32
export const NONCE_BYTES = 12
export const TAG_BYTES = 16

const ALGORITHM = 'aes-256-gcm'
// Without this option, Node also accepts tags of 4 bytes.
const OPTIONS = { authTagLength: TAG_BYTES }
// Each update of a cipher returns a new buffer. A piece of this size is still in the cache when it is copied.
const PIECE_BYTES = 128 * 1024

/** Copies a key into memory that JavaScript cannot read. The caller still has to clear `bytes`. */
export function importKey(bytes: Uint8Array): KeyObject {
  if (bytes.byteLength !== KEY_BYTES) throw new RangeError(`A key has ${KEY_BYTES} bytes, not ${bytes.byteLength}`)
  return createSecretKey(bytes)
}

/** Creates a cipher for one call of `encrypt`. A key must never get the same nonce twice. */
export const createCipher = (key: KeyObject, nonce: Uint8Array): CipherGCM =>
  createCipheriv(ALGORITHM, key, nonce, OPTIONS)

/** Creates a decipher for one call of `decrypt`. */
export const createDecipher = (key: KeyObject, nonce: Uint8Array): DecipherGCM =>
  createDecipheriv(ALGORITHM, key, nonce, OPTIONS)

/** Encrypts the concatenated `parts` into `out`, followed by the tag. A part that is already at its place in `out` stays there. */
export function encrypt(
  cipher: CipherGCM,
  additional: Uint8Array,
  parts: readonly Uint8Array[],
  out: Uint8Array,
): void {
  cipher.setAAD(additional)
  let at = 0
  for (const part of parts) {
    const end = part.byteLength
    if (end <= PIECE_BYTES) out.set(cipher.update(part), at)
    else for (let i = 0; i < end; i += PIECE_BYTES) out.set(cipher.update(part.subarray(i, i + PIECE_BYTES)), at + i)
    at += end
  }
  cipher.final()
  out.set(cipher.getAuthTag(), at)
}

/**
 * Decrypts the concatenated `parts`, each into memory of its own. Returns nothing before the tag is verified.
 *
 * @throws {Error} if the key, nonce, additional data, ciphertext or tag (or its length) does not match
 */
export function decrypt(
  decipher: DecipherGCM,
  additional: Uint8Array,
  parts: readonly Uint8Array[],
  tag: Uint8Array,
): Buffer[] {
  decipher.setAAD(additional).setAuthTag(tag)
  const plain = parts.map(part => decipher.update(part))
  decipher.final()
  return plain
}

/** HKDF with SHA-256 (RFC 5869), extract and expand. The limits are 8160 bytes for `length` and 1024 for `info` (Node's own). */
export function hkdfSha256(
  ikm: Uint8Array | KeyObject,
  salt: Uint8Array,
  info: Uint8Array | string,
  length: number,
): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hkdfSync('sha256', ikm, salt, info, length))
}
