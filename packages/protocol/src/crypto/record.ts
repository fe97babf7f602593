// A record is a frame sealed for one receiver: header, ciphertext, tag. It holds a whole inner frame (kind byte and
// body), so that methods, ids and parameters are sealed together and none can be replayed under another.
// docs/records.md has the layout and the reasons.
import { RECORD_HEADROOM } from '../wire/link.js'
import { decrypt, encrypt, TAG_BYTES } from './aead.js'
import { createKeySchedule, type KeySchedule, type KeyScheduleOptions } from './key-schedule.js'
import { createRecordError } from '../errors/bus-error.js'

// The clear part of a record: 44 bytes of fixed layout, big-endian, all of it authenticated as additional data. Both
// sides write it from what they know; the opener compares, so that nothing in it is ever taken on trust.

const RECORD_VERSION = 1

const HEADER_BYTES = 44
/** What sealing adds to a body: header, kind byte and tag. */
const RECORD_OVERHEAD: number = HEADER_BYTES + 1 + TAG_BYTES

const COUNT_AT = 4
const EPOCH_AT = 8
const SEQUENCE_AT = 12
const TIME_AT = 16
const SESSION_AT = 24
const LENGTH_AT = 40

const TWO_32 = 2 ** 32

/** A header of one session that is written over and over, so that no record pays for a new one. */
export interface RecordHeader {
  readonly bytes: Uint8Array
  /** `length` is that of the ciphertext, `time` in whole milliseconds since the Unix epoch. */
  write(epoch: number, sequence: number, length: number, count: number, time: number): void
}

