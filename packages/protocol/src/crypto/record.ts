// A record is a frame sealed for one receiver: header, ciphertext, tag. It holds a complete inner frame, kind byte and body. Methods,
// ids and parameters are sealed together, so none can be replayed under another. docs/internals/records.md has layout and reasons.
import { onNextTick } from '#platform'
import { isArrayBuffer } from '../util/type-guards.js'
import { RECORD_HEADROOM, SMALL_BODY_BYTES } from '../wire/link.js'
import type { DecipherGCM, KeyObject } from 'node:crypto'
import {
  createCipher,
  createDecipher,
  createKeySchedule,
  decrypt,
  encrypt,
  type KeySchedule,
  type KeyScheduleOptions,
  TAG_BYTES,
} from './keys.js'
import { createRecordError } from '../errors/bus-error.js'

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
      const large = typeof body !== 'string' && body.byteLength > LARGE_BYTES ? copyShared(body) : undefined
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
    const parts = length > LARGE_BYTES ? [sealed.subarray(0, 1), sealed.subarray(1)] : [sealed]
    const [first, rest] = decrypt(cipher, header.bytes, parts, record.subarray(HEADER_BYTES + length))
    const kind = first?.[0]
    if (first === undefined || kind === undefined) return undefined
    sequenced.advance(length)
    return { kind, body: rest ?? first.subarray(1), count }
  }

  return {
    open(record) {
      // Closed until it has succeeded: any failure in between is final, and its error has no reason.
      const current = ciphers
      ciphers = undefined
      try {
        const opened = current && tryOpen(copyShared(record), current)
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
    if (this.#isScheduled) return
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
  if (read === body.length) return record
  const rest = body.slice(read)
  const longer = allocate(written + Buffer.byteLength(rest))
  longer.set(record.subarray(BODY_AT, BODY_AT + written), BODY_AT)
  encoder.encodeInto(rest, longer.subarray(BODY_AT + written))
  return longer
}

/** Copies bytes in shared memory, because they can change while they are read. */
function copyShared(bytes: Uint8Array): Uint8Array {
  return isArrayBuffer(bytes.buffer) ? bytes : new Uint8Array(bytes)
}
