// A record is a frame sealed for one receiver: header, ciphertext, tag. It holds a complete inner frame, kind byte and body. Methods,
// ids and parameters are sealed together, so none can be replayed under another. docs/internals/records.md has layout and reasons.
//
// 1. `Sealer` and `Opener`: the records of one session, in order
// 2. the key schedule, which has the key and nonce of the next record. Both ends count alike: neither reads from a record when a new key begins
// 3. AES-256-GCM and HKDF-SHA256 of node:crypto, which the tests run the Wycheproof vectors against
import {
  type CipherGCM,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type DecipherGCM,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import { onNextTick } from '#platform'
import { createRecordError } from '../errors/bus-error.js'
import { RECORD_HEADROOM, SMALL_BODY_BYTES } from '../wire/link.js'

export const SESSION_BYTES = 16
export const KEY_BYTES = 32
export const NONCE_BYTES = 12
export const TAG_BYTES = 16

// The header is in plaintext: 36 bytes of fixed layout, big-endian, all authenticated as additional data. The opener writes the
// header that it expects and compares, so it trusts no field of the received one.

const RECORD_VERSION = 2

const HEADER_BYTES = 36
const RECORD_OVERHEAD = HEADER_BYTES + 1 + TAG_BYTES

const COUNT_AT = 4
const EPOCH_AT = 8
const SEQUENCE_AT = 12
const SESSION_AT = 16
const LENGTH_AT = 32

/** The header of one session, overwritten for each record, so that no record allocates one. */
class RecordHeader {
  readonly bytes: Uint8Array = new Uint8Array(HEADER_BYTES)
  readonly #view = new DataView(this.bytes.buffer)

  constructor(session: Uint8Array) {
    this.bytes[0] = RECORD_VERSION
    this.bytes.set(session, SESSION_AT)
  }

  /** @param length - bytes of the ciphertext */
  write(epoch: number, sequence: number, length: number, count: number): void {
    this.#view.setUint32(COUNT_AT, count)
    this.#view.setUint32(EPOCH_AT, epoch)
    this.#view.setUint32(SEQUENCE_AT, sequence)
    this.#view.setUint32(LENGTH_AT, length)
  }
}

function readCount(record: Uint8Array): number {
  const high = (record[COUNT_AT]! << 24) | (record[COUNT_AT + 1]! << 16)
  return (high | (record[COUNT_AT + 2]! << 8) | record[COUNT_AT + 3]!) >>> 0
}

function beginsWith(record: Uint8Array, header: Uint8Array): boolean {
  for (let i = 0; i < HEADER_BYTES; i++) if (record[i] !== header[i]) return false
  return true
}

/** A larger body is not copied before it is encrypted, and is decrypted into memory of its own. */
// Stryker disable next-line ArithmeticOperator: whether bytes are copied changes no result
const LARGE_BYTES = 64 * 1024
const BODY_AT = HEADER_BYTES + 1

const encoder = new TextEncoder()

export interface Sealer {
  /**
   * Seals one frame. A string is encoded as UTF-8. The record fills its ArrayBuffer except for `RECORD_HEADROOM` bytes before it.
   *
   * @param count - number of messages in the body; a carrier of the record can read it but not change it
   * @throws {RangeError} if kind or count is out of range, or if the session has used up its 2^32 epochs
   */
  seal(kind: number, body: string | Uint8Array, count: number): Uint8Array<ArrayBuffer>
}

/** A record's body is memory of the receiver, which no other thread can write. */
export type OpenedRecord = { kind: number; body: Uint8Array; count: number }

export interface Opener {
  /** Opens the next record. @throws {BusError} InvalidRequest, always with the same text; every later record is refused as well */
  open(record: Uint8Array): OpenedRecord
}

/**
 * Creates the sealing end of a session. A secret, session and direction have one sealer, ever: two would use each nonce twice.
 *
 * @example
 * const options = { secret: createSessionSecret(master, session), session, direction: 'to core' }
 * const [sealer, opener] = [createSealer(options), createOpener(options)]
 * opener.open(sealer.seal(FRAME_KIND.json, '{"jsonrpc":"2.0", …}', 1)) // { kind, body, count }
 */
export function createSealer(options: KeyScheduleOptions): Sealer {
  const ciphers = new CipherSequence(options, createCipher)
  const header = new RecordHeader(options.session)
  return {
    seal(kind, body, count) {
      if (kind !== (kind & 0xff) || count !== count >>> 0) throw new RangeError('A kind is a u8, and a count a u32')
      // Stryker disable next-line EqualityOperator,ConditionalExpression: both ways make the same record
      const large = typeof body !== 'string' && body.byteLength > LARGE_BYTES ? body : undefined
      const record = large ? allocate(large.byteLength) : allocateWith(body)
      const length = record.byteLength - HEADER_BYTES - TAG_BYTES
      const { cipher, epoch, sequence } = ciphers.take()
      header.write(epoch, sequence, length, count)
      record.set(header.bytes)
      record[HEADER_BYTES] = kind
      const sealed = record.subarray(HEADER_BYTES)
      encrypt(cipher, header.bytes, large ? [sealed.subarray(0, 1), large] : [sealed.subarray(0, length)], sealed)
      ciphers.advance(length)
      return record
    },
  }
}

/** Creates the opening end of a session. It opens each record once, in the order of sealing, and closes at the first failure. */
export function createOpener(options: KeyScheduleOptions): Opener {
  let ciphers: CipherSequence<DecipherGCM> | undefined = new CipherSequence(options, createDecipher)
  const header = new RecordHeader(options.session)

  function tryOpen(record: Uint8Array, sequenced: CipherSequence<DecipherGCM>): OpenedRecord | undefined {
    const length = record.byteLength - HEADER_BYTES - TAG_BYTES
    if (length < 1) return undefined
    const count = readCount(record)
    const { cipher, epoch, sequence } = sequenced.take()
    header.write(epoch, sequence, length, count)
    if (!beginsWith(record, header.bytes)) return undefined
    const sealed = record.subarray(HEADER_BYTES, HEADER_BYTES + length)
    // Stryker disable next-line EqualityOperator,ConditionalExpression: both ways open the same
    const parts = length > LARGE_BYTES ? ([sealed.subarray(0, 1), sealed.subarray(1)] as const) : ([sealed] as const)
    const [first, rest] = decrypt(cipher, header.bytes, parts, record.subarray(HEADER_BYTES + length))
    sequenced.advance(length)
    return { kind: first[0]!, body: rest ?? first.subarray(1), count }
  }

  return {
    open(record) {
      // Closed until it has succeeded: any failure in between is final, and its error has no reason.
      const current = ciphers
      ciphers = undefined
      try {
        const opened = current && tryOpen(record, current)
        if (opened) {
          ciphers = current
          return opened
        }
      } catch {
        // The tag does not match. The error is the one of every failure.
      }
      throw createRecordError()
    },
  }
}

/**
 * The ciphers of consecutive records. The next one is made in advance, once the thread has nothing else to do: right after a thread has slept, that
 * takes several times as long as encrypting a short record.
 */
class CipherSequence<Cipher> {
  readonly #keys: KeySchedule
  readonly #create: (key: KeyObject, nonce: Uint8Array) => Cipher
  #next: { cipher: Cipher; epoch: number; sequence: number } | undefined
  #isScheduled = false

  constructor(options: KeyScheduleOptions, create: (key: KeyObject, nonce: Uint8Array) => Cipher) {
    this.#keys = createKeySchedule(options)
    this.#create = create
  }

  /** @throws {RangeError} if the session has used up its epochs */
  take(): { cipher: Cipher; epoch: number; sequence: number } {
    const next = this.#next ?? this.#make()
    this.#next = undefined
    return next
  }

  advance(plainBytes: number): void {
    this.#keys.advance(plainBytes)
    // Stryker disable next-line ConditionalExpression: more tasks make no more ciphers
    if (this.#isScheduled) return
    // Stryker disable next-line BooleanLiteral: more tasks make no more ciphers
    this.#isScheduled = true
    onNextTick(() => {
      this.#isScheduled = false
      try {
        this.#next ??= this.#make()
      } catch {
        // `take` throws the error if another record comes.
      }
    })
  }

  #make(): { cipher: Cipher; epoch: number; sequence: number } {
    const { key, nonce, epoch, sequence } = this.#keys.next()
    return { cipher: this.#create(key, nonce), epoch, sequence }
  }
}

/** Allocates a record for a body of this size, alone in its ArrayBuffer after the headroom. */
function allocate(bodyBytes: number): Uint8Array<ArrayBuffer> {
  // Stryker disable next-line EqualityOperator,ConditionalExpression: both ways make the same record
  if (bodyBytes <= SMALL_BODY_BYTES) {
    return new Uint8Array(RECORD_HEADROOM + RECORD_OVERHEAD + bodyBytes).subarray(RECORD_HEADROOM)
  }
  const buffer = Buffer.allocUnsafeSlow(RECORD_HEADROOM + RECORD_OVERHEAD + bodyBytes)
  buffer.fill(0, 0, RECORD_HEADROOM)
  return new Uint8Array(buffer.buffer, RECORD_HEADROOM)
}

function allocateWith(body: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const record = allocate(body.length)
  if (typeof body !== 'string') {
    record.set(body, BODY_AT)
    return record
  }
  // Most JSON is ASCII, with one byte for each character. Otherwise the rest is measured, and a longer record allocated.
  const { read, written } = encoder.encodeInto(body, record.subarray(BODY_AT, BODY_AT + body.length))
  // Stryker disable next-line ConditionalExpression: a copy would be the same record
  if (read === body.length) return record
  const rest = body.slice(read)
  const longer = allocate(written + Buffer.byteLength(rest))
  longer.set(record.subarray(BODY_AT, BODY_AT + written), BODY_AT)
  encoder.encodeInto(rest, longer.subarray(BODY_AT + written))
  return longer
}

// The key schedule.

/** How much one key seals. The epoch ends with the record that reaches a limit. */
export interface RecordLimits {
  records: number
  bytes: number
}

/**
 * 2^23 records or 2^36 bytes of plaintext, which is below the limit of RFC 8446 (5.5) for one AES-GCM key: 2^24.5 records of
 * 2^14 bytes.
 */
export const RECORD_LIMITS: Readonly<RecordLimits> = { records: 2 ** 23, bytes: 2 ** 36 }

const LAST_EPOCH = 2 ** 32 - 1

export interface KeyScheduleOptions {
  secret: Uint8Array
  /** 16 bytes, different from those of every other session: a worker that restarts needs a new session. */
  session: Uint8Array
  /** Names sender and receiver, so that a record cannot be sent back to its sender. */
  direction: string
  /** Lower limits, for tests. */
  limits?: Partial<RecordLimits> | undefined
  /** The first epoch. @default 0 */
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
  const limits = { ...RECORD_LIMITS, ...options.limits }
  const nonce = new Uint8Array(NONCE_BYTES)
  const nonceView = new DataView(nonce.buffer)
  let epoch = options.epoch ?? 0
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
  parts: readonly [Uint8Array, ...Uint8Array[]],
  tag: Uint8Array,
): [Buffer, ...Buffer[]] {
  decipher.setAAD(additional).setAuthTag(tag)
  const plain = parts.map(part => decipher.update(part)) as [Buffer, ...Buffer[]]
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