function createRecordHeader(session: Uint8Array): RecordHeader {
  const bytes = new Uint8Array(HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  bytes[0] = RECORD_VERSION
  bytes.set(session, SESSION_AT)
  return {
    bytes,
    write(epoch, sequence, length, count, time) {
      view.setUint32(COUNT_AT, count)
      view.setUint32(EPOCH_AT, epoch)
      view.setUint32(SEQUENCE_AT, sequence)
      view.setUint32(TIME_AT, Math.floor(time / TWO_32))
      view.setUint32(TIME_AT + 4, time >>> 0)
      view.setUint32(LENGTH_AT, length)
    },
  }
}

const readCount = (record: Uint8Array): number => readUint32(record, COUNT_AT)

const readTime = (record: Uint8Array): number => readUint32(record, TIME_AT) * TWO_32 + readUint32(record, TIME_AT + 4)

/** True where a record begins with just this header. */
function beginsWith(record: Uint8Array, header: Uint8Array): boolean {
  for (let i = 0; i < HEADER_BYTES; i++) if (record[i] !== header[i]) return false
  return true
}

function readUint32(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
}

/** How old a record may be when it is opened, in milliseconds: an approval can't be kept for later. */
export const MAX_RECORD_AGE = 30_000

// A body above this size is not copied before it is encrypted, and is decrypted into memory of its own.
const LARGE_BYTES = 64 * 1024
const BODY_AT: number = HEADER_BYTES + 1

const encoder = new TextEncoder()

export interface SealerOptions extends KeyScheduleOptions {
  /** Milliseconds since the Unix epoch; `Date.now` unless given. */
  now?: (() => number) | undefined
}

export interface OpenerOptions extends SealerOptions {
  /** Milliseconds that a record's time may differ from `now`, either way; `MAX_RECORD_AGE` unless given. */
  maxRecordAge?: number | undefined
}

export interface Sealer {
  /**
   * Seals one frame. Text becomes UTF-8. The record is alone in its ArrayBuffer, after `RECORD_HEADROOM` free bytes.
   *
   * @param count how many messages the body holds: whoever carries the record can read it, and not change it
   * @throws RangeError where kind or count is out of range, or the session has used up its 2^32 epochs
   */
  seal(kind: number, body: string | Uint8Array, count: number): Uint8Array<ArrayBuffer>
}

export interface OpenedRecord {
  kind: number
  /** The receiver's own, in no memory that anyone else can write to. */
  body: Uint8Array
  count: number
}

export interface Opener {
  /**
   * Opens the record that is next.
   *
   * @throws BusError `InvalidRequest`, with one text whatever was wrong; from then on every record is refused
   */
  open(record: Uint8Array): OpenedRecord
}

/**
 * The sealing end of a session. A secret, session and direction have one sealer, ever: two would use each nonce twice.
 *
 * @example
 * const options = { secret: createSessionSecret(master, session), session, direction: 'to core' }
 * const [sealer, opener] = [createSealer(options), createOpener(options)]
 * opener.open(sealer.seal(FRAME_KIND.json, '{"jsonrpc":"2.0", …}', 1)) // { kind, body, count }
 */
export function createSealer(options: SealerOptions): Sealer {
  const keys = createKeySchedule(options)
  const header = createRecordHeader(options.session)
  const now = options.now ?? Date.now
  return {
    seal(kind, body, count) {
      if (kind !== (kind & 0xff) || count !== count >>> 0) throw new RangeError('A kind is a u8, and a count a u32')
      const large = typeof body !== 'string' && body.byteLength > LARGE_BYTES ? unshared(body) : undefined
      const record = large ? allocate(large.byteLength) : allocateWith(body)
      const length = record.byteLength - HEADER_BYTES - TAG_BYTES
      const time = now()
      const { key, nonce, epoch, sequence } = keys.next()
      header.write(epoch, sequence, length, count, time)
      record.set(header.bytes)
      record[HEADER_BYTES] = kind
      const sealed = record.subarray(HEADER_BYTES)
      encrypt(key, nonce, header.bytes, large ? [sealed.subarray(0, 1), large] : [sealed.subarray(0, length)], sealed)
      keys.advance(length)
      return record
    },
  }
}

/** The opening end of a session: takes each record once, in the order of sealing, and closes at the first failure. */
export function createOpener(options: OpenerOptions): Opener {
  let keys: KeySchedule | undefined = createKeySchedule(options)
  const header = createRecordHeader(options.session)
  const now = options.now ?? Date.now
  const maxAge = options.maxRecordAge ?? MAX_RECORD_AGE

  function tryOpen(record: Uint8Array, { next, advance }: KeySchedule): OpenedRecord | undefined {
    const length = record.byteLength - HEADER_BYTES - TAG_BYTES
    if (length < 1) return undefined
    const count = readCount(record)
    const time = readTime(record)
    const { key, nonce, epoch, sequence } = next()
    header.write(epoch, sequence, length, count, time)
    if (!beginsWith(record, header.bytes) || !(Math.abs(now() - time) <= maxAge)) return undefined
    const sealed = record.subarray(HEADER_BYTES, HEADER_BYTES + length)
    const parts = length > LARGE_BYTES ? [sealed.subarray(0, 1), sealed.subarray(1)] : [sealed]
    const [first, rest] = decrypt(key, nonce, header.bytes, parts, record.subarray(HEADER_BYTES + length))
    const kind = first?.[0]
    if (first === undefined || kind === undefined) return undefined
    advance(length)
    return { kind, body: rest ?? first.subarray(1), count }
  }

  return {
    open(record) {
      // Closed until it has succeeded: whatever goes wrong in between, there is no way back, and no reason is given.
      const schedule = keys
      keys = undefined
      try {
        const opened = schedule && tryOpen(unshared(record), schedule)
        if (opened) {
          keys = schedule
          return opened
        }
      } catch {
        // A tag that does not fit ends like everything else.
      }
      throw createRecordError()
    },
  }
}

/** A record to be filled, with room for a body of this size, alone in its ArrayBuffer after the headroom. */
function allocate(bodyBytes: number): Uint8Array<ArrayBuffer> {
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
  // Most JSON is ASCII, as long as its text. Where it is not, what did not fit is measured, and room made for it.
  const { read, written } = encoder.encodeInto(body, record.subarray(BODY_AT, BODY_AT + body.length))
  if (read === body.length) return record
  const rest = body.slice(read)
  const longer = allocate(written + Buffer.byteLength(rest))
  longer.set(record.subarray(BODY_AT, BODY_AT + written), BODY_AT)
  encoder.encodeInto(rest, longer.subarray(BODY_AT + written))
  return longer
}

/** What lies in shared memory can change while it is read: it is copied first. */
function unshared(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof SharedArrayBuffer ? new Uint8Array(bytes) : bytes
}
